/** cells.js: only what changed is written. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {DataCell, PriceCell, TextCell, element} from "../../streaming/static/streaming/cells.js";
import {install} from "./page.mjs";

let page;
beforeEach(() => (page = install()));

function priceCell() {
  const node = element("span", "box");
  const cell = new PriceCell(node);
  return {node, set: (price, move, isCalm = false) => cell.set(price, 5, move, isCalm), forget: () => cell.forget()};
}

test("a text is written when it is another one", () => {
  const cell = new TextCell(element("td", "age"));
  assert.deepEqual(["now", "now", "1 s"].map((text) => cell.set(text)), [true, false, true]);
  assert.deepEqual([cell.node.textContent, cell.node.writes], ["1 s", 2]);
});

test("a data attribute comes, changes and goes", () => {
  const cell = new DataCell(element("td"), "move");
  cell.set("up");
  assert.equal(cell.node.dataset.move, "up");
  cell.set(undefined);
  assert.ok(!("move" in cell.node.dataset));
});

test("a price is written in its three parts, and reads as what the server wrote", () => {
  const {node, set} = priceCell();
  set("1.08247");
  assert.deepEqual(node.children.map(({className, textContent}) => [className, textContent]), [
    ["head", "1.08"], ["big", "24"], ["tip", "7"],
  ]);
  assert.equal(node.textContent, "1.08247");
});

test("of a price that moved a little only the digits that changed are written", () => {
  const {set} = priceCell();
  set("1.08247");
  page.writes = 0;
  set("1.08249", "up");
  assert.equal(page.writes, 1);
  set("1.08249", "up");
  assert.equal(page.writes, 1);
});

test("a change lights up in its direction; a first price, the same price and a calm page do not", () => {
  const {node, set, forget} = priceCell();
  set("1.08247");
  set("1.08247");
  assert.deepEqual(node.flashes, []);
  set("1.08248", "up");
  set("1.08246", "down");
  assert.deepEqual(node.flashes, ["var(--up-flash)", "var(--down-flash)"]);
  assert.equal(node.dataset.move, "down");
  set("1.08247", "up", true);
  forget();
  set("64250.00000", "down");
  assert.equal(node.flashes.length, 2);
});

test("however often a price changes, one light burns, and begins anew with each change", () => {
  const {node, set} = priceCell();
  for (let tick = 0; tick < 10; tick += 1) set(`1.0824${tick}`, "up");
  assert.deepEqual([node.animations, node.flashes.length], [1, 9]);
  set("1.08240", "down");
  assert.equal(node.animations, 1);
});
