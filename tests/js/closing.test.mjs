/** closing.js: a close in words. */

import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";

import {closeWords} from "../../streaming/static/streaming/closing.js";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| (\d{4}) \| `(\w+)` \| (yes|no) \|$/gm)];
const CLOSES = Object.fromEntries(rows.map(([, code, reason, back]) => [code, {reason, reconnect: back === "yes"}]));

test("every close of the server has its words, its reason, and whether to come back", () => {
  assert.ok(rows.length > 10);
  for (const [, code, reason, back] of rows) {
    const words = closeWords({code: Number(code), reason}, CLOSES);
    assert.ok(words.startsWith(`Closed with ${code} (${reason}). `), words);
    assert.ok(words.endsWith(back === "yes" ? "should come back." : "is of no use."), words);
    assert.ok(words.split(". ").length >= 3, words);
  }
});

test("a revoked key is said to be one", () => {
  assert.equal(
    closeWords({code: 4010, reason: "access_revoked"}, CLOSES),
    "Closed with 4010 (access_revoked). Its access was taken away: the key was revoked or expired, or its browser was " +
      "logged out. Coming back by itself is of no use.",
  );
});

test("without a reason on the wire the table's is told", () => {
  assert.match(closeWords({code: 1000, reason: ""}, CLOSES), /^Closed with 1000 \(normal\)\. It was closed in order\./);
});

test("what no server says is told too: a lost connection, an unknown code", () => {
  assert.match(closeWords({code: 1006, reason: ""}, CLOSES), /^Closed with 1006\. It was lost without a goodbye/);
  assert.equal(closeWords({code: 4999, reason: "odd"}, CLOSES), "Closed with 4999 (odd).");
});
