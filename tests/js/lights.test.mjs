/** lights.js: what is lit goes out again. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {DataCell} from "../../streaming/static/streaming/cells.js";
import {LIT_MS, Lights, SWEEP_MS} from "../../streaming/static/streaming/lights.js";

let timers, isCalm, lights, nodes, cells;
beforeEach(() => {
  timers = [];
  isCalm = false;
  lights = new Lights({isCalm: () => isCalm, setTimer: (callback, delayMs) => timers.push([callback, delayMs])});
  nodes = [{dataset: {}}, {dataset: {}}];
  cells = nodes.map((node) => new DataCell(node, "flash"));
});

const shown = () => nodes.map(({dataset}) => dataset.flash);

/** Let time go on by one sweep. */
function sweep() {
  const [[callback, delayMs]] = timers.splice(0);
  assert.equal(delayMs, SWEEP_MS);
  callback();
}

test("a light goes out after its time, and then no timer runs", () => {
  lights.light(cells[0], "up");
  for (let passedMs = SWEEP_MS; passedMs < LIT_MS; passedMs += SWEEP_MS) {
    sweep();
    assert.deepEqual(shown(), ["up", undefined]);
  }
  sweep();
  assert.deepEqual([shown(), timers], [[undefined, undefined], []]);
});

test("another change begins anew, in its direction", () => {
  lights.light(cells[0], "up");
  sweep();
  lights.light(cells[0], "down");
  sweep();
  sweep();
  assert.deepEqual(shown(), ["down", undefined]);
  sweep();
  assert.deepEqual(shown(), [undefined, undefined]);
});

test("however many are lit, one timer runs", () => {
  for (const cell of cells) lights.light(cell, "up");
  assert.equal(timers.length, 1);
  sweep();
  assert.deepEqual([shown(), timers.length], [["up", "up"], 1]);
});

test("a calm page lights nothing", () => {
  isCalm = true;
  lights.light(cells[0], "up");
  assert.deepEqual([shown(), timers], [[undefined, undefined], []]);
});
