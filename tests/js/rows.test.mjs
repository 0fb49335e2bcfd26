/** rows.js: a table follows a list and moves no more than it must. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {Rows} from "../../streaming/static/streaming/rows.js";
import {install} from "./page.mjs";

let body, rows, made, moved;

beforeEach(() => {
  const page = install();
  body = page.createElement("tbody");
  made = moved = 0;
  const insert = body.insertBefore.bind(body);
  body.insertBefore = (...nodes) => (moved++, insert(...nodes));
  rows = new Rows(body, ({id}) => {
    made += 1;
    const node = page.createElement("tr");
    node.dataset.id = id;
    return {node, paint: ({text}) => (node.textContent = text)};
  });
});

const item = (id, text = id) => ({id, text});
const shown = () => body.children.map(({dataset, textContent}) => `${dataset.id}:${textContent}`);

test("it shows exactly the items, in their order", () => {
  rows.show([item("a"), item("b")]);
  rows.show([item("c"), item("b", "B")]);
  assert.deepEqual(shown(), ["c:c", "b:B"]);
  assert.equal(rows.size, 2);
  rows.show([]);
  assert.deepEqual([shown(), rows.size], [[], 0]);
});

test("a row that stays is the same row and is not moved", () => {
  rows.show([item("a"), item("b")]);
  const [first, second] = body.children;
  made = moved = 0;
  rows.show([item("new"), item("a", "A"), item("b")]);
  assert.deepEqual([body.children[1], body.children[2]], [first, second]);
  assert.deepEqual([made, moved], [1, 1]);
});
