/** The dialogs about one order or position: edit, split, close, cancel. Each shows what will come of it before it is sent. */

import {TextCell} from "../cells.js";
import {counterpart, fieldsOf, judgeChanges} from "./changes.js";
import {fieldOf} from "./draft.js";
import {showProblems, textsOf} from "./fields.js";
import {CURRENCY, sizeOf, splitOf, unrealisedOf} from "./money.js";
import {signed} from "./words.js";

/** A dialog with a form, one trade it is about, and words about what came of it. */
class TradeDialog {
  /** `trade(action, params)` does it; `find(id)` finds the page's elements, whose ids begin with `name`. */
  constructor(name, {find, trade}) {
    this.name = name;
    this.part = (part) => find(`${name}-${part}`);
    this.find = find;
    this.trade = trade;
    this.dialog = find(name);
    this.title = new TextCell(this.part("title"));
    this.words = new TextCell(this.part("words"));
    this.outcome = new TextCell(this.part("outcome"));
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.part("dismiss").addEventListener("click", () => this.dialog.close());
  }

  get isOpen() {
    return this.dialog.open;
  }

  show(title) {
    this.title.set(title);
    this.outcome.set("");
    this.part("send").disabled = false;
    this.dialog.showModal();
  }

  async send(action, params) {
    const send = this.part("send");
    send.disabled = true;
    this.outcome.set("Sent; waiting for the answer …");
    try {
      await this.trade(action, params);
      this.dialog.close();
    } catch (error) {
      this.outcome.set(error.isUnknown ? "Nobody knows yet whether it was done: the table shows it when the server is back." : error.message);
      this.refused(error);
    } finally {
      send.disabled = false;
    }
  }

  refused() {}
}

export class EditDialog extends TradeDialog {
  #inputs;
  #subject = null; // {trade, context()}
  #resized = null;
  #judged = null;

  constructor(world) {
    super("edit", world);
    const names = ["price", "takeProfit", "stopLoss", "leverage", "margin"];
    this.#inputs = Object.fromEntries(names.map((name) => [name, this.part(name)]));
    this.part("form").addEventListener("input", ({target}) => this.#changed(target));
  }

  /** `context()` returns `{digits, terms, balance}` of the moment. */
  open(trade, context) {
    this.#subject = {trade, context};
    this.#resized = null;
    for (const [name, text] of Object.entries(fieldsOf(trade))) this.#inputs[name].value = text;
    const isOrder = trade.opened_at === undefined;
    this.part("price-field").hidden = !isOrder;
    this.show(`Edit ${isOrder ? `${trade.order_type} order` : "position"}: ${trade.base_size} ${CURRENCY} of ${trade.product}`);
    this.#paint();
    this.#inputs.takeProfit.focus();
  }

  submit() {
    this.#paint();
    if (this.#judged.params) this.send("update", this.#judged.params);
    else if (Object.keys(this.#judged.problems).length === 0) this.outcome.set("Nothing was changed.");
  }

  refused({code, message}) {
    const field = fieldOf(code);
    if (this.#inputs[field] !== undefined) showProblems(this.#inputs, this.find, {[field]: message});
  }

  #changed(input) {
    const other = {leverage: "margin", margin: "leverage"};
    const name = Object.keys(other).find((field) => this.#inputs[field] === input);
    if (name !== undefined) {
      this.#resized = name;
      this.#inputs[other[name]].value = counterpart(name, input.value.trim(), this.#subject.trade);
    }
    this.#paint();
  }

  #paint() {
    const {trade, context} = this.#subject;
    this.#judged = judgeChanges(trade, textsOf(this.#inputs), this.#resized, context());
    showProblems(this.#inputs, this.find, this.#judged.problems);
    const {margin, liquidation} = this.#judged;
    this.words.set(`Margin ${margin ?? "–"} ${CURRENCY} · liquidation at ${liquidation}`);
  }
}

export class SplitDialog extends TradeDialog {
  #trade = null;

  constructor(world) {
    super("split", world);
    this.part("ratio").addEventListener("input", () => this.#paint());
  }

  open(trade) {
    this.#trade = trade;
    this.part("ratio").value = "50";
    this.show(`Split ${trade.base_size} ${CURRENCY} of ${trade.product}`);
    this.#paint();
  }

  submit() {
    this.send("split", {id: this.#trade.id, ratio: `${this.#percent}:${100 - this.#percent}`});
  }

  get #percent() {
    return Number(this.part("ratio").value);
  }

  #paint() {
    const parts = splitOf(this.#trade, this.#percent);
    const told = parts.map(({amount, margin}) => `${sizeOf(amount).trimmed} ${CURRENCY} with a margin of ${margin}`);
    this.part("percent").textContent = `${this.#percent} : ${100 - this.#percent}`;
    this.words.set(told.join(" and "));
  }
}

/** Close a position, or cancel an order: one question before it is done. */
export class EndDialog extends TradeDialog {
  #ending = null;

  constructor(world) {
    super("end", world);
  }

  close(position, quoteOf) {
    this.#ending = {action: "close", trade: position, quoteOf};
    this.part("send").textContent = "Close the position";
    this.show(`Close ${position.base_size} ${CURRENCY} of ${position.product}`);
    this.paint();
  }

  cancel(order) {
    this.#ending = {action: "cancel", trade: order};
    this.part("send").textContent = "Cancel the order";
    this.show(`Cancel the ${order.order_type} order: ${order.base_size} ${CURRENCY} of ${order.product}`);
    this.paint();
  }

  /** What closing would bring moves with the market. */
  paint() {
    const {action, trade, quoteOf} = this.#ending;
    if (action === "cancel") return this.words.set(`Its margin of ${trade.margin} ${CURRENCY} is free again.`);
    const quote = quoteOf(trade.product);
    const pnl = unrealisedOf(trade, quote);
    if (pnl === undefined) return this.words.set("At the market.");
    return this.words.set(`At the market, now ${trade.side === "buy" ? quote.bid : quote.ask}: ${signed(String(pnl))} ${CURRENCY}`);
  }

  submit() {
    this.send(this.#ending.action, {id: this.#ending.trade.id});
  }
}
