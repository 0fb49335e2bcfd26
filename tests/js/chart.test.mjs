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

const level = (key, more = {}) => ({key, price: "1.20000", title: "Long 1 BTC", kind: "buy", ...more});
const lines = () => [...library.lines].map(({price, title, color, lineStyle}) => [price, title, color, lineStyle]);

test("an account's levels are lines in their colours; those that wait are dashed", () => {
  chart.setLevels([level("a"), level("b", {price: "1.3", title: "Limit", kind: "sell", isPending: true}), level("c", {kind: "liquidation"})]);
  assert.deepEqual(lines(), [
    [1.2, "Long 1 BTC", "dark up", 0], [1.3, "Limit", "dark down", 2], [1.2, "Long 1 BTC", "dark warn", 1],
  ]);
});

test("only what changes is drawn anew, and what is gone goes", () => {
  chart.setLevels([level("a"), level("b")]);
  const [kept] = library.lines;
  chart.setLevels([level("a", {price: "1.5"})]);
  assert.deepEqual([[...library.lines], kept.price], [[kept], 1.5]);
  chart.setLevels([]);
  assert.equal(library.lines.size, 0);
});

test("levels follow when the colours change", () => {
  chart.setLevels([level("a")]);
  scheme = "light";
  chart.restyle();
  assert.equal(lines()[0][2], "light up");
});
