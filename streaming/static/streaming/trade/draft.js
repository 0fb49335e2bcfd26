/** What is wrong with an order before it is sent, and what will come of it? Texts of the ticket in; no DOM in here. */

import {Exact} from "./exact.js";
import {CURRENCY, amountOf, decayPeriodOf, liquidationOf, marginOf, pnlOf, sizeOf} from "./money.js";

/** As engine/checks.py: no price is above it. */
const PRICE_MAX = Exact.of("400000000");
const ONE = Exact.of("1");
/** Where a pending order's price lies. */
const SIDES = {buy: {limit: "at or below", stop: "above"}, sell: {limit: "at or above", stop: "below"}};

/**
 * Judge a ticket. `draft` is `{side, type, unit, size, leverage, price, takeProfit, stopLoss, validUntil}`, all texts:
 * `type` market, limit or stop, `unit` contracts or base. `market` is `{product, terms, quote, balance, nowMs}`.
 *
 * Return `{problems, preview, params}`: words by field; what comes of it, as far as that can be told; and, where nothing
 * is wrong, the parameters of the trade call.
 */
export function judge(draft, market) {
  const problems = {};
  const size = readSize(draft, market, problems);
  const leverage = readLeverage(draft.leverage, market.terms, problems);
  const entry = readEntry(draft, market, problems);
  const margin = size && leverage && marginOf({size, leverage});
  if (margin?.sign === 0) problems.size = "The margin would be less than a satoshi";
  if (margin && market.balance !== null && margin.compare(Exact.of(market.balance)) > 0) {
    problems.size ??= `The margin of ${margin} ${CURRENCY} is more than is free: ${market.balance} ${CURRENCY}`;
  }
  const isWhole = size && leverage && entry && margin.sign > 0;
  const liquidation = isWhole ? liquidated(draft.side, {entry, size, margin}, market) : undefined;
  const exits = readExits(draft, {entry, liquidation, digits: market.product.digits}, problems);
  const validUntil = readValidUntil(draft, market.nowMs, problems);
  const preview = isWhole ? previewOf(draft, {size, leverage, entry, margin, liquidation, ...exits}, market) : {};
  if (size && !problems.size) preview.amount = amountOf(size);
  if (size) preview.size = size;
  return {
    problems, preview,
    params: Object.keys(problems).length || !isWhole ? null : paramsOf(draft, {size, validUntil}, market),
  };
}

/** Why no order can be sent just now, in words; "" when one can. */
export function blockedBy({connection, account, product, environment}) {
  const name = environment === "live" ? "live" : "demo";
  if (connection === "stale") return "No heartbeat: prices may be old. Trading waits until the server is heard again.";
  if (connection !== "live") return "Not connected: nothing can be sent.";
  if (account.refusal) return account.refusal;
  if (!account.isKnown) return `The ${name} account is being loaded.`;
  if (product.state === "closed") return `${product.name} does not trade at this hour.`;
  if (product.state === "halted") return `Trading in ${product.name} is halted.`;
  if (product.state === "stale") return `The price of ${product.name} is old: its feed is silent. Orders are refused until it speaks again.`;
  if (product.quote === null) return `${product.name} has no price yet.`;
  return "";
}

/** Which field of the ticket a refusal of the server belongs to; "" where it is the whole order's. */
export function fieldOf(code) {
  return FIELDS[code] ?? "";
}

const FIELDS = {
  size_out_of_bounds: "size", insufficient_balance: "size", leverage_not_allowed: "leverage", margin_not_allowed: "margin",
  invalid_price: "price", price_off_tick: "price", price_wrong_side: "price", invalid_take_profit: "takeProfit",
  invalid_stop_loss: "stopLoss", valid_until_past: "validUntil",
};

function readSize({unit, size}, {terms}, problems) {
  if (size === "") return void (problems.size = "How much?");
  const number = Exact.read(size);
  if (number === undefined || number.sign < 0) return void (problems.size = "A plain number, such as 1 or 0.5");
  if (unit === "contracts" && number.trimmed.includes(".")) return void (problems.size = "Contracts are whole");
  const base = unit === "contracts" ? sizeOf(number.trimmed) : number;
  if (amountOf(base) === undefined) return void (problems.size = `One contract is 0.001 ${CURRENCY}: at most 3 places`);
  if (base.sign === 0) return void (problems.size = "At least one contract");
  if (base.compare(Exact.of(terms.maxSize)) > 0) {
    problems.size = `At most ${terms.maxSize} ${CURRENCY}`;
  }
  return base;
}

