/** painter.js: one paint a frame. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Painter} from "../../streaming/static/streaming/painter.js";

function painter() {
  const frames = [];
  const painted = [];
  const paints = new Painter((frame) => frames.push(frame));
  return {frames, painted, ask: (key, what) => paints.ask(key, () => painted.push(what))};
}

test("however much is asked, one frame is asked for, and the last wish of each kind is painted", () => {
  const {frames, painted, ask} = painter();
  for (let count = 1; count <= 100; count += 1) ask("EUR-USD", count);
  ask("BTC-USD", "b");
  assert.deepEqual([frames.length, painted], [1, []]);
  frames[0]();
  assert.deepEqual(painted, [100, "b"]);
});

test("nothing is painted twice, and the next wish gets the next frame", () => {
  const {frames, painted, ask} = painter();
  ask("EUR-USD", 1);
  frames[0]();
  ask("EUR-USD", 2);
  assert.equal(frames.length, 2);
  frames[1]();
  assert.deepEqual(painted, [1, 2]);
});

test("what is asked for while painting comes in the next frame", () => {
  const frames = [];
  const painted = [];
  const paints = new Painter((frame) => frames.push(frame));
  paints.ask("a", () => paints.ask("b", () => painted.push("b")));
  frames[0]();
  assert.deepEqual([frames.length, painted], [2, []]);
});
