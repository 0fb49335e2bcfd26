/** candles.js: history and live events make one chart. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Candles} from "../../streaming/static/streaming/candles.js";

const row = (t, close) => [String(t), "1.0", "3.0", "0.5", close];
const flat = (price) => [price, price, price, price];
const event = (t, close) => ({t: String(t), m: ["1.0", "3.0", "0.5", close], b: flat("1"), a: flat("2")});
const closes = (candles) => candles.bars.map(({time, close}) => [time, close]);

function loaded(rows) {
  const candles = new Candles("mid");
  candles.loading();
  candles.history(rows);
  return candles;
}

test("rows come newest first and are drawn oldest first, as numbers", () => {
  const candles = loaded([row(120, "1.08249"), row(60, "1.08248")]);
  assert.deepEqual(candles.bars[0], {time: 60, open: 1, high: 3, low: 0.5, close: 1.08248});
  assert.deepEqual([candles.oldest.time, candles.newest.time], [60, 120]);
});

test("without bars there is neither an oldest nor a newest", () => {
  const candles = new Candles("mid");
  assert.deepEqual([candles.bars, candles.oldest, candles.newest], [[], undefined, undefined]);
});

for (const [signal, close] of [["mid", 1.5], ["bid", 1], ["ask", 2]]) {
  test(`${signal} reads its own prices of an event`, () => {
    assert.equal(new Candles(signal).live(event(60, "1.5")).bar.close, close);
  });
}

test("an event replaces its bar, or adds one behind or before the newest", () => {
  const candles = loaded([row(120, "1.2"), row(60, "1.1")]);
  assert.equal(candles.live(event(120, "1.3")).isOlder, false);
  assert.equal(candles.live(event(180, "1.4")).isOlder, false);
  assert.equal(candles.live(event(60, "1.0")).isOlder, true);
  assert.deepEqual(closes(candles), [[60, 1], [120, 1.3], [180, 1.4]]);
});

test("an event that came while history was on its way is newer than it", () => {
  const candles = new Candles("mid");
  candles.loading();
  candles.live(event(60, "1.9"));
  candles.history([row(60, "1.1")]);
  assert.deepEqual(closes(candles), [[60, 1.9]]);
});

test("an event from before the request may be older than the answer", () => {
  const candles = new Candles("mid");
  candles.live(event(60, "1.9"));
  candles.loading();
  candles.history([row(60, "1.1")]);
  assert.deepEqual(closes(candles), [[60, 1.1]]);
});

test("older pages are put before what is there", () => {
  const candles = loaded([row(180, "1.3"), row(120, "1.2")]);
  candles.loading();
  candles.history([row(60, "1.1")]);
  assert.deepEqual(closes(candles), [[60, 1.1], [120, 1.2], [180, 1.3]]);
});

test("after a pause that a page bridges, all bars stay", () => {
  const candles = loaded([row(120, "1.2"), row(60, "1.1")]);
  candles.loading();
  candles.newestHistory([row(180, "1.3"), row(120, "1.25")], 2);
  assert.deepEqual(closes(candles), [[60, 1.1], [120, 1.25], [180, 1.3]]);
});

test("after a pause longer than a page, bars beyond the hole go; what came live since stays", () => {
  const candles = loaded([row(120, "1.2"), row(60, "1.1")]);
  candles.loading();
  candles.live(event(360, "1.6"));
  candles.newestHistory([row(300, "1.5"), row(240, "1.4")], 2);
  assert.deepEqual(closes(candles), [[240, 1.4], [300, 1.5], [360, 1.6]]);
});

test("a page that is not full is all there is: nothing can be missing", () => {
  const candles = loaded([row(60, "1.1")]);
  candles.loading();
  candles.newestHistory([row(300, "1.5")], 2);
  assert.deepEqual(closes(candles), [[60, 1.1], [300, 1.5]]);
});
