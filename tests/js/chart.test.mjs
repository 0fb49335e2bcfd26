/** chart.js: what the chart library is told. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {PriceChart} from "../../streaming/static/streaming/chart.js";
import {FakeLibrary} from "./page.mjs";

const bar = (time, close = 1.5) => ({time, open: 1, high: 2, low: 0.5, close});

let library, chart, scheme, edges, legends;
beforeEach(() => {
  library = new FakeLibrary();
  scheme = "dark";
  edges = legends = 0;
  chart = new PriceChart({}, {
    library, colour: (name) => `${scheme} ${name}`, onEdge: () => (edges += 1), onLegend: () => (legends += 1),
  });
  chart.configure({digits: 5, tick: "0.00001"}, "1");
});

test("it draws in the page's colours, and follows when they change", () => {
  assert.equal(library.options.chart.layout.background.color, "dark panel");
  assert.equal(library.options.series.upColor, "dark up");
  scheme = "light";
  chart.restyle();
  assert.equal(library.options.chart.layout.background.color, "light panel");
  assert.equal(library.options.series.downColor, "light down");
});

test("the library's own logo is off: it would need inline styles, and the page has notice and link", () => {
  assert.equal(library.options.chart.layout.attributionLogo, false);
});

test("the axis has the product's digits, times of day only below a day, and the newest bars in sight", () => {
  assert.deepEqual(library.options.series.priceFormat, {type: "price", precision: 5, minMove: 0.00001});
  assert.equal(library.options.time.timeVisible, true);
  chart.configure({digits: 1, tick: "0.1"}, "1D");
  assert.deepEqual(library.options.series.priceFormat, {type: "price", precision: 1, minMove: 0.1});
  assert.equal(library.options.time.timeVisible, false);
  assert.equal(library.resets, 2);
});

test("older bars are asked for near the left edge, and only there", () => {
  library.scrollTo(80);
  assert.equal(edges, 0);
  library.scrollTo(10);
  library.scrollTo(-20);
  assert.equal(edges, 2);
});

test("the legend is the newest bar's, or that under the pointer, in the product's digits", () => {
  assert.equal(chart.legend(), null);
  chart.reset([bar(60), bar(120)]);
  chart.update(bar(180, 0.75), false);
  chart.update(bar(60, 1), true);
  assert.deepEqual(chart.legend(), {
    prices: ["1.00000", "2.00000", "0.50000", "0.75000"], text: "−25.00 %", direction: "down",
  });
  library.hover(bar(60));
  assert.equal(chart.legend().text, "+50.00 %");
  library.leave();
  assert.deepEqual([chart.legend().text, legends], ["−25.00 %", 2]);
});

test("bars are drawn as they come, also older ones", () => {
  chart.reset([bar(60), bar(120)]);
  chart.update(bar(180), false);
  chart.update(bar(60, 1), true);
  assert.deepEqual(library.bars.map(({time, close}) => [time, close]), [[60, 1], [120, 1.5], [180, 1.5]]);
  chart.reset([]);
  assert.equal(chart.legend(), null);
});
