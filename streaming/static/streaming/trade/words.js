/** How is what happened to an account said in words? Events of the stream in, sentences out; no DOM in here. */

import {CURRENCY} from "./money.js";

const REASONS = {manual: "by hand", take_profit: "by take profit", stop_loss: "by stop loss", liquidation: "by liquidation"};
const BOUGHT = {buy: "Bought", sell: "Sold"};

/** One line for the log, for every event of an account. */
export function eventWords({name, data}) {
  return WORDS[name]?.(data) ?? name;
}

/**
 * What of it is told at once, and read aloud: `{text, kind}`; `kind` is good, bad or plain. Undefined for what goes with
 * something that is told, or was asked for by changing it.
 */
export function notice({name, data}) {
  if (!["position:new", "position:close", "position:split", "order:cancel"].includes(name) && !isPending(name, data)) return undefined;
  const isLoss = name === "position:close" && data.pnl.startsWith("-");
  const kind = name === "position:close" ? (isLoss ? "bad" : "good") : "plain";
  return {text: eventWords({name, data}), kind};
}

/** "+2.84281590" or "−2.84281590": a figure that says on which side of zero it is. */
export function signed(text) {
  if (/^-?[0.]+$/.test(text)) return text.replace("-", "");
  return text.startsWith("-") ? `−${text.slice(1)}` : `+${text}`;
}

const isPending = (name, data) => name === "order:new" && data.type === "pending";
const what = ({base_size, product}) => `${base_size} ${CURRENCY} of ${product}`;

const WORDS = {
  "order:new": (order) => {
    if (order.type === "market") return `Market order to ${order.side} ${what(order)} at ${order.price}`;
    return `${capital(order.order_type)} order to ${order.side} ${what(order)} at ${order.price}`;
  },
  "order:update": (order) => `Order changed: ${order.order_type ?? order.type} to ${order.side} ${what(order)} at ${order.price}`,
  "order:activate": ({product}) => `Order filled: ${product}`,
  "order:cancel": ({product}) => `Order cancelled: ${product}`,
  "position:new": (position) => `${BOUGHT[position.side]} ${what(position)} at ${position.price}`,
  "position:update": (position) => `Position changed: ${what(position)}${exits(position)}`,
  "position:split": ({first_position: one, second_position: other}) =>
    `Position split: ${one.product} into ${one.base_size} and ${other.base_size} ${CURRENCY}`,
  "position:close": (position) =>
    `Closed ${REASONS[position.reason] ?? position.reason}: ${what(position)} at ${position.close_price}, ${signed(position.pnl)} ${CURRENCY}`,
  balance: ({BTC}) => `Free balance ${BTC} ${CURRENCY}`,
};

function exits({take_profit: profit, stop_loss: loss}) {
  return `${profit ? `, take profit ${profit}` : ""}${loss ? `, stop loss ${loss}` : ""}`;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

/** What to say when an account's log goes on after a reconnect. */
export function returnWords({environment, recovered, missed}) {
  const account = `The ${environment} account`;
  if (!recovered) return `${account} could not be resumed: it is shown anew from a snapshot.`;
  if (missed === 0) return `${account} missed nothing.`;
  return `${account}: ${missed} missed ${missed === 1 ? "event has" : "events have"} been read.`;
}
