/**
 * What does a trade need, gain and lose? The server's own rules (engine/margin.py) with the same rounding, so that what
 * is shown before an order is sent is what comes of it, to the last digit. Numbers are `Exact`.
 */

import {Exact, ZERO, larger, sum} from "./exact.js";

export const CURRENCY = "BTC";
export const MONEY_PLACES = 8;
const RETURN_PLACES = 10;
const PERCENT_PLACES = 4;
/** Contracts of the base currency: 1 BTC is 1000. */
const CONTRACT_PLACES = 3;
const HUNDRED = Exact.of("100");
const LEVERAGE_PLACES = 2;

export function sizeOf(amount) {
  return new Exact(BigInt(amount), CONTRACT_PLACES);
}

/** Contracts of a size as text; undefined where they would not be whole. */
export function amountOf(size) {
  const whole = size.round(CONTRACT_PLACES, "down");
  return whole.compare(size) === 0 ? String(whole.units) : undefined;
}

export function marginOf({size, leverage}) {
  return size.over(leverage, MONEY_PLACES, "down");
}

export function leverageOf({size, margin}) {
  return size.over(margin, LEVERAGE_PLACES, "half-up");
}

/** Profit or loss without decay: the return to 10 places, then satoshis, both towards zero. */
export function pnlOf({side, size, entry, close}) {
  const gained = side === "buy" ? close.minus(entry) : entry.minus(close);
  return size.times(gained.over(entry, RETURN_PLACES, "down")).round(MONEY_PLACES, "down");
}

export function pnlPercentOf({pnl, margin}) {
  return pnl.times(HUNDRED).over(margin, PERCENT_PLACES, "half-up");
}

/** `fraction` is the part of the margin that may be lost: "2/3". */
export function liquidationOf({side, entry, size, margin, fraction, digits}) {
  const [numerator, denominator] = fraction.split("/").map(Exact.of);
  const whole = denominator.times(size);
  const lost = numerator.times(margin);
  return entry.times(side === "buy" ? whole.minus(lost) : whole.plus(lost)).over(whole, digits, "half-up");
}

/** What 8 hours cost. */
export function decayPeriodOf({rate, size}) {
  return (rate.sign < 0 ? rate.negated() : rate).times(size).round(MONEY_PLACES, "down");
}

/** What closing a position now would bring, without decay; undefined without a quote. It loses at most its margin. */
export function unrealisedOf({side, base_size: size, price, margin}, quote) {
  if (!quote) return undefined;
  const close = Exact.of(side === "buy" ? quote.bid : quote.ask);
  const pnl = pnlOf({side, size: Exact.of(size), entry: Exact.of(price), close});
  return larger(pnl, Exact.of(margin).negated());
}

/**
 * What an account is worth, as `GET /trading/account` has it: `{balance, marginUsed, unrealised, equity}`.
 * `quoteOf(product)` returns the last quote; a position without one counts as it was opened.
 */
export function worthOf({balance, orders, positions}, quoteOf) {
  const marginUsed = sum([...positions, ...orders].map(({margin}) => Exact.of(margin)));
  const unrealised = sum(positions.map((position) => unrealisedOf(position, quoteOf(position.product)) ?? ZERO));
  const free = Exact.of(balance);
  const worth = {balance: free, marginUsed, unrealised, equity: free.plus(marginUsed).plus(unrealised)};
  return Object.fromEntries(Object.entries(worth).map(([name, value]) => [name, value.round(MONEY_PLACES, "down")]));
}

/** How much of a position's margin is left, in percent with one place; the liquidation comes long before 0. */
export function marginRatioOf({margin}, pnl) {
  const locked = Exact.of(margin);
  return larger(locked.plus(pnl), ZERO).times(HUNDRED).over(locked, 1, "down");
}

/** The margins of a split's two parts, and their contracts: what does not divide goes to the first. */
export function splitOf({amount, margin}, firstPercent) {
  const whole = BigInt(amount);
  const second = (whole * BigInt(100 - firstPercent)) / 100n;
  const locked = Exact.of(margin);
  const secondMargin = locked.times(new Exact(second, 0)).over(new Exact(whole, 0), MONEY_PLACES, "down");
  return [
    {amount: String(whole - second), margin: locked.minus(secondMargin)},
    {amount: String(second), margin: secondMargin},
  ];
}
