/** The table of quotes: groups, rows, search, and the chosen row. */

import {DataCell, PriceCell, TextCell, element} from "./cells.js";
import {nameAfterKey} from "./choice.js";
import {age, change, spreadPoints} from "./format.js";
import {matches} from "./market.js";

const STATE_WORDS = {open: "", stale: "stale", closed: "closed", halted: "halted"};

export class WatchTable {
  #rows = new Map(); // product name -> Row, in the order shown
  #groups = [];
  #chosen = null;

  /** `onChoose(name)` is called for a click or a key; call `choose(name)` to show what came of it. */
  constructor(table, {onChoose, isCalm}) {
    this.table = table;
    this.isCalm = isCalm;
    this.onChoose = onChoose;
    table.addEventListener("keydown", (event) => this.#pressed(event));
    table.addEventListener("click", (event) => {
      const row = event.target.closest("[data-product]");
      if (row !== null) onChoose(row.dataset.product);
    });
  }

  build(products) {
    const byGroup = new Map();
    for (const product of products) {
      if (!byGroup.has(product.group)) byGroup.set(product.group, []);
      byGroup.get(product.group).push(new Row(product, this.isCalm));
    }
    this.#groups = [...byGroup].map(([title, rows]) => ({rows, body: groupBody(title, rows)}));
    this.#rows = new Map([...byGroup.values()].flat().map((row) => [row.product.name, row]));
    this.table.append(...this.#groups.map(({body}) => body));
  }

  paint(product, nowMs) {
    this.#rows.get(product.name).paint(nowMs);
  }

  paintAges(nowMs) {
    for (const row of this.#rows.values()) row.paintAge(nowMs);
  }

  choose(name) {
    this.#rows.get(this.#chosen)?.choose(false);
    this.#chosen = name;
    this.#rows.get(name).choose(true);
    this.#keepOneTabStop();
  }

  /** Show only what matches; return how many do. */
  filter(text) {
    for (const row of this.#rows.values()) row.node.hidden = !matches(row.product, text);
    for (const {rows, body} of this.#groups) body.hidden = rows.every((row) => row.node.hidden);
    this.#keepOneTabStop();
    return this.#shown.length;
  }

  /** Go where a key leads; return whether it was one of ours. `hasFocus` says that the row takes the focus too. */
  go(key, hasFocus) {
    const name = nameAfterKey(this.#shown, this.#chosen, key);
    if (name === undefined) return false;
    if (name !== this.#chosen) this.onChoose(name);
    const {node} = this.#rows.get(name);
    if (hasFocus) node.focus({preventScroll: true});
    node.scrollIntoView({block: "nearest"});
    return true;
  }

  get #shown() {
    return [...this.#rows.values()].filter((row) => !row.node.hidden).map((row) => row.product.name);
  }

  #pressed(event) {
    const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey;
    if (isPlain && this.go(event.key, true)) event.preventDefault();
  }

  /** The table is one stop of the Tab key: the chosen row, or the first when that is not shown. */
  #keepOneTabStop() {
    const shown = this.#shown;
    const stop = shown.includes(this.#chosen) ? this.#chosen : shown[0];
    for (const [name, row] of this.#rows) row.node.tabIndex = name === stop ? 0 : -1;
  }
}

class Row {
  constructor(product, isCalm) {
    this.product = product;
    this.isCalm = isCalm;
    const badge = element("span", "badge");
    const name = element("th", "name", element("b", "", product.name), element("small", "", product.label), badge);
    name.scope = "row";
    const kinds = ["price", "price", "spread", "change", "age"];
    const [bid, ask, spread, day, ticked] = kinds.map((kind) => element("td", kind));
    this.node = element("tr", "", name, bid, ask, spread, day, ticked);
    this.node.dataset.product = product.name;
    this.node.setAttribute("aria-selected", "false");
    this.bid = new PriceCell(priceBox(bid));
    this.ask = new PriceCell(priceBox(ask));
    this.spread = new TextCell(spread);
    this.change = new TextCell(day);
    this.direction = new DataCell(day, "move");
    this.age = new TextCell(ticked);
    this.badge = new TextCell(badge);
    this.state = new DataCell(this.node, "state");
    this.paint(0);
  }

  paint(nowMs) {
    const {state, quote, digits, moves} = this.product;
    this.state.set(state);
    this.badge.set(STATE_WORDS[state] ?? state);
    if (quote === null) {
      this.age.set("–");
      return;
    }
    this.bid.set(quote.bid, digits, moves.bid, this.isCalm());
    this.ask.set(quote.ask, digits, moves.ask, this.isCalm());
    this.spread.set(spreadPoints(quote.bid, quote.ask));
    const [text, direction] = change(quote.mid, quote.midDayAgo);
    this.change.set(text);
    this.direction.set(direction);
    this.paintAge(nowMs);
  }

  paintAge(nowMs) {
    if (this.product.quote !== null) this.age.set(age(this.product.quote.timeMs, nowMs));
  }

  choose(isChosen) {
    this.node.setAttribute("aria-selected", String(isChosen));
  }
}

function priceBox(cell) {
  const box = element("span", "box");
  cell.append(box);
  return box;
}

function groupBody(title, rows) {
  const heading = element("th", "", title);
  heading.colSpan = 6;
  heading.scope = "rowgroup";
  return element("tbody", "", element("tr", "group", heading), ...rows.map((row) => row.node));
}
