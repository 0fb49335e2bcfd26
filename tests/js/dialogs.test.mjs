/** dialogs.js: what will come of it is shown before it is sent, and what came of it is said. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {TradeError} from "../../streaming/static/streaming/calls.js";
import {EditDialog, EndDialog, SplitDialog} from "../../streaming/static/streaming/trade/dialogs.js";
import {install} from "./page.mjs";
import {settled} from "./world.mjs";

const POSITION = {
  id: "p", side: "buy", product: "EUR-USD", price: "1.26635", leverage: "300", amount: 1000000, margin: "3.33333333",
  base_size: "1000", type: "market", liquidation_price: "1.26354", opened_at: 5,
};
const ORDER = {...POSITION, id: "o", type: "pending", order_type: "limit", opened_at: undefined};
const CONTEXT = () => ({digits: 5, terms: {maxLeverage: "300", fraction: "2/3"}, balance: "10.00000000"});

let page, calls, answer;
const find = (id) => page.getElementById(id);
const text = (id) => find(id).textContent;
const type = (name, value) => {
  find(`edit-${name}`).value = value;
  find("edit-form").happens("input", {target: find(`edit-${name}`)});
};
const submit = async (name) => {
  find(`${name}-form`).happens("submit");
  await settled();
};

beforeEach(() => {
  page = install();
  calls = [];
  answer = async () => ({});
});

const world = () => ({find, trade: (...call) => (calls.push(call), answer())});

test("an edit begins with what is, and sends what was changed", async () => {
  new EditDialog(world()).open({...POSITION, take_profit: "1.28898"}, CONTEXT);
  assert.deepEqual([find("edit").open, find("edit-takeProfit").value, find("edit-price-field").hidden], [true, "1.28898", true]);
  assert.equal(text("edit-title"), "Edit position: 1000 BTC of EUR-USD");
  type("takeProfit", "1.27");
  await submit("edit");
  assert.deepEqual([calls, find("edit").open], [[["update", {id: "p", take_profit: "1.27"}]], false]);
});

test("leverage and margin move each other, and the liquidation with them", () => {
  new EditDialog(world()).open(POSITION, CONTEXT);
  type("leverage", "200");
  assert.deepEqual([find("edit-margin").value, text("edit-words")], ["5.00000000", "Margin 5.00000000 BTC · liquidation at 1.26213"]);
  type("margin", "4");
  assert.equal(find("edit-leverage").value, "250");
});

test("an order's price can be changed; nothing changed is nothing sent; what is wrong is not sent", async () => {
  new EditDialog(world()).open(ORDER, CONTEXT);
  assert.equal(find("edit-price-field").hidden, false);
  await submit("edit");
  assert.equal(text("edit-outcome"), "Nothing was changed.");
  type("price", "1.2345678");
  await submit("edit");
  assert.deepEqual([text("edit-price-problem"), calls], ["At most 5 decimal places", []]);
});

test("a refusal is said at its field and the dialog stays; an unknown outcome is said to be one", async () => {
  new EditDialog(world()).open(POSITION, CONTEXT);
  answer = () => Promise.reject(new TradeError("invalid_stop_loss", "The stop loss lies between"));
  type("stopLoss", "1.265");
  await submit("edit");
  assert.deepEqual([text("edit-stopLoss-problem"), text("edit-outcome"), find("edit").open], ["The stop loss lies between", "The stop loss lies between", true]);
  assert.equal(find("edit-send").disabled, false);
  answer = () => Promise.reject(new TradeError("connection_lost", "", {isUnknown: true}));
  await submit("edit");
  assert.match(text("edit-outcome"), /Nobody knows yet/);
});

test("a split shows both parts as they will be", async () => {
  new SplitDialog(world()).open(POSITION);
  find("split-ratio").value = "40";
  find("split-ratio").happens("input");
  assert.deepEqual([text("split-percent"), text("split-words")], ["40 : 60", "400 BTC with a margin of 1.33333334 and 600 BTC with a margin of 1.99999999"]);
  await submit("split");
  assert.deepEqual(calls, [["split", {id: "p", ratio: "40:60"}]]);
});

test("closing says what it would bring, and follows the market", async () => {
  let quote = {bid: "1.26995", ask: "1.27"};
  const dialog = new EndDialog(world());
  dialog.close(POSITION, () => quote);
  assert.equal(text("end-words"), "At the market, now 1.26995: +2.84281590 BTC");
  quote = undefined;
  dialog.paint();
  assert.equal(text("end-words"), "At the market.");
  await submit("end");
  assert.deepEqual([calls, dialog.isOpen], [[["close", {id: "p"}]], false]);
});

test("an order is cancelled after one question, or not at all", async () => {
  const dialog = new EndDialog(world());
  dialog.cancel(ORDER);
  assert.equal(text("end-words"), "Its margin of 3.33333333 BTC is free again.");
  find("end-dismiss").happens("click");
  assert.deepEqual([dialog.isOpen, calls], [false, []]);
  dialog.cancel(ORDER);
  await submit("end");
  assert.deepEqual(calls, [["cancel", {id: "o"}]]);
});
