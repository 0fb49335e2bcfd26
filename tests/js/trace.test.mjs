/** trace.js: what the library of small lines is told. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {SPAN_S, Trace} from "../../streaming/static/streaming/trace.js";

class FakePlot {
  constructor(options, data, container) {
    Object.assign(this, {options, data, container});
    FakePlot.last = this;
  }

  setData(data) {
    this.data = data.map((column) => [...column]);
  }

  setSize(size) {
    this.size = size;
  }
}

let trace, container, scheme;
beforeEach(() => {
  container = {clientWidth: 300, clientHeight: 54};
  scheme = "dark";
  trace = new Trace(container, {library: FakePlot, colour: (name) => `${scheme} ${name}`});
});

test("it fills its container, and again when that becomes another one", () => {
  assert.deepEqual([FakePlot.last.options.width, FakePlot.last.options.height], [300, 54]);
  container.clientWidth = 200;
  trace.resize();
  assert.deepEqual(FakePlot.last.size, {width: 200, height: 54});
});

test("it asks for the page's colours whenever it draws", () => {
  const [, line] = FakePlot.last.options.series;
  assert.equal(line.stroke(), "dark accent");
  scheme = "light";
  assert.deepEqual([line.stroke(), line.fill()], ["light accent", "light accent-ground"]);
});

test("it keeps some minutes, and gaps where nothing is known", () => {
  for (let second = 0; second <= SPAN_S + 10; second += 1) trace.add(1_000 + second, second === 100 ? null : second);
  const [times, values] = FakePlot.last.data;
  assert.deepEqual([times[0], times.at(-1), times.length], [1_010, 1_000 + SPAN_S + 10, SPAN_S + 1]);
  assert.equal(values[90], null);
});

test("the ground is zero, and a flat line of small figures is not blown up", () => {
  const {x, y} = FakePlot.last.options.scales;
  assert.deepEqual(y.range(null, 5, 100), [0, 100 * 1.15]);
  assert.deepEqual(y.range(null, 0, 0), [0, 1]);
  assert.deepEqual(x.range(null, 990, 1_000), [970, 1_000]);
  assert.deepEqual(x.range(null, 820, 1_000), [820, 1_000]);
});
