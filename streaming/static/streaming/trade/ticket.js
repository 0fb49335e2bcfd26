/** The order ticket: what is asked for, what will come of it, and what came of it. */

import {DataCell, TextCell} from "../cells.js";
import {Exact} from "./exact.js";
import {blockedBy, fieldOf, judge} from "./draft.js";
import {showProblems, textsOf} from "./fields.js";
import {CURRENCY, amountOf, sizeOf} from "./money.js";
import {signed} from "./words.js";

const FIELDS = ["size", "leverage", "price", "takeProfit", "stopLoss", "validUntil"];
const PREVIEW = ["margin", "liquidation", "cost", "decay", "free", "atProfit", "atLoss"];
const SIGNED = ["cost", "atProfit", "atLoss"];
const SIDE_WORDS = {buy: "Buy", sell: "Sell"};

export class Ticket {
  #find;
  #inputs;
  #choice = {side: "buy", type: "market", unit: "contracts"};
  #touched = new Set();
  #refusal = null; // {field, words} of the last answer, until that field is changed
  #cells = {};
  #judged = null;

  /**
   * `market()` returns what an order is judged against, `situation()` what may block it; `onChange()` is called when it
   * wants to be painted, `onSend(params)` when an order is to be sent, `onAgain()` to send the last one once more.
   */
  constructor(find, {market, situation, onChange, onSend, onAgain}) {
    Object.assign(this, {market, situation, onChange, onSend});
    this.#find = find;
    this.#inputs = Object.fromEntries(FIELDS.map((name) => [name, find(`ticket-${name}`)]));
    for (const name of PREVIEW) this.#cells[name] = new TextCell(find(`preview-${name}`));
    for (const name of ["words", "blocked", "other", "outcome"]) this.#cells[name] = new TextCell(find(`ticket-${name}`));
    this.move = Object.fromEntries(SIGNED.map((name) => [name, new DataCell(find(`preview-${name}`), "move")]));
    this.#listen(onAgain);
  }

  /** Another product: its sizes stay, its prices do not; its leverage is within its bounds. */
  reset(maxLeverage) {
    const {leverage, price, takeProfit, stopLoss} = this.#inputs;
    for (const input of [price, takeProfit, stopLoss]) input.value = "";
    this.#find("ticket-range").max = maxLeverage;
    if (!leverage.value || Number(leverage.value) > Number(maxLeverage)) this.#setLeverage(maxLeverage);
    this.#touched.clear();
    this.#refusal = null;
    this.onChange();
  }

  /** What a shortcut does: another side or type. */
  set(name, value) {
    this.#choice[name] = value;
    this.#find(`ticket-${name}-${value}`).checked = true;
    this.#refusal = null;
    if (name === "side") this.#inputs.size.focus();
    this.onChange();
  }

  /** A price that was clicked goes where a price is wanted. */
  paint() {
    const market = this.market();
    const draft = {...this.#choice, ...textsOf(this.#inputs)};
    this.#judged = judge(draft, market);
    const blocked = blockedBy(this.situation());
    const isPending = draft.type !== "market";
    for (const name of ["price", "validUntil"]) this.#find(`ticket-${name}-field`).hidden = !isPending;
    this.#paintPreview(draft);
    this.#paintProblems();
    this.#cells.blocked.set(blocked);
    this.#find("ticket-blocked").hidden = blocked === "";
    const send = this.#find("ticket-send");
    send.disabled = blocked !== "" || this.situation().isBusy;
    send.dataset.side = draft.side;
    this.#cells.words.set(this.#words(draft, market));
  }

  /** Show what became of an order: a state of sender.js. */
  tell({name, text, error}) {
    this.#cells.outcome.set(name === "idle" || name === "done" ? "" : text);
    this.#find("ticket-outcome").dataset.kind = name;
    this.#find("ticket-again").hidden = name !== "missing";
    const field = error ? fieldOf(error.code) : "";
    this.#refusal = field ? {field, words: text} : null;
    if (field) this.#inputs[field]?.focus();
    if (name === "done") this.#touched.clear();
    this.onChange();
  }

  #words({side, type}, {product}) {
    const {size, entry} = this.#judged.preview;
    const what = size ? `${size.trimmed} ${CURRENCY} ` : "";
    const at = type === "market" ? "" : ` ${type}${entry ? ` ${entry}` : ""}`;
    return `${SIDE_WORDS[side]} ${what}${product.name}${at}`;
  }

  #paintPreview({unit}) {
    const {preview} = this.#judged;
    for (const name of PREVIEW) {
      const value = preview[name];
      const text = value === undefined ? "–" : SIGNED.includes(name) ? signed(String(value)) : String(value);
      this.#cells[name].set(text);
      this.move[name]?.set(value === undefined || value.sign === 0 ? undefined : value.sign < 0 ? "down" : "up");
    }
    const other = unit === "contracts" ? preview.size && `${preview.size.trimmed} ${CURRENCY}` : preview.amount && `${preview.amount} contracts`;
    this.#cells.other.set(other ? `= ${other}` : "");
  }

  /** Words at a field only once it was touched: a page that begins with complaints is a bad host. */
  #paintProblems() {
    const shown = Object.fromEntries(Object.entries(this.#judged.problems).filter(([name]) => this.#touched.has(name)));
    if (this.#refusal) shown[this.#refusal.field] ??= this.#refusal.words;
    showProblems(this.#inputs, this.#find, shown);
  }

  #listen(onAgain) {
    const form = this.#find("ticket");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.addEventListener("input", ({target}) => this.#changed(target));
    form.addEventListener("change", ({target}) => this.#chosen(target));
    this.#find("ticket-again").addEventListener("click", onAgain);
  }

  #changed(input) {
    if (input === this.#find("ticket-range")) this.#setLeverage(input.value);
    else if (input === this.#inputs.leverage) this.#find("ticket-range").value = input.value;
    const name = FIELDS.find((field) => this.#inputs[field] === input) ?? (input === this.#find("ticket-range") ? "leverage" : "");
    if (name) this.#touched.add(name);
    if (this.#refusal?.field === name) this.#refusal = null;
    this.onChange();
  }

  #chosen({type, name, value}) {
    if (type !== "radio") return;
    const field = name.replace("ticket-", "");
    if (field === "unit") this.#convert(value);
    this.#choice[field] = value;
    this.#refusal = null;
    this.onChange();
  }

  /** The same size in the other unit. */
  #convert(unit) {
    const {size} = this.#inputs;
    const number = Exact.read(size.value.trim());
    if (unit === this.#choice.unit || number === undefined || number.sign < 0) return;
    if (unit === "contracts") size.value = amountOf(number) ?? "";
    else if (!number.trimmed.includes(".")) size.value = sizeOf(number.trimmed).trimmed;
  }

  #setLeverage(text) {
    this.#inputs.leverage.value = text;
    this.#find("ticket-range").value = text;
  }

  #submit() {
    for (const name of FIELDS) this.#touched.add(name);
    this.paint();
    const {params, problems} = this.#judged;
    const first = FIELDS.find((name) => problems[name]);
    if (first) this.#inputs[first].focus();
    else if (params && !this.#find("ticket-send").disabled) this.onSend(params);
  }
}
