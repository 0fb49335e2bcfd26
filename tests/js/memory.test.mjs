/** memory.js: choices that a browser keeps, and a browser that keeps nothing. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {recall, remember} from "../../streaming/static/streaming/memory.js";
import {install} from "./page.mjs";

test("what was chosen is recalled, and forgotten on request", () => {
  install();
  assert.equal(recall("theme", ["system", "dark"]), "system");
  remember("theme", "dark");
  assert.equal(recall("theme", ["system", "dark"]), "dark");
  assert.equal(recall("theme", ["system"]), "system", "what is no choice any more is none");
  remember("theme", "");
  assert.equal(recall("theme", ["system", "dark"]), "system");
});

test("a browser that forbids it keeps nothing, and nothing breaks", () => {
  Object.defineProperty(globalThis, "localStorage", {configurable: true, get: () => {
    throw new Error("denied");
  }});
  remember("theme", "dark");
  assert.equal(recall("theme", ["system", "dark"]), "system");
  delete globalThis.localStorage;
});
