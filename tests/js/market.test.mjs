/** market.js: what the page knows of the products. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {applyEvent, assumeOpen, matches, readProducts} from "../../streaming/static/streaming/market.js";

const GROUPS = {
  bonds: [["BUND", "10", "0.01", "0.0002", {BTC: "1"}, "Bund"]],
  crypto: [["BTC-USD", "100", "0.1", "0.0003", {BTC: "1"}, "Bitcoin"]],
  forex: [["EUR-USD", "300", "0.00001", "0.0002", {BTC: "1"}, "EUR/USD"]],
};

const quote = (bid, ask) => ({event: "quote", sequence: 1, data: ["EUR-USD", "1.08248", bid, ask, "1.08001", 7]});

test("groups come in the order of a terminal, unknown ones last under their own name", () => {
  const products = [...readProducts(GROUPS).values()].map(({name, group}) => [name, group]);
  assert.deepEqual(products, [["EUR-USD", "Forex"], ["BTC-USD", "Crypto"], ["BUND", "bonds"]]);
});

test("a title is a label only where it says more than the name", () => {
  const labels = [...readProducts(GROUPS).values()].map(({title, label}) => [title, label]);
  assert.deepEqual(labels, [["EUR/USD", ""], ["Bitcoin", "Bitcoin"], ["Bund", ""]]);
});

test("a product knows its digits and terms, and has no quote yet", () => {
  const {digits, quote: none, state, maxLeverage, maxSize, decayRate} = readProducts(GROUPS).get("EUR-USD");
  assert.deepEqual([digits, none, state, maxLeverage, maxSize, decayRate], [5, null, "open", "300", "1", "0.0002"]);
});

test("a quote stays the text that the server wrote", () => {
  const products = readProducts(GROUPS);
  const changed = applyEvent(products, quote("1.08240", "1.08250"));
  assert.equal(changed, products.get("EUR-USD"));
  assert.deepEqual(changed.quote, {mid: "1.08248", bid: "1.08240", ask: "1.08250", midDayAgo: "1.08001", timeMs: 7});
});

test("bid and ask each remember where they went last", () => {
  const products = readProducts(GROUPS);
  const moves = [["1.08240", "1.08250"], ["1.08241", "1.08250"], ["1.08240", "1.08251"], ["1.08240", "1.08251"]]
    .map(([bid, ask]) => ({...applyEvent(products, quote(bid, ask)).moves}));
  assert.deepEqual(moves, [
    {}, {bid: "up", ask: undefined}, {bid: "down", ask: "up"}, {bid: "down", ask: "up"},
  ]);
});

test("a status event changes the state until a fresh subscription", () => {
  const products = readProducts(GROUPS);
  const changed = applyEvent(products, {event: "status", sequence: 1, data: {product: "EUR-USD", state: "stale"}});
  assert.equal(changed.state, "stale");
  assumeOpen(products);
  assert.equal(changed.state, "open");
});

test("what concerns no product of ours changes nothing", () => {
  const products = readProducts(GROUPS);
  assert.equal(applyEvent(products, {event: "quote", data: ["NEW", "1", "1", "1", "1", 7]}), undefined);
  assert.equal(applyEvent(products, {event: "status", data: {product: "NEW", state: "stale"}}), undefined);
  assert.equal(applyEvent(products, {event: "heartbeat", data: {time: 7}}), undefined);
});

test("a search finds parts of the name, with and without hyphen, and of the title", () => {
  const [euro, bitcoin] = readProducts(GROUPS).values();
  for (const text of ["eur", "EURUSD", "r-u", " usd ", "r/us", ""]) assert.ok(matches(euro, text), text);
  assert.ok(matches(bitcoin, "bitc"));
  assert.ok(!matches(bitcoin, "eur"));
});
