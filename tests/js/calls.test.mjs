/** calls.js: trades under way, and what becomes of them. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Calls, TradeError} from "../../streaming/static/streaming/calls.js";

test("each answer finds its call, in whatever order they come", async () => {
  const calls = new Calls();
  const [first, second] = [calls.add(1), calls.add(2)];
  assert.equal(calls.settle({type: "result", id: 2, data: {id: "b"}}), true);
  assert.equal(calls.settle({type: "result", id: 1, data: {id: "a"}}), true);
  assert.deepEqual([await first, await second], [{id: "a"}, {id: "b"}]);
});

test("an answer to nobody is not taken", () => {
  assert.equal(new Calls().settle({type: "result", id: 1, data: {}}), false);
});

test("a refusal has the server's code and words", async () => {
  const calls = new Calls();
  const call = calls.add(1);
  calls.settle({type: "error", id: 1, code: "market_closed", message: "The product does not trade at this hour"});
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof TradeError);
    assert.deepEqual([error.code, error.isUnknown], ["market_closed", false]);
    assert.equal(error.message, "The product does not trade at this hour");
    return true;
  });
});

test("nobody knows what became of a trade that is unavailable, or lost with its connection", async () => {
  const calls = new Calls();
  const [first, second] = [calls.add(1), calls.add(2)];
  calls.settle({type: "error", id: 1, code: "unavailable", message: "Temporarily unavailable"});
  calls.drop();
  await assert.rejects(first, {code: "unavailable", isUnknown: true});
  await assert.rejects(second, {code: "connection_lost", isUnknown: true});
  assert.equal(calls.settle({type: "result", id: 2, data: {}}), false);
});
