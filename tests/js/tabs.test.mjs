/** tabs.js: one panel at a time, for the mouse, the keyboard and those who listen. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {Tabs} from "../../streaming/static/streaming/tabs.js";
import {install} from "./page.mjs";

let page, tabs, list, told;

beforeEach(() => {
  page = install();
  page.addTabs("list", "one", "two", "three");
  list = [...page.getElementById("list").children];
  told = [];
  tabs = new Tabs(list, {find: (id) => page.getElementById(id), onChoose: (id) => told.push(id)});
  tabs.choose("one");
});

const shown = () => ["one", "two", "three"].filter((id) => page.getElementById(id).dataset.shown === "true");

test("the chosen panel is shown, its tab is the one stop of the Tab key", () => {
  list[1].happens("click");
  assert.deepEqual([shown(), told], [["two"], ["one", "two"]]);
  assert.deepEqual(list.map((tab) => [tab.getAttribute("aria-selected"), tab.tabIndex]), [["false", -1], ["true", 0], ["false", -1]]);
});

test("arrows go round and take the focus along; other keys are left alone", () => {
  const event = list[0].happens("keydown", {key: "ArrowLeft"});
  assert.deepEqual([shown(), page.focused, event.isPrevented], [["three"], list[2], true]);
  list[2].happens("keydown", {key: "ArrowRight"});
  assert.deepEqual(shown(), ["one"]);
  assert.equal(list[0].happens("keydown", {key: "a"}).isPrevented, false);
});
