/** words.js: what happened, in sentences. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {eventWords, notice, returnWords, signed} from "../../streaming/static/streaming/trade/words.js";

const TRADE = {id: "p", product: "EUR-USD", side: "buy", base_size: "1000", price: "1.26635", type: "market"};
const CLOSED = {...TRADE, close_price: "1.26995", pnl: "2.84281590", reason: "take_profit"};
const PENDING = {...TRADE, type: "pending", order_type: "stop"};

test("each event of an account has a sentence", () => {
  const said = [
    ["order:new", TRADE, "Market order to buy 1000 BTC of EUR-USD at 1.26635"],
    ["order:new", PENDING, "Stop order to buy 1000 BTC of EUR-USD at 1.26635"],
    ["order:update", PENDING, "Order changed: stop to buy 1000 BTC of EUR-USD at 1.26635"],
    ["order:activate", {product: "EUR-USD"}, "Order filled: EUR-USD"],
    ["order:cancel", {product: "EUR-USD"}, "Order cancelled: EUR-USD"],
    ["position:new", {...TRADE, side: "sell"}, "Sold 1000 BTC of EUR-USD at 1.26635"],
    ["position:update", {...TRADE, take_profit: "2", stop_loss: "1"}, "Position changed: 1000 BTC of EUR-USD, take profit 2, stop loss 1"],
    ["position:split", {first_position: TRADE, second_position: {...TRADE, base_size: "5"}}, "Position split: EUR-USD into 1000 and 5 BTC"],
    ["position:close", CLOSED, "Closed by take profit: 1000 BTC of EUR-USD at 1.26995, +2.84281590 BTC"],
    ["balance", {BTC: "9.5"}, "Free balance 9.5 BTC"],
  ];
  for (const [name, data, words] of said) assert.equal(eventWords({name, data}), words);
  assert.equal(eventWords({name: "order:something", data: {}}), "order:something");
});

test("fills, closes and ends are told at once; what goes with them is not", () => {
  const kind = (name, data) => notice({name, data})?.kind;
  assert.equal(kind("position:new", TRADE), "plain");
  assert.equal(kind("position:close", CLOSED), "good");
  assert.equal(kind("position:close", {...CLOSED, pnl: "-1"}), "bad");
  assert.equal(kind("order:new", PENDING), "plain");
  assert.deepEqual(["order:new", "order:activate", "balance", "position:update"].map((name) => kind(name, TRADE)), [undefined, undefined, undefined, undefined]);
});

test("a figure says on which side of zero it is", () => {
  assert.deepEqual(["2.5", "-2.5", "0.00000000", "-0.0"].map(signed), ["+2.5", "−2.5", "0.00000000", "0.0"]);
});

test("coming back says what was missed, or that it could not be had", () => {
  const said = (recovered, missed) => returnWords({environment: "demo", recovered, missed});
  assert.equal(said(true, 0), "The demo account missed nothing.");
  assert.equal(said(true, 1), "The demo account: 1 missed event has been read.");
  assert.equal(said(true, 3), "The demo account: 3 missed events have been read.");
  assert.match(said(false, 0), /shown anew from a snapshot/);
});
