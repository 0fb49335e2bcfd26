/** connection.js: the light and the words beside it. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {STALE_AFTER_MS, connectionView, isLoggedOut} from "../../streaming/static/streaming/connection.js";
import {FINAL_CLOSES, SILENCE_MAX_MS} from "../../streaming/static/streaming/stream.js";

const at = (state, clocks) => connectionView(state, {nowMs: 100_000, heardMs: 100_000, ...clocks});

test("live: how long ago the heartbeat was, and how long a message takes", () => {
  assert.deepEqual(at({name: "live"}, {heardMs: 97_001, roundTripMs: 12.4}), {
    light: "live", text: "Live", detail: "heartbeat 2 s ago · 12 ms", spoken: "Connected",
  });
  assert.equal(at({name: "live"}, {roundTripMs: 0.2}).detail, "heartbeat 0 s ago · 1 ms");
  assert.equal(at({name: "live"}).detail, "heartbeat 0 s ago");
});

test("stale: a heartbeat is missing, and nobody has left yet", () => {
  assert.equal(at({name: "live"}, {heardMs: 100_001 - STALE_AFTER_MS}).light, "live");
  const view = at({name: "live"}, {heardMs: 100_000 - STALE_AFTER_MS});
  assert.deepEqual([view.light, view.text, view.detail], ["stale", "Stale", "no heartbeat for 7 s"]);
  assert.ok(STALE_AFTER_MS < SILENCE_MAX_MS);
});

test("reconnecting: a countdown that never says zero, then the try itself", () => {
  const state = {name: "reconnecting", reason: "connection_lost", retryAtMs: 102_001};
  assert.deepEqual([0, 1, 1001, 2000].map((ms) => at(state, {nowMs: 100_000 + ms}).text), [
    "Reconnecting in 3 s", "Reconnecting in 2 s", "Reconnecting in 1 s", "Reconnecting in 1 s",
  ]);
  assert.equal(at(state, {nowMs: 103_000}).text, "Reconnecting now");
  assert.equal(at({name: "reconnecting", reason: "silence"}).text, "Reconnecting now");
  assert.equal(at(state).detail, "connection lost");
});

test("what is read aloud does not change with the seconds", () => {
  const state = {name: "reconnecting", reason: "restart", retryAtMs: 105_000};
  const spoken = [0, 900, 2000, 9000].map((ms) => at(state, {nowMs: 100_000 + ms}).spoken);
  assert.equal(new Set(spoken).size, 1);
  assert.match(spoken[0], /the server restarts/);
});

test("a reason without words of ours is shown as it came", () => {
  assert.equal(at({name: "reconnecting", reason: "Error: no key"}).detail, "Error: no key");
});

test("closed: logging in again is the way back only where the session ended", () => {
  assert.deepEqual(FINAL_CLOSES.filter((code) => isLoggedOut({name: "closed", code})), [1008, 4010]);
  assert.equal(at({name: "closed", code: 4010, reason: "access_revoked"}).text, "Logged out");
  const other = at({name: "closed", code: 1009, reason: "message_too_large"});
  assert.deepEqual([other.light, other.text, other.detail], ["closed", "Disconnected", "message_too_large"]);
  assert.ok(!isLoggedOut({name: "live"}));
  const ended = at({name: "closed", code: 4011, reason: "ended_by_administrator"});
  assert.deepEqual([ended.light, ended.text, ended.detail], ["closed", "Ended", "an administrator has ended this connection"]);
});
