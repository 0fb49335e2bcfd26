/** draft.js: an order is judged as the server would, before it is sent. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {blockedBy, fieldOf, judge} from "../../streaming/static/streaming/trade/draft.js";

const MARKET = {
  product: {name: "EUR-USD", digits: 5},
  terms: {maxLeverage: "300", maxSize: "600000", decayRate: "0.0002", fraction: "2/3"},
  quote: {bid: "1.26630", ask: "1.26635"},
  balance: "10.00000000",
  nowMs: Date.UTC(2026, 10, 25, 18),
};
const DRAFT = {
  side: "buy", type: "market", unit: "contracts", size: "1000000", leverage: "300",
  price: "", takeProfit: "", stopLoss: "", validUntil: "",
};

const judged = (draft = {}, market = {}) => judge({...DRAFT, ...draft}, {...MARKET, ...market});
const problem = (draft, market) => judged(draft, market).problems;
const shown = ({preview}) => Object.fromEntries(Object.entries(preview).map(([name, value]) => [name, value && String(value)]));

test("the document's order: its margin, liquidation and costs before it is sent", () => {
  const seen = judged();
  assert.deepEqual(seen.problems, {});
  assert.deepEqual(shown(seen), {
    entry: "1.26635", margin: "3.33333333", liquidation: "1.26354", cost: "-0.03948350", decay: "0.20000000",
    free: "6.66666667", atProfit: undefined, atLoss: undefined, amount: "1000000", size: "1000.000",
  });
  assert.deepEqual(seen.params, {
    product: "EUR-USD", side: "buy", type: "market", leverage: "300", amount: 1000000, base_currency: "BTC",
  });
});

test("base currency is the same size in another unit", () => {
  assert.equal(judged({unit: "base", size: "1000"}).params.amount, 1000000);
  assert.equal(judged({unit: "base", size: "0.001"}).params.amount, 1);
});

test("a size that is none is told at its field, and nothing can be sent", () => {
  const words = [
    [{size: ""}, "How much?"], [{size: "1e3"}, "A plain number, such as 1 or 0.5"], [{size: "-1"}, "A plain number, such as 1 or 0.5"],
    [{size: "1.5"}, "Contracts are whole"], [{size: "0"}, "At least one contract"],
    [{unit: "base", size: "0.0005"}, "One contract is 0.001 BTC: at most 3 places"],
    [{size: "600000001"}, "At most 600000 BTC"],
  ];
  for (const [draft, text] of words) {
    assert.equal(problem(draft).size, text);
    assert.equal(judged(draft).params, null);
  }
});

test("more than is free is refused before it is sent", () => {
  assert.equal(problem({}, {balance: "3.33333332"}).size, "The margin of 3.33333333 BTC is more than is free: 3.33333332 BTC");
  assert.deepEqual(problem({}, {balance: "3.33333333"}), {});
});

test("leverage has the product's bounds and at most two places", () => {
  for (const leverage of ["0", "0.99", "300.01", "1.005", "x", ""]) {
    assert.equal(problem({leverage}).leverage, "1 to 300, with at most 2 decimal places", leverage);
  }
  for (const leverage of ["1", "300", "12.50", "12.500"]) assert.deepEqual(problem({leverage, size: "1"}), {}, leverage);
});

test("a pending order needs a price on its side of the market", () => {
  const words = (draft) => problem({size: "1000", ...draft}).price;
  assert.equal(words({type: "limit"}), "At which price?");
  assert.equal(words({type: "limit", price: "1.266355"}), "At most 5 decimal places");
  assert.equal(words({type: "limit", price: "0"}), "A price above zero, in plain digits");
  assert.equal(words({type: "limit", price: "1.27"}), "A limit to buy lies at or below the market, 1.26635");
  assert.equal(words({type: "stop", price: "1.26635"}), "A stop to buy lies above the market, 1.26635");
  assert.equal(words({type: "limit", side: "sell", price: "1.26"}), "A limit to sell lies at or above the market, 1.26630");
  assert.equal(words({type: "stop", side: "sell", price: "1.27"}), "A stop to sell lies below the market, 1.26630");
  for (const draft of [{type: "limit", price: "1.26635"}, {type: "stop", price: "1.27"}]) assert.equal(words(draft), undefined);
  for (const draft of [{type: "limit", price: "1.2663"}, {type: "stop", price: "1.26"}]) assert.equal(words({...draft, side: "sell"}), undefined);
});

test("take profit and stop loss lie on their sides", () => {
  assert.equal(problem({takeProfit: "1.26635"}).takeProfit, "Above the price 1.26635");
  assert.equal(problem({side: "sell", takeProfit: "1.27"}).takeProfit, "Below the price 1.26630");
  const between = "Between the price 1.26635 and the liquidation 1.26354";
  for (const stopLoss of ["1.27", "1.26635", "1.26354", "1"]) assert.equal(problem({stopLoss}).stopLoss, between);
  const good = judged({takeProfit: "1.26995", stopLoss: "1.265"});
  assert.deepEqual([good.params.take_profit, good.params.stop_loss], ["1.26995", "1.265"]);
  assert.deepEqual([String(good.preview.atProfit), String(good.preview.atLoss)], ["2.84281590", "-1.06605590"]);
});

test("a time to live is UTC, and has not passed; a market order has none", () => {
  const limit = {type: "limit", price: "1.2", size: "1000"};
  assert.equal(judged({...limit, validUntil: "2026-11-25T18:01"}).params.valid_until, MARKET.nowMs + 60_000);
  assert.equal(problem({...limit, validUntil: "2026-11-25T18:00"}).validUntil, "That time has passed");
  assert.equal(problem({...limit, validUntil: "soon"}).validUntil, "A date and a time, UTC");
  assert.equal("valid_until" in judged({validUntil: "2026-11-25T18:01"}).params, false);
});

test("what cannot be told yet is not shown: no quote, no terms", () => {
  assert.deepEqual(judged({}, {quote: null}).params, null);
  assert.equal(judged({}, {quote: null}).preview.margin, undefined);
  assert.equal(judged({}, {terms: {...MARKET.terms, fraction: undefined}}).preview.liquidation, undefined);
});

test("a margin of less than a satoshi is none", () => {
  const terms = {...MARKET.terms, maxLeverage: "100000000000"};
  assert.equal(problem({size: "1", leverage: "1000000"}, {terms}).size, "The margin would be less than a satoshi");
});

const READY = {
  connection: "live", environment: "demo", account: {isKnown: true, refusal: ""},
  product: {name: "EUR-USD", state: "open", quote: {bid: "1", ask: "2"}},
};

test("why nothing can be sent is said in words", () => {
  const blocked = (change) => blockedBy({...READY, ...change});
  assert.equal(blocked({}), "");
  assert.match(blocked({connection: "waiting"}), /Not connected/);
  assert.match(blocked({connection: "stale"}), /No heartbeat/);
  assert.match(blocked({account: {isKnown: false, refusal: ""}}), /demo account is being loaded/);
  assert.equal(blocked({account: {isKnown: false, refusal: "No scope."}}), "No scope.");
  for (const [state, words] of [["closed", /at this hour/], ["halted", /is halted/], ["stale", /feed is silent/]]) {
    assert.match(blocked({product: {...READY.product, state}}), words);
  }
  assert.match(blocked({product: {...READY.product, quote: null}}), /no price yet/);
});

test("a refusal goes to the field it is about", () => {
  assert.deepEqual(["insufficient_balance", "price_wrong_side", "invalid_stop_loss", "internal_error"].map(fieldOf), ["size", "price", "stopLoss", ""]);
});
