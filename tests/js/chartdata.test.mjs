/** chartdata.js: history and live events reach the chart in the right order, and only those of the present choice. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {ChartData, PAGE} from "../../streaming/static/streaming/chartdata.js";
import {settled} from "./world.mjs";

const EUR = {product: "EUR-USD", resolution: "1", signal: "mid"};
const BTC = {product: "BTC-USD", resolution: "60", signal: "bid"};
const row = (t) => [String(t), "1", "1", "1", "1"];
const page = (newest, count = PAGE) => Array.from({length: count}, (_, index) => row(newest - 60 * index));

class Desk {
  requests = [];
  bars = [];
  updates = [];
  shown = [];
  data = new ChartData((path, {signal}) => this.#request(path, signal), {
    reset: (bars) => (this.bars = bars.map(({time}) => time)),
    update: (bar, isOlder) => this.updates.push([bar.time, isOlder]),
    show: (what, words) => this.shown.push(words ? `${what}: ${words}` : what),
  });

  /** Choose, and load as soon as the channel is confirmed. */
  choose(choice) {
    this.data.choose(choice);
    this.data.refresh();
    return this;
  }

  async answer(rows, request = this.requests.at(-1)) {
    request.resolve(rows);
    await settled();
  }

  async fail(message) {
    this.requests.at(-1).reject(new Error(message));
    await settled();
  }

  candle(t, {product = "EUR-USD", resolution = "1"} = {}) {
    const prices = ["1", "1", "1", "1"];
    const data = {t: String(t), m: prices, b: prices, a: prices, closed: false};
    this.data.take({event: "candle", product, resolution, data});
  }

  get state() {
    return this.shown.at(-1);
  }

  #request(path, signal) {
    return new Promise((resolve, reject) => this.requests.push({path, signal, resolve, reject}));
  }
}

test("a choice is loaded with its product, resolution and signal, and drawn", async () => {
  const desk = new Desk().choose(BTC);
  assert.equal(desk.requests[0].path, "/trading/candles/BTC-USD/60?signal=bid&limit=150");
  assert.equal(desk.state, "loading");
  await desk.answer([row(120), row(60)]);
  assert.deepEqual([desk.bars, desk.state], [[60, 120], "bars"]);
});

test("live candles that come before history are drawn with it, later ones at once", async () => {
  const desk = new Desk().choose(EUR);
  desk.candle(180);
  assert.deepEqual(desk.updates, []);
  await desk.answer([row(120), row(60)]);
  assert.deepEqual(desk.bars, [60, 120, 180]);
  desk.candle(240);
  desk.candle(180);
  assert.deepEqual(desk.updates, [[240, false], [180, true]]);
});

test("an answer to an earlier choice is dropped, and its request given up", async () => {
  const desk = new Desk().choose(EUR).choose(BTC);
  assert.ok(desk.requests[0].signal.aborted);
  await desk.answer([row(60)], desk.requests[0]);
  assert.deepEqual([desk.bars, desk.state], [[], "loading"]);
  await desk.answer([row(3600)]);
  assert.deepEqual(desk.bars, [3600]);
});

test("an answer that comes between a choice and its own request is dropped too", async () => {
  const desk = new Desk().choose(EUR);
  desk.data.choose(BTC);
  await desk.answer([row(60)]);
  assert.deepEqual([desk.bars, desk.state], [[], "loading"]);
});

test("candles of another product or resolution are not ours", async () => {
  const desk = new Desk().choose(EUR);
  await desk.answer([row(60)]);
  desk.candle(120, {product: "BTC-USD"});
  desk.candle(120, {resolution: "5"});
  assert.deepEqual(desk.updates, []);
});

test("a product without candles says so until its first", async () => {
  const desk = new Desk().choose(EUR);
  await desk.answer([]);
  assert.equal(desk.state, "empty");
  desk.candle(60);
  assert.deepEqual([desk.bars, desk.state], [[60], "bars"]);
});

test("scrolling left loads the page before, once, until nothing is older", async () => {
  const desk = new Desk().choose(EUR);
  await desk.answer(page(60_000));
  desk.data.older();
  desk.data.older();
  assert.equal(desk.requests.length, 2);
  const end = 60_000 - 60 * (PAGE - 1) - 1;
  assert.equal(desk.requests[1].path, `/trading/candles/EUR-USD/1?signal=mid&limit=150&end=${end}`);
  await desk.answer(page(end - 59, 10));
  assert.equal(desk.bars.length, PAGE + 10);
  desk.data.older();
  assert.equal(desk.requests.length, 2, "that page was not full");
});

test("nothing is loaded to the left of what is not there yet", () => {
  const desk = new Desk();
  desk.data.older();
  desk.choose(EUR);
  desk.data.older();
  assert.equal(desk.requests.length, 1);
});

test("an error is shown in its words, and trying again helps", async () => {
  const desk = new Desk().choose(EUR);
  await desk.fail("Too many requests");
  assert.equal(desk.state, "error: Too many requests");
  desk.data.refresh();
  assert.equal(desk.state, "loading");
  await desk.answer([row(60)]);
  assert.equal(desk.state, "bars");
});

test("a failed refresh leaves the bars that are there", async () => {
  const desk = new Desk().choose(EUR);
  await desk.answer([row(60)]);
  desk.data.refresh();
  await desk.fail("The server cannot be reached.");
  assert.deepEqual([desk.bars, desk.state], [[60], "bars"]);
});

test("after a pause of the connection the missed bars are filled in", async () => {
  const desk = new Desk().choose(EUR);
  await desk.answer([row(120), row(60)]);
  desk.data.refresh();
  desk.candle(300);
  await desk.answer([row(240), row(180), row(120), row(60)]);
  assert.deepEqual(desk.bars, [60, 120, 180, 240, 300]);
});

test("without a choice there is nothing to refresh", async () => {
  const desk = new Desk();
  await desk.data.refresh();
  desk.candle(60);
  assert.deepEqual([desk.requests, desk.shown], [[], []]);
});
