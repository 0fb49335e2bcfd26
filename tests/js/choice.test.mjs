/** choice.js: the address and the keys choose. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {
  RESOLUTIONS, SIGNALS, candleChannel, nameAfterKey, quoteChannel, readChoice, writeChoice,
} from "../../streaming/static/streaming/choice.js";

const PRODUCTS = ["EUR-USD", "GBP-USD", "BTC-USD"];

test("what is written into the address is read from it again", () => {
  for (const product of PRODUCTS) {
    for (const resolution of RESOLUTIONS) {
      for (const signal of SIGNALS) {
        const choice = {product, resolution, signal};
        assert.deepEqual(readChoice(writeChoice(choice), PRODUCTS), choice);
      }
    }
  }
});

test("an address that says nothing, or nonsense, means the first of each", () => {
  const first = {product: "EUR-USD", resolution: "1", signal: "mid"};
  for (const hash of ["", "#", "#NONE:7:high", "#:::", "#content"]) assert.deepEqual(readChoice(hash, PRODUCTS), first);
  assert.deepEqual(readChoice("#BTC-USD", PRODUCTS), {...first, product: "BTC-USD"});
});

test("channels are spelled as the protocol spells them", () => {
  assert.equal(candleChannel({product: "BTC-USD", resolution: "1D"}), "trading:candles:BTC-USD:1D");
  assert.equal(quoteChannel("BTC-USD"), "trading:quotes:BTC-USD");
});

test("arrows go one row, and stop at the ends", () => {
  assert.equal(nameAfterKey(PRODUCTS, "EUR-USD", "ArrowDown"), "GBP-USD");
  assert.equal(nameAfterKey(PRODUCTS, "GBP-USD", "ArrowUp"), "EUR-USD");
  assert.equal(nameAfterKey(PRODUCTS, "EUR-USD", "ArrowUp"), "EUR-USD");
  assert.equal(nameAfterKey(PRODUCTS, "BTC-USD", "ArrowDown"), "BTC-USD");
});

test("Home, End and pages go far", () => {
  const names = Array.from({length: 30}, (_, number) => `P${number}`);
  const after = (key) => nameAfterKey(names, "P12", key);
  assert.deepEqual(["Home", "End", "PageUp", "PageDown"].map(after), ["P0", "P29", "P4", "P20"]);
});

test("from a row that a search has hidden, arrows lead to what is shown", () => {
  assert.equal(nameAfterKey(PRODUCTS, "XAU-USD", "ArrowDown"), "EUR-USD");
  assert.equal(nameAfterKey(PRODUCTS, "XAU-USD", "ArrowUp"), "BTC-USD");
});

test("other keys, and an empty table, are left alone", () => {
  assert.equal(nameAfterKey(PRODUCTS, "EUR-USD", "Enter"), undefined);
  assert.equal(nameAfterKey(PRODUCTS, "EUR-USD", "toString"), undefined);
  assert.equal(nameAfterKey([], "EUR-USD", "ArrowDown"), undefined);
});
