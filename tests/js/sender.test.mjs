/** sender.js: an order is placed once, and its outcome is found out, whatever happens to the connection. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {TradeError} from "../../streaming/static/streaming/calls.js";
import {Sender} from "../../streaming/static/streaming/trade/sender.js";

const ORDER = {product: "EUR-USD", side: "buy"};
const LOST = new TradeError("connection_lost", "lost", {isUnknown: true});

let sender, sent, asked, answer, found, states, timers;

beforeEach(() => {
  [sent, asked, states, timers] = [[], [], [], []];
  let ids = 0;
  answer = async () => ({});
  found = async () => ({status: "open"});
  sender = new Sender({
    trade: (...call) => (sent.push(call), answer()),
    getJson: (path) => (asked.push(path), found()),
    newId: () => `page-${++ids}`,
    setTimer: (callback) => timers.push(callback),
    onState: ({name}) => states.push(name),
  });
});

const failing = (error) => () => Promise.reject(error);

test("each order has an id of its own", async () => {
  await sender.send(ORDER, true);
  await sender.send(ORDER, false);
  assert.deepEqual(sent, [
    ["new", {...ORDER, client_order_id: "page-1"}, {demo: true}], ["new", {...ORDER, client_order_id: "page-2"}, {demo: false}],
  ]);
  assert.deepEqual(states, ["sending", "done", "sending", "done"]);
});

test("a refusal is certain, and is not looked up", async () => {
  answer = failing(new TradeError("market_closed", "The product does not trade at this hour"));
  await sender.send(ORDER, true);
  assert.deepEqual([sender.state.name, sender.state.text, sender.state.error.code], ["refused", "The product does not trade at this hour", "market_closed"]);
  await sender.resolve();
  assert.deepEqual(asked, []);
});

test("an unknown outcome is looked up when the connection is back, and nothing else is sent meanwhile", async () => {
  answer = failing(LOST);
  await sender.send(ORDER, true);
  assert.deepEqual([sender.state.name, sender.isBusy], ["unknown", true]);
  await sender.resolve();
  assert.deepEqual(asked, ["/trading/trade?client_order_id=page-1&demo=true"]);
  assert.deepEqual([sender.state.name, sender.state.text, sender.isBusy], ["done", "It was placed and filled.", false]);
});

test("an order that the engine had refused is refused", async () => {
  answer = failing(LOST);
  found = async () => ({status: "refused", code: "insufficient_balance", message: "Too little"});
  await sender.send(ORDER, true);
  await sender.resolve();
  assert.deepEqual([sender.state.name, sender.state.error.code], ["refused", "insufficient_balance"]);
});

test("one that never arrived may be sent again under the same id, which cannot place it twice", async () => {
  answer = failing(LOST);
  await sender.send(ORDER, true);
  found = failing(Object.assign(new Error("Not found"), {code: "not_found"}));
  await sender.resolve();
  assert.equal(sender.state.name, "missing");
  answer = async () => ({});
  await sender.again();
  assert.deepEqual(sent.map(([, params]) => params.client_order_id), ["page-1", "page-1"]);
  assert.equal(sender.state.name, "done");
});

test("a server that is there but knows nothing is asked too, without a new connection", async () => {
  answer = failing(new TradeError("unavailable", "Temporarily unavailable", {isUnknown: true}));
  await sender.send(ORDER, true);
  await timers.shift()();
  assert.deepEqual([asked.length, sender.state.name], [1, "done"]);
});

test("a look-up that fails is tried again, and not for ever: then the order may be sent again, or looked up later", async () => {
  answer = failing(LOST);
  found = failing(new Error("The server cannot be reached."));
  await sender.send(ORDER, true);
  while (timers.length) await timers.shift()();
  assert.deepEqual([asked.length, sender.state.name, sender.isBusy], [5, "lost", false]);
  found = async () => ({status: "open"});
  await sender.resolve();
  assert.equal(sender.state.name, "done");
});

test("two reasons to look are one look", async () => {
  answer = failing(LOST);
  await sender.send(ORDER, true);
  await Promise.all([sender.resolve(), sender.resolve()]);
  assert.equal(asked.length, 1);
});
