/** prepared.js: messages to begin with. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {preparedFor, signedSubscribe} from "../../streaming/static/streaming/prepared.js";

const types = (address) => preparedFor(address).map(({text}) => JSON.parse(text).type);

test("each address gets its own dialect's, the bare one both", () => {
  assert.deepEqual([...new Set(types("/ws/ticks"))], ["auth", "subscribe", "list", "unsubscribe", "ping"]);
  assert.ok(types("/ws/events").includes("trade"));
  assert.ok(!types("/ws/ticks").includes("trade"));
  assert.ok(!types("/ws/app").includes("auth"));
  assert.ok(types("/").includes("auth") && types("/").includes("trade"));
});

test("nothing trades with real money", () => {
  for (const {text} of preparedFor("/")) {
    const message = JSON.parse(text);
    assert.ok(message.type !== "trade" || message.demo === true, text);
  }
});

test("a signed subscribe carries the signature", () => {
  const auth = {key: "k", sig: "s", timestamp: 1};
  assert.deepEqual(JSON.parse(signedSubscribe(auth)).auth, auth);
});
