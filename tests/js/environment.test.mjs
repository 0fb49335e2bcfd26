/** environment.js: whose money it is, everywhere and remembered. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {EnvironmentSwitch} from "../../streaming/static/streaming/trade/environment.js";
import {install} from "./page.mjs";

function opened(kept) {
  const page = install();
  if (kept) page.kept.set("tickwire.environment", kept);
  const chosen = [];
  const one = new EnvironmentSwitch((id) => page.getElementById(id), {onChoose: (environment) => chosen.push(environment)});
  return {page, chosen, one};
}

test("it begins with play money", () => {
  const {page, one} = opened();
  assert.deepEqual([one.chosen, page.body.dataset.environment, page.getElementById("environment-demo").checked], ["demo", "demo", true]);
});

test("live is on the frame, at the ticket, at the account, and remembered", () => {
  const {page, chosen} = opened();
  page.getElementById("environment-live").happens("change");
  assert.deepEqual([chosen, page.body.dataset.environment, page.kept.get("tickwire.environment")], [["live"], "live", "live"]);
  const words = ["ticket-environment", "strip-environment", "environment-words"].map((id) => page.getElementById(id).textContent);
  assert.deepEqual(words, ["Live", "Live", "Real money: every order counts."]);
});

test("what was chosen last is chosen again, and choosing it changes nothing", () => {
  const {one, chosen} = opened("live");
  one.choose("live");
  assert.deepEqual([one.chosen, chosen], ["live", []]);
});
