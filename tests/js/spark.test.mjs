/** spark.js: small lines, asked for one after the other. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Sparks, sparkPoints} from "../../streaming/static/streaming/spark.js";
import {settled} from "./world.mjs";

test("a line fills its box, whatever the prices", () => {
  assert.equal(sparkPoints(["1", "3", "2"]), "0.0,15.0 24.0,1.0 48.0,8.0");
  assert.equal(sparkPoints(["5", "5"]), "0.0,8.0 48.0,8.0");
  assert.equal(sparkPoints(["5"]), "");
});

test("one request at a time, with a pause between; a refusal costs its line and no other", async () => {
  const asked = [];
  const drawn = [];
  const timers = [];
  const getJson = async (path) => {
    asked.push(path);
    if (path.includes("BAD")) throw new Error("no");
    return [["2", "1", "1", "1", "1.2"], ["1", "1", "1", "1", "1.1"]];
  };
  const sparks = new Sparks({getJson, setTimer: (callback) => timers.push(callback), onPrices: (...line) => drawn.push(line)});
  for (const name of ["BAD", "EUR-USD", "BAD"]) sparks.want(name);
  await settled();
  assert.deepEqual(asked, ["/trading/candles/BAD/60?limit=24"]);
  timers.shift()();
  await settled();
  assert.deepEqual(drawn, [["EUR-USD", ["1.1", "1.2"]]]);
  timers.shift()();
  assert.equal(asked.length, 2);
});
