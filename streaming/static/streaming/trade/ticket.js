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
/** What may lie below zero, and is then shown in the colour of a loss. */
const COLOURED = [...SIGNED, "free"];
/** The radio buttons of the page; what they say is asked of them, for a browser may restore them before we begin. */
const CHOICES = {side: ["buy", "sell"], type: ["market", "limit", "stop"], unit: ["contracts", "base"]};
const SIDE_WORDS = {buy: "Buy", sell: "Sell"};

export class Ticket {
  #find;
  #inputs;
  #unit = "contracts"; // of the size as it stands
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
    this.move = Object.fromEntries(COLOURED.map((name) => [name, new DataCell(find(`preview-${name}`), "move")]));
    this.#unit = this.#chosen.unit;
    this.#listen(onAgain);
  }

  /** Another product: its sizes stay, its prices do not; its leverage is within its bounds. */
  reset(maxLeverage) {
    const {leverage, price, takeProfit, stopLoss} = this.#inputs;
    for (const input of [price, takeProfit, stopLoss]) input.value = "";
    this.bound(maxLeverage);
    if (!leverage.value || Number(leverage.value) > Number(maxLeverage)) this.#setLeverage(maxLeverage);
    this.#touched.clear();
    this.#refusal = null;
    this.onChange();
  }

  /** How far the slider goes; a leverage beyond it stays as typed, and is said to be too high. */
  bound(maxLeverage) {
    this.#find("ticket-range").max = maxLeverage;
  }

  /** What a shortcut does: another side or type. */
  set(name, value) {
    for (const choice of CHOICES[name]) this.#find(`ticket-${name}-${choice}`).checked = choice === value;
    this.#refusal = null;
    if (name === "side") this.#inputs.size.focus();
    this.onChange();
  }

  paint() {
    const market = this.market();
    const draft = {...this.#chosen, ...textsOf(this.#inputs)};
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
    this.#find("ticket-again").hidden = !["missing", "lost"].includes(name);
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
      const isSigned = SIGNED.includes(name) || value?.sign < 0;
      this.#cells[name].set(value === undefined ? "–" : isSigned ? signed(String(value)) : String(value));
      this.move[name]?.set(isSigned && value?.sign ? (value.sign < 0 ? "down" : "up") : undefined);
    }
    const other = unit === "contracts" ? preview.size && `${preview.size.trimmed} ${CURRENCY}` : preview.amount && `${preview.amount} contracts`;
    this.#cells.other.set(other ? `= ${other}` : "");
  }

  /** Words at a field only once it was touched or filled: a page that begins with complaints is a bad host. */
  #paintProblems() {
    const isTold = ([name]) => this.#touched.has(name) || this.#inputs[name]?.value !== "";
    const shown = Object.fromEntries(Object.entries(this.#judged.problems).filter(isTold));
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
    form.addEventListener("change", ({target}) => target.type === "radio" && this.#chose());
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

  get #chosen() {
    const choice = ([name, values]) => [name, values.find((value) => this.#find(`ticket-${name}-${value}`).checked) ?? values[0]];
    return Object.fromEntries(Object.entries(CHOICES).map(choice));
  }

  #chose() {
    const {unit} = this.#chosen;
    if (unit !== this.#unit) this.#convert(unit);
    this.#refusal = null;
    this.onChange();
  }

  /** The same size in the other unit. */
  #convert(unit) {
    this.#unit = unit;
    const {size} = this.#inputs;
    const number = Exact.read(size.value.trim());
    if (number === undefined || number.sign < 0) return;
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
