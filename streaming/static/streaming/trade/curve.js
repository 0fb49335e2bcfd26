/** How did the profit add up? The closed positions as a line, for an SVG; no DOM in here. */

import {Exact, ZERO, larger} from "./exact.js";

/** The line's own units: a viewBox of this size is stretched to wherever it is shown. */
export const WIDTH = 1000;
export const HEIGHT = 100;

/** What a closed position has brought: profit or loss, and what holding it cost, at most its margin. */
export function resultOf({pnl, decay, margin}) {
  return larger(Exact.of(pnl).minus(Exact.of(decay)), Exact.of(margin).negated());
}

/**
 * Return `{path, zero, total, count, wins}` of closed positions in any order: the running total as an SVG path, the
 * height of its zero line, the total as exact text; null where nothing was closed.
 */
export function curveOf(closed) {
  if (closed.length === 0) return null;
  const ordered = [...closed].sort((one, other) => one.closed_at - other.closed_at);
  const results = ordered.map(resultOf);
  const totals = [ZERO];
  for (const result of results) totals.push(totals.at(-1).plus(result));
  // What is drawn may be a float; what is written is not.
  const heights = totals.map(Number);
  const [low, high] = [Math.min(0, ...heights), Math.max(0, ...heights)];
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT * (1 - (value - low) / (high - low)));
  const points = heights.map((value, index) => `${((index / (heights.length - 1)) * WIDTH).toFixed(1)} ${y(value).toFixed(1)}`);
  return {
    path: `M${points.join("L")}`, zero: y(0).toFixed(1), total: String(totals.at(-1).round(8, "down")),
    count: results.length, wins: results.filter(({sign}) => sign > 0).length,
  };
}
