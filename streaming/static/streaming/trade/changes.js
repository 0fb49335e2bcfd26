/** What does an edit of an order or a position ask for, and what is wrong with it? No DOM in here. */

import {Exact} from "./exact.js";
import {readExits, readLeverage, readPrice} from "./draft.js";
import {CURRENCY, MONEY_PLACES, leverageOf, liquidationOf, marginOf} from "./money.js";

/** The fields of an edit as they stand before anybody has touched them. */
export function fieldsOf(trade) {
  return {
    price: trade.price, takeProfit: trade.take_profit ?? "", stopLoss: trade.stop_loss ?? "",
    leverage: trade.leverage, margin: trade.margin,
  };
}

/** Leverage and margin are two names of one thing: return what the other one is; "" where that cannot be told. */
export function counterpart(field, text, {base_size}) {
  const number = Exact.read(text);
  const size = Exact.of(base_size);
  if (number === undefined || number.sign <= 0) return "";
  return field === "leverage" ? String(marginOf({size, leverage: number})) : leverageOf({size, margin: number}).trimmed;
}

/**
 * Judge an edit: `fields` as `fieldsOf` names them, `resized` which of leverage and margin was touched last. Return
 * `{problems, params, margin, liquidation}`; `params` is null where something is wrong or nothing was changed.
 */
export function judgeChanges(trade, fields, resized, {digits, terms, balance}) {
  const problems = {};
  const isOrder = trade.type === "pending" && trade.opened_at === undefined;
  const before = fieldsOf(trade);
  const size = Exact.of(trade.base_size);
  const entry = isOrder ? readPrice(fields.price, digits, "price", problems) : Exact.of(trade.price);
  const margin = readMargin(trade, fields, resized, {isOrder, terms, balance}, problems);
  const isResized = margin !== undefined && margin.compare(Exact.of(trade.margin)) !== 0;
  const isMoved = entry !== undefined && entry.compare(Exact.of(trade.price)) !== 0;
  const liquidation = entry && margin && (isResized || isMoved) && terms.fraction
    ? liquidationOf({side: trade.side, entry, size, margin, fraction: terms.fraction, digits})
    : Exact.of(trade.liquidation_price);
  readExits({...fields, side: trade.side}, {entry, liquidation, digits}, problems);
  const params = {
    ...(isMoved && {price: fields.price}),
    ...(fields.takeProfit !== before.takeProfit && {take_profit: fields.takeProfit || "0"}),
    ...(fields.stopLoss !== before.stopLoss && {stop_loss: fields.stopLoss || "0"}),
    ...(isResized && {[resized]: fields[resized]}),
  };
  const isReady = Object.keys(problems).length === 0 && Object.keys(params).length > 0;
  return {problems, params: isReady ? {id: trade.id, ...params} : null, margin, liquidation};
}

function readMargin(trade, fields, resized, {isOrder, terms, balance}, problems) {
  const now = Exact.of(trade.margin);
  if (resized === null) return now;
  const margin = resized === "margin" ? typedMargin(trade, fields, terms, problems) : leveraged(trade, fields, terms, problems);
  if (margin === undefined) return undefined;
  if (!isOrder && margin.compare(now) < 0) {
    problems[resized] = resized === "margin" ? "A position's margin can only be raised" : "A position's leverage can only be lowered";
  } else if (balance !== null && margin.minus(now).compare(Exact.of(balance)) > 0) {
    problems[resized] = `${margin.minus(now)} ${CURRENCY} more than is free: ${balance} ${CURRENCY}`;
  }
  return margin;
}

function leveraged({base_size}, {leverage}, terms, problems) {
  const number = readLeverage(leverage, terms, problems);
  return number && marginOf({size: Exact.of(base_size), leverage: number});
}

function typedMargin({base_size}, {margin}, terms, problems) {
  const size = Exact.of(base_size);
  const lowest = marginOf({size, leverage: Exact.of(terms.maxLeverage)});
  const number = Exact.read(margin);
  const isWithin = number !== undefined && number.compare(lowest) >= 0 && number.compare(size) <= 0;
  if (!isWithin || number.round(MONEY_PLACES, "down").compare(number) !== 0) {
    return void (problems.margin = `${lowest} to ${size.trimmed}, with at most 8 decimal places`);
  }
  return number;
}
