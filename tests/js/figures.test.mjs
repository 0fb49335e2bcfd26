/** figures.js: what the overview says. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {base, feed, interest, number, processes, silence, tiles} from "../../streaming/static/streaming/figures.js";
import {overview} from "./overviews.mjs";

test("numbers are grouped, and small ones have a place behind the point", () => {
  const texts = [0, 7, 3.25, 99.96, 123.4, 1234, 1234567, 1234.5].map(number);
  assert.deepEqual(texts, ["0", "7", "3.3", "100.0", "123", "1,234", "1,234,567", "1,235"]);
});

test("contracts are amounts of the base currency, exactly", () => {
  const texts = [0, 1, 20, 1500, -20, -1500, 1234567890].map(base);
  assert.deepEqual(texts, ["0.000", "0.001", "0.020", "1.500", "−0.020", "−1.500", "1,234,567.890"]);
});

test("a silence has one unit", () => {
  assert.deepEqual([null, 0.04, 59.9, 60, 3599, 7300].map(silence), ["never", "0.0 s", "59.9 s", "1 min", "59 min", "2 h"]);
});

test("the tiles sum what all processes say", () => {
  const shown = tiles(overview());
  assert.deepEqual(shown.connections, {value: 10, figure: "10", more: "ticks 6 · events 3 · pages 1"});
  assert.deepEqual(shown.deliveries, {value: 1234.5, figure: "1,235", more: "conflated 2/s, 17 in all"});
  assert.deepEqual(shown.ticks, {value: 40, figure: "40", more: "refused 0.5/s, 3 in all"});
  assert.deepEqual(shown.lag, {value: 2.5, figure: "2.5", more: "3 commands/s · 1 waiting"});
});

test("without feed, engine and clients the tiles say so", () => {
  const shown = tiles(overview({feed: null, engine: null, connections: {}}));
  assert.equal(shown.connections.more, "nobody is connected");
  assert.equal(shown.ticks.more, "no feed");
  assert.deepEqual(shown.lag, {value: null, figure: "–", more: "no engine works"});
});

test("the feed's old products stand out", () => {
  const {note, rows} = feed(overview());
  assert.equal(note, "2 open, 1 stale");
  assert.deepEqual(rows.map(({cells}) => cells), [["GBP-USD", "stale", "never"], ["EUR-USD", "open", "0.4 s"]]);
  assert.deepEqual(rows.map(({tone}) => tone), ["bad", ""]);
  assert.deepEqual(feed(overview({feed: null})), {note: "No feed answers.", tone: "bad", rows: []});
});

test("open interest has both sides and what is between them", () => {
  const {note, rows} = interest(overview());
  assert.equal(note, "4 positions, 2 pending orders, the largest 1 of 30");
  assert.deepEqual(rows[0].cells, ["EUR-USD", "demo", "1.500", "2.000", "−0.500"]);
  assert.equal(interest(overview({engine: null})).tone, "bad");
  const one = {...overview().engine, positions: 1, orders: 0, products: 1};
  assert.equal(interest(overview({engine: one})).note, "1 position, 0 pending orders");
});

test("who holds the lease is named, and so is that nobody does", () => {
  const {note, rows} = processes(overview());
  assert.equal(note, "engine:3 holds the engine's lease (fence 5), 1 standing by.");
  assert.deepEqual(rows[0].cells, ["web:1", "web", "10", "1,235", "1.5 ms"]);
  assert.deepEqual(rows.map(({tone}) => tone), ["", "bad"]);
  const nobody = processes(overview({engine: null, standbys: 0}));
  assert.deepEqual([nobody.note, nobody.tone], ["Nobody holds the engine's lease, no standby.", "bad"]);
});
