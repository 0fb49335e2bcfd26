/** first.js: the chosen theme is there before anything is painted. */

import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {runInNewContext} from "node:vm";

const script = readFileSync(new URL("../../streaming/static/streaming/first.js", import.meta.url), "utf8");

/** Run it as the browser would, and return what the page's root says. */
function run(localStorage) {
  const root = {dataset: {}};
  runInNewContext(script, {localStorage, document: {documentElement: root}});
  return root.dataset.theme;
}

test("a chosen theme is set; none follows the system", () => {
  assert.equal(run({getItem: (name) => (name === "tickwire.theme" ? "dark" : null)}), "dark");
  assert.equal(run({getItem: () => null}), undefined);
});

test("a browser that forbids storage follows the system", () => {
  assert.equal(run({getItem() {
    throw new Error("denied");
  }}), undefined);
});
