/** Everything an account has, below the chart: positions, orders, history, log, and what it is worth. */

import {DataCell, TextCell} from "../cells.js";
import {Rows} from "../rows.js";
import {LOADING} from "./account.js";
import {HEIGHT, WIDTH, curveOf} from "./curve.js";
import {worthOf} from "./money.js";
import {ClosedRow, LogRow, OrderRow, PositionRow, writeHead} from "./tables.js";
import {signed} from "./words.js";

/** Lines of history and log that are on the page at once. */
const LINES_SHOWN = 100;
const TABLES = {
  positions: [PositionRow, true], orders: [OrderRow, true], history: [ClosedRow, false], events: [LogRow, false],
};
const WORTH = {balance: "balance", marginUsed: "margin", unrealised: "pnl", equity: "equity"};

export class Dock {
  #find;
  #rows = {};
  #counts = {};
  #nothing = {}; // what each table says when it is empty
  #words = {};
  #worth = {};

  /** `onAction(name, id)` is called for a button of a row. */
  constructor(find, {onAction}) {
    this.#find = find;
    for (const [name, [Row, hasActions]] of Object.entries(TABLES)) {
      writeHead(find(`${name}-head`), Row.columns, hasActions);
      this.#nothing[name] = find(`${name}-none`).textContent;
      this.#words[name] = new TextCell(find(`${name}-none`));
      this.#rows[name] = new Rows(find(`${name}-rows`), () => new Row());
      if (hasActions) this.#counts[name] = new TextCell(find(`${name}-count`));
      find(`${name}-rows`).addEventListener("click", ({target}) => {
        const button = target.closest("[data-action]");
        if (button !== null) onAction(button.dataset.action, button.closest("[data-id]").dataset.id);
      });
    }
    for (const name of Object.values(WORTH)) this.#worth[name] = new TextCell(find(`strip-${name}`));
    this.pnl = new DataCell(find("strip-pnl"), "move");
    this.total = new TextCell(find("history-total"));
  }

  /** What moves with prices. `quoteOf(product)` returns the last quote. */
  paintOpen(account, quoteOf) {
    const items = (trades) => trades.map((trade) => ({id: trade.id, trade, quote: quoteOf(trade.product)}));
    const {orders, positions} = account;
    this.#rows.positions.show(items(positions));
    this.#rows.orders.show(items(orders));
    this.#counts.positions.set(positions.length ? String(positions.length) : "");
    this.#counts.orders.set(orders.length ? String(orders.length) : "");
    const words = account.isKnown ? "" : LOADING;
    this.#paintNothing("positions", account, {isEmpty: positions.length === 0, words});
    this.#paintNothing("orders", account, {isEmpty: orders.length === 0, words});
    this.#paintWorth(account, {orders, positions}, quoteOf);
  }

  paintHistory(account) {
    const {closed, pastWords: words} = account;
    this.#rows.history.show(closed.slice(0, LINES_SHOWN).map((trade) => ({id: trade.id, trade})));
    this.#paintNothing("history", account, {isEmpty: closed.length === 0, words});
    const curve = curveOf(closed);
    this.#find("history-curve").hidden = curve === null;
    if (curve === null) return this.total.set("");
    const [line, zero] = [this.#find("curve-line"), this.#find("curve-zero")];
    line.setAttribute("d", curve.path);
    zero.setAttribute("d", `M0 ${curve.zero}H${WIDTH}`);
    this.#find("curve").setAttribute("viewBox", `0 -4 ${WIDTH} ${HEIGHT + 8}`);
    const trades = `${curve.count} closed ${curve.count === 1 ? "position" : "positions"}, ${curve.wins} with a profit`;
    return this.total.set(`${signed(curve.total)} BTC · ${trades}`);
  }

  paintLog(account) {
    const {log, pastWords: words} = account;
    this.#rows.events.show(log.slice(0, LINES_SHOWN).map((line) => ({id: String(line.offset), line})));
    this.#paintNothing("events", account, {isEmpty: log.length === 0, words});
  }

  /** In the place of rows: that there are none, or why that is not known. An account that cannot be had says so itself. */
  #paintNothing(name, {refusal}, {isEmpty, words}) {
    this.#find(`${name}-none`).hidden = !isEmpty || refusal !== "";
    this.#words[name].set(words || this.#nothing[name]);
  }

  /** Words in the place of the account where it cannot be had. */
  paintRefusal(account) {
    this.#find("dock-refusal").textContent = account.refusal;
    this.#find("dock-refusal").hidden = account.refusal === "";
  }

  #paintWorth(account, trades, quoteOf) {
    if (!account.isKnown) {
      for (const name of Object.values(WORTH)) this.#worth[name].set("–");
      return this.pnl.set(undefined);
    }
    const worth = worthOf({balance: account.balance, ...trades}, quoteOf);
    for (const [name, cell] of Object.entries(WORTH)) {
      this.#worth[cell].set(name === "unrealised" ? signed(String(worth[name])) : String(worth[name]));
    }
    return this.pnl.set(worth.unrealised.sign === 0 ? undefined : worth.unrealised.sign < 0 ? "down" : "up");
  }
}
