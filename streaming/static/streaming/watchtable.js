/** The table of quotes: groups, rows, favourites, search, and the chosen row. */

import {DataCell, PriceCell, TextCell, element} from "./cells.js";
import {nameAfterKey} from "./choice.js";
import {age, change, spreadPoints} from "./format.js";
import {matches} from "./market.js";
import {sparkPoints} from "./spark.js";

const FAVOURITES = "Favourites";
const SVG = "http://www.w3.org/2000/svg";
const STATE_WORDS = {open: "", stale: "stale", closed: "closed", halted: "halted"};

export class WatchTable {
  #rows = new Map(); // product name -> Row, in the order shown
  #groups = new Map(); // title -> tbody, favourites first
  #chosen = null;
  #filter = "";

  /**
   * `onChoose(name)` is called for a click or a key, `onMark(name)` for a click on a star; call `choose(name)` and
   * `mark(names)` to show what came of it.
   */
  constructor(table, {onChoose, onMark = () => {}, lights}) {
    this.table = table;
    this.lights = lights;
    this.onChoose = onChoose;
    table.addEventListener("keydown", (event) => this.#pressed(event));
    table.addEventListener("click", (event) => {
      const row = event.target.closest("[data-product]");
      if (row === null) return;
      if (event.target.closest("[data-star]") !== null) onMark(row.dataset.product);
      else onChoose(row.dataset.product);
    });
  }

  build(products) {
    this.#groups.set(FAVOURITES, groupBody(FAVOURITES));
    for (const product of products) {
      if (!this.#groups.has(product.group)) this.#groups.set(product.group, groupBody(product.group));
      this.#rows.set(product.name, new Row(product, this.lights));
    }
    this.table.append(...this.#groups.values());
    this.mark([]);
  }

  /** Show these products as favourites, above all others. */
  mark(names) {
    const first = names.map((name) => this.#rows.get(name)).filter((row) => row !== undefined);
    const others = [...this.#rows.values()].filter((row) => !first.includes(row));
    for (const row of first) this.#groups.get(FAVOURITES).append(row.node);
    for (const row of others) this.#groups.get(row.product.group).append(row.node);
    for (const row of this.#rows.values()) row.mark(first.includes(row));
    this.#rows = new Map([...first, ...others].map((row) => [row.product.name, row]));
    this.filter(this.#filter);
  }

  isMarked(name) {
    return this.#rows.get(name)?.isMarked ?? false;
  }

  /** Take a product's closes of the last day, oldest first. */
  spark(name, closes) {
    this.#rows.get(name)?.spark(closes);
  }

  /** From now on only rows in sight move; call `onSight(name)` when one comes into sight. */
  watch(Observer, onSight) {
    const observer = new Observer((entries) => {
      for (const {target, isIntersecting} of entries) {
        const {product} = target.dataset;
        this.#rows.get(product).isInSight = isIntersecting;
        if (isIntersecting) onSight(product);
      }
    });
    for (const {node} of this.#rows.values()) observer.observe(node);
  }

  /** Show a product as it is now. A row out of sight is left to `paintAll`. */
  paint(product, nowMs) {
    const row = this.#rows.get(product.name);
    if (row.isInSight) row.paint(nowMs);
  }

  /** Show all products, and what changes with the seconds: ages, and the end of each line. */
  paintAll(nowMs) {
    for (const row of this.#rows.values()) {
      row.paint(nowMs);
      row.paintSpark();
    }
  }

  choose(name) {
    this.#rows.get(this.#chosen)?.choose(false);
    this.#chosen = name;
    this.#rows.get(name).choose(true);
    this.#keepOneTabStop();
  }

  /** Show only what matches; return how many do. */
  filter(text) {
    this.#filter = text;
    const shownGroups = new Set();
    for (const row of this.#rows.values()) {
      row.node.hidden = !matches(row.product, text);
      if (!row.node.hidden) shownGroups.add(row.isMarked ? FAVOURITES : row.product.group);
    }
    for (const [title, body] of this.#groups) body.hidden = !shownGroups.has(title);
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
  constructor(product, lights) {
    this.product = product;
    const badge = element("span", "badge");
    this.star = element("button", "star");
    this.star.type = "button";
    this.star.tabIndex = -1; // the row is the stop of the Tab key; F marks it
    this.star.dataset.star = "";
    const name = element("th", "name", this.star, element("b", "", product.name), element("small", "", product.label), badge);
    name.scope = "row";
    const kinds = ["price", "price", "spread", "change", "spark", "age"];
    const [bid, ask, spread, day, line, ticked] = kinds.map((kind) => element("td", kind));
    this.node = element("tr", "", name, bid, ask, spread, day, line, ticked);
    this.line = sparkLine(line);
    this.node.dataset.product = product.name;
    this.node.setAttribute("aria-selected", "false");
    this.bid = new PriceCell(priceBox(bid), lights);
    this.ask = new PriceCell(priceBox(ask), lights);
    this.spread = new TextCell(figureBox(spread));
    this.change = new TextCell(figureBox(day));
    this.direction = new DataCell(day, "move");
    this.age = new TextCell(figureBox(ticked));
    this.badge = new TextCell(badge);
    this.state = new DataCell(this.node, "state");
    this.closes = null;
    this.isInSight = true;
    this.mark(false);
    this.paint(0);
  }

  mark(isMarked) {
    this.isMarked = isMarked;
    this.star.setAttribute("aria-pressed", String(isMarked));
    this.star.setAttribute("aria-label", `${this.product.name} as a favourite`);
  }

  spark(closes) {
    this.closes = closes;
    this.paintSpark();
  }

  /** The day's hours, and now. */
  paintSpark() {
    const mid = this.product.quote?.mid;
    if (this.closes === null || mid === undefined) return;
    this.line.setAttribute("points", sparkPoints([...this.closes, mid]));
  }

  paint(nowMs) {
    const {state, quote, digits, moves} = this.product;
    this.state.set(state);
    this.badge.set(STATE_WORDS[state] ?? state);
    if (quote === null) {
      for (const cell of [this.spread, this.change, this.age]) cell.set("–");
      return;
    }
    this.bid.set(quote.bid, digits, moves.bid);
    this.ask.set(quote.ask, digits, moves.ask);
    this.spread.set(spreadPoints(quote.bid, quote.ask));
    const [text, direction] = change(quote.mid, quote.midDayAgo);
    this.change.set(text);
    this.direction.set(direction);
    this.age.set(age(quote.timeMs, nowMs));
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

/** A place of a fixed size in a cell: what is written there lays out nothing else. */
function figureBox(cell) {
  const box = element("div", "figure");
  cell.append(box);
  return box;
}

function sparkLine(cell) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 48 16");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "polyline");
  picture.append(line);
  cell.append(picture);
  return line;
}

function groupBody(title) {
  const heading = element("th", "", title);
  heading.scope = "rowgroup";
  return element("tbody", "", element("tr", "group", heading));
}
