/** lines.js: an account's levels on a chart. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {LINES_MAX, linesOf} from "../../streaming/static/streaming/trade/lines.js";

const POSITION = {id: "p", product: "EUR-USD", side: "buy", price: "1.2", base_size: "5", liquidation_price: "1.1", take_profit: "1.3"};
const ORDER = {id: "o", product: "EUR-USD", side: "sell", price: "1.4", base_size: "2", order_type: "limit", stop_loss: "1.5"};

test("a position has its entry, its exits and its liquidation; an order its price and exits", () => {
  const lines = linesOf({positions: [POSITION], orders: [ORDER]}, "EUR-USD");
  assert.deepEqual(lines.map(({key, price, title, kind}) => [key, price, title, kind]), [
    ["p:entry", "1.2", "Long 5 BTC", "buy"], ["p:profit", "1.3", "Take profit", "profit"],
    ["p:liquidation", "1.1", "Liquidation", "liquidation"], ["o:order", "1.4", "Limit sell 2 BTC", "sell"],
    ["o:loss", "1.5", "Stop loss", "loss"],
  ]);
  assert.equal(lines[3].isPending, true);
});

test("other products' levels are not on this chart", () => {
  assert.deepEqual(linesOf({positions: [POSITION], orders: [ORDER]}, "BTC-USD"), []);
});

test("there is a bound", () => {
  const positions = Array.from({length: 100}, (_, id) => ({...POSITION, id}));
  assert.equal(linesOf({positions, orders: []}, "EUR-USD").length, LINES_MAX);
});