export function readLeverage(text, {maxLeverage}, problems) {
  const number = Exact.read(text);
  const isWithin = number !== undefined && number.compare(ONE) >= 0 && number.compare(Exact.of(maxLeverage)) <= 0;
  if (!isWithin || number.trimmed.replace(/^\d+\.?/, "").length > 2) {
    return void (problems.leverage = `1 to ${maxLeverage}, with at most 2 decimal places`);
  }
  return number;
}

function readEntry({type, side, price}, {product, quote}, problems) {
  const current = quote && Exact.of(side === "buy" ? quote.ask : quote.bid);
  if (type === "market") return current ?? undefined;
  const entry = readPrice(price, product.digits, "price", problems);
  if (!entry || !current) return entry;
  const isBetter = side === "buy" ? entry.compare(current) <= 0 : entry.compare(current) >= 0;
  if (isBetter !== (type === "limit")) problems.price = `A ${type} to ${side} lies ${SIDES[side][type]} the market, ${current}`;
  return entry;
}

/** Read a price with at most the product's digits; undefined, and words at `field`, for what is none. */
export function readPrice(text, digits, field, problems) {
  if (text === "") return void (problems[field] = "At which price?");
  const number = Exact.read(text);
  if (number === undefined || number.sign <= 0 || number.compare(PRICE_MAX) > 0) {
    return void (problems[field] = "A price above zero, in plain digits");
  }
  const rounded = number.round(digits, "down");
  if (rounded.compare(number) !== 0) return void (problems[field] = `At most ${digits} decimal places`);
  return rounded;
}

/** Read take profit and stop loss, each where it is set, and see that they lie on their sides. */
export function readExits({side, takeProfit, stopLoss}, {entry, liquidation, digits}, problems) {
  const [profit, loss] = [
    takeProfit ? readPrice(takeProfit, digits, "takeProfit", problems) : undefined,
    stopLoss ? readPrice(stopLoss, digits, "stopLoss", problems) : undefined,
  ];
  const sign = side === "buy" ? 1 : -1;
  if (profit && entry && sign * profit.compare(entry) <= 0) {
    problems.takeProfit = `${side === "buy" ? "Above" : "Below"} the price ${entry}`;
  }
  if (loss && entry && liquidation && !(sign * loss.compare(entry) < 0 && sign * loss.compare(liquidation) > 0)) {
    problems.stopLoss = `Between the price ${entry} and the liquidation ${liquidation}`;
  }
  return {profit, loss};
}

/** "2026-11-25T18:00" -> ms, UTC. */
function readValidUntil({type, validUntil}, nowMs, problems) {
  if (type === "market" || !validUntil) return undefined;
  const timeMs = Date.parse(`${validUntil}Z`);
  if (!Number.isFinite(timeMs)) return void (problems.validUntil = "A date and a time, UTC");
  if (timeMs <= nowMs) problems.validUntil = "That time has passed";
  return timeMs;
}

function liquidated(side, {entry, size, margin}, {product, terms}) {
  if (terms.fraction === undefined) return undefined;
  return liquidationOf({side, entry, size, margin, fraction: terms.fraction, digits: product.digits});
}

function previewOf({side, type}, {size, entry, margin, liquidation, profit, loss}, {quote, terms, balance}) {
  const at = (close) => close && pnlOf({side, size, entry, close});
  const closing = type === "market" && quote ? Exact.of(side === "buy" ? quote.bid : quote.ask) : undefined;
  return {
    entry, margin, liquidation,
    cost: closing ? at(closing) : undefined,
    decay: decayPeriodOf({rate: Exact.of(terms.decayRate), size}),
    free: balance === null ? undefined : Exact.of(balance).minus(margin),
    atProfit: at(profit), atLoss: at(loss),
  };
}

function paramsOf(draft, {size, validUntil}, {product}) {
  const {side, type, leverage, price, takeProfit, stopLoss} = draft;
  return {
    product: product.name, side, type, leverage, amount: Number(amountOf(size)), base_currency: CURRENCY,
    ...(type !== "market" && {price}),
    ...(takeProfit && {take_profit: takeProfit}),
    ...(stopLoss && {stop_loss: stopLoss}),
    ...(validUntil !== undefined && {valid_until: validUntil}),
  };
}
