/** The rows of the account's tables: positions, orders, what was closed, and the log. */

import {DataCell, TextCell, element} from "../cells.js";
import {utcClock, utcMinute} from "../format.js";
import {Exact} from "./exact.js";
import {resultOf} from "./curve.js";
import {marginRatioOf, pnlPercentOf, unrealisedOf} from "./money.js";
import {eventWords, signed} from "./words.js";

const SIDES = {buy: "Long", sell: "Short"};
const REASONS = {manual: "by hand", take_profit: "take profit", stop_loss: "stop loss", liquidation: "liquidation"};

/** A row of cells with names; each says its name on narrow screens, where there are no columns. */
class Row {
  constructor(columns, actions = []) {
    this.cells = {};
    this.moves = {};
    this.node = element("tr", "");
    for (const [name, label, isFirst] of columns) {
      const cell = element(isFirst ? "th" : "td", name);
      if (isFirst) cell.scope = "row";
      cell.dataset.label = label;
      this.node.append(cell);
      this.cells[name] = new TextCell(cell);
      this.moves[name] = new DataCell(cell, "move");
    }
    this.buttons = actions.map(([name, words]) => button(name, words));
    if (actions.length) this.node.append(element("td", "acts", ...this.buttons));
  }

  set(texts) {
    for (const [name, text] of Object.entries(texts)) this.cells[name].set(text);
  }

  /** An amount with its sign and the colour of its side. */
  setSigned(name, number, tail = "") {
    this.cells[name].set(number === undefined ? "–" : signed(String(number)) + tail);
    this.moves[name].set(number === undefined || number.sign === 0 ? undefined : number.sign < 0 ? "down" : "up");
  }

  /** Buttons say which row they are of, also to those who do not see it. */
  name(id, words) {
    this.node.dataset.id = id;
    for (const node of this.buttons) node.setAttribute("aria-label", `${node.textContent} ${words}`);
  }
}

export class PositionRow extends Row {
  static columns = [
    ["product", "Product", true], ["side", "Side"], ["size", "Size"], ["entry", "Entry"], ["now", "Now"], ["pnl", "P&L"],
    ["percent", "P&L %"], ["margin", "Margin"], ["ratio", "Margin left"], ["liquidation", "Liq."], ["profit", "TP"], ["loss", "SL"],
  ];

  constructor() {
    super(PositionRow.columns, [["edit", "Edit"], ["split", "Split"], ["close", "Close"]]);
  }

  /** `{id, trade, quote}`; without a quote what it is worth is not known. */
  paint({id, trade, quote}) {
    if (this.node.dataset.id !== id) this.name(id, `${SIDES[trade.side]} ${trade.product}`);
    this.set({
      product: trade.product, side: SIDES[trade.side], size: trade.base_size, entry: trade.price, margin: trade.margin,
      liquidation: trade.liquidation_price, profit: trade.take_profit ?? "–", loss: trade.stop_loss ?? "–",
      now: quote ? (trade.side === "buy" ? quote.bid : quote.ask) : "–",
    });
    this.moves.side.set(trade.side === "buy" ? "up" : "down");
    const pnl = unrealisedOf(trade, quote);
    this.setSigned("pnl", pnl);
    this.setSigned("percent", pnl && pnlPercentOf({pnl, margin: Exact.of(trade.margin)}).round(2, "half-up"), " %");
    this.cells.ratio.set(pnl ? `${marginRatioOf(trade, pnl)} %` : "–");
  }
}

export class OrderRow extends Row {
  static columns = [
    ["product", "Product", true], ["side", "Side"], ["kind", "Type"], ["size", "Size"], ["entry", "Price"], ["now", "Now"], ["margin", "Margin"],
    ["leverage", "Leverage"], ["profit", "TP"], ["loss", "SL"], ["until", "Valid until"],
  ];

  constructor() {
    super(OrderRow.columns, [["edit", "Edit"], ["cancel", "Cancel"]]);
  }

  paint({id, trade, quote}) {
    if (this.node.dataset.id !== id) this.name(id, `${trade.order_type} ${trade.side} ${trade.product}`);
    this.set({
      product: trade.product, side: trade.side === "buy" ? "Buy" : "Sell", kind: trade.order_type, size: trade.base_size,
      entry: trade.price, now: quote ? (trade.side === "buy" ? quote.ask : quote.bid) : "–", margin: trade.margin,
      leverage: `${trade.leverage}×`, profit: trade.take_profit ?? "–", loss: trade.stop_loss ?? "–",
      until: trade.valid_until ? utcMinute(trade.valid_until) : "cancelled",
    });
    this.moves.side.set(trade.side === "buy" ? "up" : "down");
  }
}

export class ClosedRow extends Row {
  static columns = [
    ["when", "Closed"], ["product", "Product", true], ["side", "Side"], ["size", "Size"], ["entry", "Entry"], ["exit", "Exit"],
    ["pnl", "P&L"], ["percent", "P&L %"], ["decay", "Decay"], ["result", "Result"], ["reason", "By"],
  ];

  constructor() {
    super(ClosedRow.columns);
  }

  paint({id, trade}) {
    this.node.dataset.id = id;
    this.set({
      when: utcMinute(trade.closed_at), product: trade.product, side: SIDES[trade.side], size: trade.base_size, entry: trade.price,
      exit: trade.close_price, decay: String(Exact.of(trade.decay).round(8, "down")), reason: REASONS[trade.reason] ?? trade.reason,
    });
    this.setSigned("pnl", Exact.of(trade.pnl));
    this.setSigned("percent", Exact.of(trade.pnl_percent).round(2, "half-up"), " %");
    this.setSigned("result", resultOf(trade).round(8, "down"));
  }
}

export class LogRow extends Row {
  static columns = [["offset", "Offset", true], ["when", "Time"], ["event", "Event"], ["words", "What"]];

  constructor() {
    super(LogRow.columns);
  }

  paint({line: {name, data, offset}}) {
    const timeMs = data.closed_at ?? data.updated_at ?? data.opened_at ?? data.created_at;
    this.set({offset: String(offset), when: timeMs ? utcClock(timeMs) : "", event: name, words: eventWords({name, data})});
  }
}

/** Write a table's head from its row's columns. */
export function writeHead(head, columns, hasActions) {
  const cells = columns.map(([name, label]) => {
    const cell = element("th", name, label);
    cell.scope = "col";
    return cell;
  });
  const actions = hasActions ? [element("td", "acts")] : [];
  head.append(element("tr", "", ...cells, ...actions));
}

function button(name, words) {
  const made = element("button", "act", words);
  made.type = "button";
  made.dataset.action = name;
  return made;
}
