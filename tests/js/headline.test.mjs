/** headline.js: the chosen product, large. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {Headline} from "../../streaming/static/streaming/headline.js";
import {install} from "./page.mjs";

const EUR = {
  name: "EUR-USD", title: "EUR/USD", label: "", digits: 5, state: "open", moves: {bid: "up"},
  quote: {mid: "1.08248", bid: "1.08241", ask: "1.08254", midDayAgo: "1.09", timeMs: 1},
};
const BTC = {name: "BTC-USD", title: "Bitcoin", label: "Bitcoin", digits: 1, state: "stale", moves: {}, quote: null};

let page, headline;
beforeEach(() => {
  page = install();
  headline = new Headline((id) => page.getElementById(id), {lights: {light: (cell, move) => cell.set(move)}});
});

const shown = (...names) => names.map((name) => page.getElementById(`chosen-${name}`).textContent);

test("it shows prices, spread and change, and gives the tab its title", () => {
  assert.equal(headline.paint(EUR), "1.08241 EUR/USD · Tickwire");
  assert.deepEqual(shown("name", "title", "bid", "ask", "spread", "change"),
    ["EUR-USD", "", "1.08241", "1.08254", "13", "−0.69 %"]);
  assert.equal(page.getElementById("chosen-change").dataset.move, "down");
});

test("a product without a quote shows none of another's", () => {
  headline.paint(EUR);
  assert.equal(headline.paint(BTC), "BTC-USD · Tickwire");
  assert.deepEqual(shown("name", "title", "state", "bid", "ask", "spread", "change"),
    ["BTC-USD", "Bitcoin", "stale", "–", "–", "–", "–"]);
});

test("another product's price is no movement, the same product's is", () => {
  headline.paint(EUR);
  headline.paint({...EUR, name: "GBP-USD", quote: {...EUR.quote, bid: "1.26000", ask: "1.27000"}});
  const bid = page.getElementById("chosen-bid");
  assert.equal(bid.dataset.flash, undefined);
  headline.paint({...EUR, name: "GBP-USD", quote: {...EUR.quote, bid: "1.26001", ask: "1.27000"}});
  assert.equal(bid.dataset.flash, "up");
});
