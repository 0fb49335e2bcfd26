/** notices.js: told once, for a while, and never too many. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {NOTICES_MAX, NOTICE_MS, Notices} from "../../streaming/static/streaming/notices.js";
import {install} from "./page.mjs";

let list, notices, timers;

beforeEach(() => {
  list = install().createElement("div");
  timers = [];
  notices = new Notices(list, {setTimer: (callback, delayMs) => timers.push([callback, delayMs])});
});

const shown = () => list.children.map(({textContent, dataset}) => [textContent, dataset.kind]);

test("a notice is told and goes after a while", () => {
  notices.tell("Bought", "good");
  notices.tell("Changed");
  assert.deepEqual(shown(), [["Bought", "good"], ["Changed", "plain"]]);
  const [[takeFirst, delayMs]] = timers;
  assert.equal(delayMs, NOTICE_MS);
  takeFirst();
  assert.deepEqual(shown(), [["Changed", "plain"]]);
});

test("a burst leaves the newest; one that is gone already may time out", () => {
  for (let number = 0; number < NOTICES_MAX + 3; number += 1) notices.tell(String(number));
  assert.deepEqual(shown().map(([text]) => text), ["3", "4", "5", "6"]);
  timers[0][0]();
  assert.equal(shown().length, NOTICES_MAX);
});

test("what is told is text, whatever it says", () => {
  notices.tell("<img src=x onerror=alert(1)>");
  assert.equal(list.children[0].children[0], "<img src=x onerror=alert(1)>");
});
