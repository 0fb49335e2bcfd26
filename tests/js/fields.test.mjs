/** fields.js: what is wrong, at the field it is about. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {showProblems, textsOf} from "../../streaming/static/streaming/trade/fields.js";
import {install} from "./page.mjs";

test("words stand at their field, which says so to those who listen, and go again", () => {
  const page = install();
  const find = (id) => page.getElementById(id);
  const inputs = {size: find("ticket-size"), price: find("ticket-price")};
  showProblems(inputs, find, {size: "How much?"});
  assert.deepEqual([find("ticket-size-problem").textContent, find("ticket-price-problem").textContent], ["How much?", ""]);
  assert.deepEqual(Object.values(inputs).map((input) => input.getAttribute("aria-invalid")), ["true", "false"]);
  page.writes = 0;
  showProblems(inputs, find, {size: "How much?"});
  assert.equal(page.writes, 0);
  showProblems(inputs, find, {});
  assert.equal(find("ticket-size-problem").textContent, "");
});

test("blanks around what is typed mean nothing", () => {
  assert.deepEqual(textsOf({size: {value: " 1 "}}), {size: "1"});
});
