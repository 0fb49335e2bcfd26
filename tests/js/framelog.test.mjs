/** framelog.js: what the console keeps and shows. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {FrameLog, MAX_FRAMES, isHeartbeat, pretty} from "../../streaming/static/streaming/framelog.js";

const HEARTBEAT = '{"event":"heartbeat","sequence":1,"data":{"time":1}}';
const add = (log, ...texts) => texts.map((text) => log.add({way: "in", text, atMs: 0}));
const texts = (log) => log.visible().map(({text}) => text);

test("the newest stands first", () => {
  const log = new FrameLog();
  add(log, "a", "b");
  assert.deepEqual(texts(log), ["b", "a"]);
});

test("it keeps so many and no more", () => {
  const log = new FrameLog();
  add(log, ...Array.from({length: MAX_FRAMES + 3}, (_, index) => String(index)));
  assert.equal(log.visible().length, MAX_FRAMES);
  assert.deepEqual([texts(log)[0], texts(log).at(-1)], [String(MAX_FRAMES + 2), "3"]);
});

test("paused, it stands still and counts; going on, it shows what came", () => {
  const log = new FrameLog();
  add(log, "a");
  log.pause();
  assert.deepEqual(add(log, "b", "c"), [null, null]);
  assert.deepEqual([texts(log), log.waiting], [["a"], 2]);
  log.resume();
  assert.deepEqual([texts(log), log.waiting], [["c", "b", "a"], null]);
});

test("cleared, it is empty, and still paused if it was", () => {
  const log = new FrameLog();
  add(log, "a");
  log.pause();
  add(log, "b");
  log.clear();
  assert.deepEqual([texts(log), log.waiting], [[], 0]);
  log.resume();
  assert.deepEqual(texts(log), []);
});

test("heartbeats can be hidden, and are kept", () => {
  const log = new FrameLog();
  log.hidesHeartbeats = true;
  assert.equal(add(log, HEARTBEAT)[0], null);
  add(log, "a");
  assert.deepEqual(texts(log), ["a"]);
  log.hidesHeartbeats = false;
  assert.deepEqual(texts(log), ["a", HEARTBEAT]);
});

test("a heartbeat is one by its event, not by a word in it", () => {
  assert.ok(isHeartbeat(HEARTBEAT));
  assert.ok(!isHeartbeat('{"type":"subscribe","channels":["heartbeat"]}'));
});

test("pretty changes white space and nothing else", () => {
  const text = '{"bid":1.08500,"id":9007199254740993,"of":["a,b:{}\\"",1e-9],"none":{},"empty":[]}';
  const expected = [
    "{", '  "bid": 1.08500,', '  "id": 9007199254740993,', '  "of": [', '    "a,b:{}\\"",', "    1e-9", "  ],",
    '  "none": {},', '  "empty": []', "}",
  ];
  assert.equal(pretty(text), expected.join("\n"));
  assert.equal(pretty(text).replace(/\s/g, ""), text);
  assert.equal(pretty(pretty(text)), pretty(text));
});

test("what is no JSON stays as it is", () => {
  for (const text of ["", "hello", '{"a":', "<b>"]) assert.equal(pretty(text), text);
});
