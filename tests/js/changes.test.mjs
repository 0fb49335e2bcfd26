/** changes.js: an edit asks for what was changed, and says before it is sent what the server would refuse. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {counterpart, fieldsOf, judgeChanges} from "../../streaming/static/streaming/trade/changes.js";

const TERMS = {maxLeverage: "300", fraction: "2/3"};
const POSITION = {
  id: "p", side: "buy", product: "EUR-USD", price: "1.26635", leverage: "300", amount: 1000000, margin: "3.33333333",
  base_size: "1000", type: "market", liquidation_price: "1.26354", opened_at: 5,
};
const ORDER = {...POSITION, id: "o", type: "pending", order_type: "limit", opened_at: undefined, take_profit: "1.28000"};

function judged(trade, change, resized = null, balance = "10.00000000") {
  return judgeChanges(trade, {...fieldsOf(trade), ...change}, resized, {digits: 5, terms: TERMS, balance});
}

test("untouched fields are no change", () => {
  assert.deepEqual(fieldsOf(ORDER), {price: "1.26635", takeProfit: "1.28000", stopLoss: "", leverage: "300", margin: "3.33333333"});
  for (const trade of [POSITION, ORDER]) {
    assert.equal(judged(trade, {}).params, null);
    assert.deepEqual(judged(trade, {}).problems, {});
  }
});

test("only what was changed is asked for; an emptied exit is taken away", () => {
  assert.deepEqual(judged(POSITION, {takeProfit: "1.27"}).params, {id: "p", take_profit: "1.27"});
  assert.deepEqual(judged(ORDER, {takeProfit: ""}).params, {id: "o", take_profit: "0"});
  assert.deepEqual(judged(ORDER, {price: "1.25"}).params, {id: "o", price: "1.25"});
});

test("leverage and margin are two names of one thing", () => {
  assert.equal(counterpart("leverage", "100", POSITION), "10.00000000");
  assert.equal(counterpart("margin", "5", POSITION), "200");
  assert.deepEqual(["x", "0", ""].map((text) => counterpart("margin", text, POSITION)), ["", "", ""]);
});

test("more margin moves the liquidation away, and is shown before it is sent", () => {
  const {params, margin, liquidation} = judged(POSITION, {leverage: "200"}, "leverage");
  assert.deepEqual([params, String(margin), String(liquidation)], [{id: "p", leverage: "200"}, "5.00000000", "1.26213"]);
  assert.deepEqual(judged(POSITION, {margin: "5"}, "margin").params, {id: "p", margin: "5"});
});

test("a position never comes closer to its liquidation; an order may", () => {
  assert.match(judged(POSITION, {margin: "3.33333334"}, "margin").problems.margin ?? "", /^$/);
  assert.match(judged({...POSITION, margin: "5.00000000"}, {margin: "4"}, "margin").problems.margin, /only be raised/);
  assert.match(judged({...POSITION, margin: "5.00000000"}, {leverage: "300"}, "leverage").problems.leverage, /only be lowered/);
  assert.deepEqual(judged({...ORDER, margin: "5.00000000", leverage: "200"}, {leverage: "300"}, "leverage").problems, {});
});

test("bounds are told at their fields", () => {
  assert.match(judged(POSITION, {leverage: "301"}, "leverage").problems.leverage, /1 to 300/);
  for (const margin of ["1", "1001", "4.123456789", "x"]) {
    assert.match(judged(POSITION, {margin}, "margin").problems.margin, /3.33333333 to 1000/, margin);
  }
  assert.match(judged(POSITION, {margin: "9"}, "margin", "1.00000000").problems.margin, /5.66666667 BTC more than is free: 1.0/);
  assert.match(judged(POSITION, {takeProfit: "1.2"}).problems.takeProfit, /Above/);
  assert.match(judged(ORDER, {price: "1.123456"}).problems.price, /5 decimal places/);
});

test("a stop loss is measured against the liquidation as it will be", () => {
  assert.match(judged(POSITION, {stopLoss: "1.263"}).problems.stopLoss, /Between/);
  assert.deepEqual(judged(POSITION, {stopLoss: "1.263", leverage: "200"}, "leverage").problems, {});
});
