/** shortcuts.js: keys, and the help that is written from the same table. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {SHORTCUTS, actionOf, writeHelp} from "../../streaming/static/streaming/shortcuts.js";
import {install} from "./page.mjs";

const page = install();
const press = (key, more = {}, hasDialog = false) => actionOf({key, target: page.body, ...more}, hasDialog);

test("each key of the table does its thing", () => {
  assert.deepEqual(["/", "b", "?", "1"].map((key) => press(key)), ["search", "buy", "help", "positions"]);
  assert.equal(press("x"), undefined);
  assert.equal(press("constructor"), undefined);
});

test("what is typed somewhere, and the browser's own shortcuts, are left alone", () => {
  for (const tag of ["input", "select", "textarea"]) assert.equal(press("b", {target: page.createElement(tag)}), undefined, tag);
  for (const held of ["ctrlKey", "metaKey", "altKey"]) assert.equal(press("b", {[held]: true}), undefined, held);
});

test("behind an open dialog nothing happens", () => {
  assert.equal(press("b", {}, true), undefined);
});

test("the help names every key", () => {
  const list = page.createElement("dl");
  writeHelp(list);
  const keys = list.children.filter(({tag}) => tag === "dt").map(({textContent}) => textContent);
  for (const key of Object.keys(SHORTCUTS)) assert.ok(keys.includes(key), key);
});
