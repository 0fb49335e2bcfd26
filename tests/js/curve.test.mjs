/** curve.js: the profit's course. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {curveOf, resultOf} from "../../streaming/static/streaming/trade/curve.js";

const closed = (closed_at, pnl, decay = "0", margin = "5.00000000") => ({closed_at, pnl, decay, margin});

test("what holding a position cost is taken off, and no more than the margin is lost", () => {
  assert.equal(String(resultOf(closed(1, "2.00000000", "0.5"))), "1.50000000");
  assert.equal(resultOf(closed(1, "-5.00000000", "0.5")).trimmed, "-5");
});

test("nothing closed, no curve", () => {
  assert.equal(curveOf([]), null);
});

test("it runs through the totals in the order of closing, with zero in sight", () => {
  const curve = curveOf([closed(3, "0.50000000"), closed(1, "1.00000000"), closed(2, "-2.00000000")]);
  assert.deepEqual(curve, {path: "M0.0 50.0L333.3 0.0L666.7 100.0L1000.0 75.0", zero: "50.0", total: "-0.50000000", count: 3, wins: 2});
});

test("the total is exact where floats are not", () => {
  assert.equal(curveOf([closed(1, "0.10000000"), closed(2, "0.20000000")]).total, "0.30000000");
});

test("positions that brought nothing lie on the zero line", () => {
  assert.equal(curveOf([closed(1, "0.00000000")]).path, "M0.0 50.0L1000.0 50.0");
});
