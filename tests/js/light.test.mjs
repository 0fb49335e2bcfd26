/** light.js: the connection's light on the page. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {Light} from "../../streaming/static/streaming/light.js";
import {install} from "./page.mjs";

let page, light;
beforeEach(() => {
  page = install();
  light = new Light((id) => page.getElementById(id));
});

const clocks = {nowMs: 1000, heardMs: 0, roundTripMs: 5};
const isShown = (id) => !page.getElementById(id).hidden;

test("a live connection: light, words, and what may trade", () => {
  assert.equal(light.paint({name: "live"}, clocks), "live");
  assert.equal(page.body.dataset.connection, "live");
  assert.equal(page.getElementById("connection-detail").textContent, "heartbeat 1 s ago · 5 ms");
  assert.deepEqual(["retry-now", "log-in-again"].map(isShown), [false, false]);
});

test("a silent one is stale; one that waits can be hurried; one that is logged out leads back", () => {
  assert.equal(light.paint({name: "live"}, {...clocks, nowMs: 8000}), "stale");
  assert.equal(light.paint({name: "reconnecting", reason: "silence", retryAtMs: 3000}, clocks), "waiting");
  assert.deepEqual(["retry-now", "log-in-again"].map(isShown), [true, false]);
  assert.equal(light.paint({name: "closed", code: 4010, reason: "access_revoked"}, clocks), "closed");
  assert.deepEqual(["retry-now", "log-in-again"].map(isShown), [false, true]);
});
