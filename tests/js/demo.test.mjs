/** demo.js: the reset, told in words. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {resetWords, start} from "../../accounts/static/accounts/demo.js";

const answer = (body, options) => new Response(body, options);

test("what came of it is told", async () => {
  assert.equal(await resetWords(answer('{"BTC":"10.00000000"}')), "Done. The demo account has 10.00000000 BTC again.");
  assert.equal(
    await resetWords(answer('{"message":"Temporarily unavailable; try again","code":"unavailable"}', {status: 503})),
    "It was not reset. Temporarily unavailable; try again",
  );
  assert.equal(await resetWords(answer("<html>", {status: 502})), "It was not reset. The server answered 502.");
});

function given(fetch) {
  const listeners = {};
  const nodes = {
    "demo-reset": {
      action: "/account/demo/reset",
      elements: {csrfmiddlewaretoken: {value: "token"}},
      addEventListener: (type, listener) => (listeners[type] = listener),
    },
    outcome: {hidden: true},
    reset: {hidePopover() { this.isHidden = true; }},
  };
  start({getElementById: (id) => nodes[id]}, fetch);
  const event = {preventDefault() { this.isPrevented = true; }};
  return {nodes, event, submit: () => listeners.submit(event)};
}

test("the form asks REST with its token and shows the words", async () => {
  const calls = [];
  const {nodes, event, submit} = given(async (...call) => {
    calls.push(call);
    return answer('{"BTC":"10.00000000"}');
  });
  await submit();
  assert.deepEqual(calls, [["/account/demo/reset", {method: "POST", headers: {"X-CSRFToken": "token"}}]]);
  assert.ok(event.isPrevented && nodes.reset.isHidden && !nodes.outcome.hidden);
  assert.match(nodes.outcome.textContent, /^Done/);
});

test("a server out of reach is said to be", async () => {
  const {nodes, submit} = given(() => Promise.reject(new TypeError("Failed to fetch")));
  await submit();
  assert.equal(nodes.outcome.textContent, "It was not reset. The server cannot be reached.");
});
