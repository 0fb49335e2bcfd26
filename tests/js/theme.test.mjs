/** theme.js: dark, light, or as the system is. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Theme} from "../../streaming/static/streaming/theme.js";
import {install} from "./page.mjs";

test("the button goes round, the page follows, and it is remembered", () => {
  const page = install();
  let changes = 0;
  const button = page.createElement("button");
  const theme = new Theme(button, {onChange: () => (changes += 1)});
  const seen = [];
  for (let press = 0; press < 4; press += 1) {
    seen.push([theme.theme, page.documentElement.dataset.theme, page.kept.get("tickwire.theme")]);
    button.happens("click");
  }
  assert.deepEqual(seen, [["system", undefined, undefined], ["dark", "dark", "dark"], ["light", "light", "light"], ["system", undefined, undefined]]);
  assert.equal(changes, 4);
  assert.match(button.getAttribute("aria-label"), /Dark/);
});

test("the next page has it from the start", () => {
  const page = install();
  page.kept.set("tickwire.theme", "light");
  new Theme(page.createElement("button"), {onChange() {}});
  assert.equal(page.documentElement.dataset.theme, "light");
});
