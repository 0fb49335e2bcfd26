/** framelist.js: the console's lines. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {FrameList, timeOfDay} from "../../streaming/static/streaming/framelist.js";
import {MAX_FRAMES} from "../../streaming/static/streaming/framelog.js";
import {install} from "./page.mjs";

const frame = (text, way = "in") => ({way, text, atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 67)});

function given() {
  const node = install().createElement("ol");
  return {node, list: new FrameList(node), texts: () => node.children.map((line) => line.children[2].textContent)};
}

test("a line has its time, its way and its text", () => {
  const {node, list} = given();
  list.add([frame("a", "out")]);
  const [when, way, what] = node.children[0].children;
  assert.deepEqual([when.textContent, way.textContent, what.textContent], ["03:04:05.067", "↑", "a"]);
  assert.equal(way.getAttribute("aria-label"), "sent");
});

test("new ones go above the others, and the oldest leave", () => {
  const {node, list, texts} = given();
  list.show([frame("b"), frame("a")]);
  list.add([frame("c"), frame("d")]);
  assert.deepEqual(texts(), ["d", "c", "b", "a"]);
  list.add(Array.from({length: MAX_FRAMES}, (_, index) => frame(String(index))));
  assert.equal(node.children.length, MAX_FRAMES);
  assert.equal(texts()[0], String(MAX_FRAMES - 1));
});

test("pretty is a matter of showing", () => {
  const {list, texts} = given();
  list.isPretty = true;
  list.show([frame('{"a":1}')]);
  assert.deepEqual(texts(), ['{\n  "a": 1\n}']);
});

test("a time of day has its milliseconds", () => {
  assert.equal(timeOfDay(0), "00:00:00.000");
});
