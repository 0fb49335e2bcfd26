/** chartpanel.js: the chart's surroundings. How it works with the page is in live.test.mjs. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {ChartPanel} from "../../streaming/static/streaming/chartpanel.js";
import {FakeLibrary, install} from "./page.mjs";
import {settled} from "./world.mjs";

const CHOICE = {product: "EUR-USD", resolution: "1", signal: "mid"};
const PRODUCT = {name: "EUR-USD", digits: 5, tick: "0.00001"};
const ROWS = [["60", "1", "1", "1", "1.1"]];

let page, panel, library, stream, timers;

beforeEach(() => {
  page = install();
  timers = [];
  for (let cell = 0; cell < 5; cell += 1) page.getElementById("legend").append(page.createElement("b"));
  library = new FakeLibrary();
  stream = {
    state: {name: "live"}, held: new Set(), wanted: [], left: [],
    subscribe: (channels) => stream.wanted.push(...channels), unsubscribe: (channels) => stream.left.push(...channels),
    holds: (channel) => stream.held.has(channel),
  };
  panel = new ChartPanel((id) => page.getElementById(id), {
    getJson: async () => ROWS, setTimer: (callback) => timers.push(callback), stream: () => stream, ask: (key, paint) => paint(),
  });
});

test("a product chosen before the library has come is drawn when it comes", async () => {
  stream.held.add("trading:candles:EUR-USD:1");
  panel.choose(CHOICE, PRODUCT);
  panel.setLevels([{key: "a", price: "1", title: "t", kind: "buy"}]);
  await panel.load(async () => library);
  await settled();
  assert.deepEqual([library.bars.length, library.lines.size], [1, 1]);
});

test("another choice leaves the channel of the one before", async () => {
  await panel.load(async () => library);
  panel.choose(CHOICE, PRODUCT);
  panel.choose({...CHOICE, signal: "bid"}, PRODUCT);
  assert.deepEqual(stream.left, []);
  panel.choose({...CHOICE, resolution: "5"}, PRODUCT);
  assert.deepEqual([stream.left, stream.wanted.at(-1)], [["trading:candles:EUR-USD:1"], "trading:candles:EUR-USD:5"]);
});

test("colours are read as they are where they are used, not as the style sheet names them", async () => {
  const read = [];
  globalThis.getComputedStyle = () => ({getPropertyValue: (name) => (read.push(name), ` ${name} `)});
  await panel.load(async () => library);
  assert.deepEqual([...new Set(read)].sort(), ["--font", "outline-color"]);
});

test("live candles are drawn at once, then once in a while, in the order of their times", async () => {
  stream.held.add("trading:candles:EUR-USD:1");
  await panel.load(async () => library);
  panel.choose(CHOICE, PRODUCT);
  await settled();
  const candle = (t, close) => panel.candle({product: "EUR-USD", resolution: "1", data: {t, m: ["1", "2", "1", close]}});
  const closes = () => library.bars.map(({time, close}) => [time, close]);
  candle("60", "1.2");
  for (const [t, close] of [["60", "1.3"], ["120", "1.4"], ["60", "1.5"], ["120", "1.6"]]) candle(t, close);
  assert.deepEqual(closes(), [[60, 1.2]]);
  timers.shift()();
  assert.deepEqual(closes(), [[60, 1.5], [120, 1.6]]);
  timers.shift()();
  assert.equal(timers.length, 0, "nothing waits, nothing is drawn");
  candle("120", "1.7");
  assert.deepEqual(closes().at(-1), [120, 1.7]);
});

test("without the library the rest goes on", async () => {
  await panel.load(() => Promise.reject(new Error("404")));
  panel.choose(CHOICE, PRODUCT);
  panel.candle({});
  panel.restyle();
  assert.match(page.getElementById("chart-error-words").textContent, /could not be loaded/);
});
