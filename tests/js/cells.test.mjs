/** cells.js: only what changed is written. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {DataCell, PriceCell, TextCell, element} from "../../streaming/static/streaming/cells.js";
import {install} from "./page.mjs";

let page;
beforeEach(() => (page = install()));

function priceCell() {
  const node = element("span", "box");
  const lit = [];
  const cell = new PriceCell(node, {light: (_, move) => lit.push(move)});
  return {node, lit, set: (price, move) => cell.set(price, 5, move), forget: () => cell.forget()};
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

test("a change lights up in its direction; a first price and the same price do not", () => {
  const {node, lit, set, forget} = priceCell();
  set("1.08247");
  set("1.08247");
  assert.deepEqual(lit, []);
  set("1.08248", "up");
  set("1.08246", "down");
  assert.deepEqual(lit, ["up", "down"]);
  assert.equal(node.dataset.move, "down");
  forget();
  assert.deepEqual([node.textContent, "move" in node.dataset], ["–", false]);
  set("64250.00000", "down");
  assert.equal(lit.length, 2);
});

test("a text that changes stays in its text node, which the browser has laid out already", () => {
  const cell = new TextCell(element("td", "age"));
  const kept = {data: "1 s"};
  Object.defineProperty(cell.node, "firstChild", {value: kept});
  cell.set("2 s");
  assert.equal(kept.data, "2 s");
  cell.set("");
  assert.deepEqual([kept.data, cell.node.textContent], ["2 s", ""]);
});
