/** logs.js: where an account's log has been read to, and what is said on coming back. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Logs, environmentOf} from "../../streaming/static/streaming/logs.js";

const yes = () => true;
const no = () => false;

/** Logs that have had the demo account's snapshot at offset 840. */
function begun() {
  const logs = new Logs();
  logs.answered({demo: {epoch: "e1", offset: 838}});
  logs.took({event: "snapshot_demo", offset: 840, data: {}}, yes);
  return logs;
}

test("a channel's name says whose it is", () => {
  const names = ["trading:orders", "trading:positions_demo", "trading:balances", "trading:quotes:EUR-USD", "heartbeat"];
  assert.deepEqual(names.map(environmentOf), ["live", "demo", "live", undefined, undefined]);
});

test("it begins with a snapshot and goes on from there", () => {
  assert.deepEqual(new Logs().asking(["demo"], []), {snapshot: true});
  assert.deepEqual(begun().asking(["demo"], []), {resume: {demo: {epoch: "e1", offset: 840}}});
});

test("public channels alone ask for nothing", () => {
  assert.deepEqual(new Logs().asking([], []), {});
});

test("an account that is new beside one that is known: one resumes, the other begins", () => {
  const asked = begun().asking(["live", "demo"], []);
  assert.deepEqual(asked, {resume: {demo: {epoch: "e1", offset: 840}}, snapshot: true});
});

test("a channel that is added to others of its account brings a snapshot: its log is not resumed twice", () => {
  assert.deepEqual(begun().asking([], ["demo"]), {snapshot: true});
});

test("each event moves the place, of its own account only", () => {
  const logs = begun();
  logs.took({event: "order_demo:new", offset: 841, data: {}}, yes);
  logs.took({event: "balance_demo", offset: 842, data: {}}, yes);
  logs.took({event: "order:new", offset: 7, data: {}}, yes);
  logs.took({event: "quote", data: []}, yes);
  assert.deepEqual(logs.asking(["demo"], []).resume, {demo: {epoch: "e1", offset: 842}});
});

test("a heartbeat moves the place of what is followed on this connection, not of what is not", () => {
  const logs = begun();
  const heartbeat = {event: "heartbeat", data: {time: 1, offset: {live: 5, demo: 900}}};
  logs.took(heartbeat, no);
  assert.equal(logs.asking(["demo"], []).resume.demo.offset, 840);
  logs.took(heartbeat, yes);
  assert.equal(logs.asking(["demo"], []).resume.demo.offset, 900);
  logs.took({event: "heartbeat", data: {time: 1}}, yes);
});

test("before its snapshot an account has no place: a connection lost meanwhile begins anew", () => {
  const logs = new Logs();
  logs.answered({demo: {epoch: "e1", offset: 838}});
  logs.took({event: "order_demo:new", offset: 839, data: {}}, yes);
  assert.deepEqual(logs.asking(["demo"], []), {snapshot: true});
});

test("what was missed is told, and is read on before the place moves", () => {
  const logs = begun();
  const back = logs.answered({demo: {epoch: "e1", offset: 845, recovered: true}});
  assert.deepEqual(back, [{environment: "demo", recovered: true, missed: 5}]);
  assert.equal(logs.asking(["demo"], []).resume.demo.offset, 840, "the missed events are still on their way");
  logs.took({event: "order_demo:new", offset: 841, data: {}}, yes);
  assert.equal(logs.asking(["demo"], []).resume.demo.offset, 841);
});

test("another history replaces what was known, with the snapshot and not before", () => {
  const logs = begun();
  const back = logs.answered({demo: {epoch: "e2", offset: 3, recovered: false}});
  assert.deepEqual(back, [{environment: "demo", recovered: false, missed: 0}]);
  logs.took({event: "order_demo:new", offset: 3, data: {}}, yes);
  assert.deepEqual(logs.asking(["demo"], []).resume.demo, {epoch: "e1", offset: 840});
  logs.took({event: "snapshot_demo", offset: 3, data: {}}, yes);
  assert.deepEqual(logs.asking(["demo"], []).resume.demo, {epoch: "e2", offset: 3});
});

test("an answer without accounts brings nobody back", () => {
  assert.deepEqual(new Logs().answered(undefined), []);
});

test("what nobody follows any more is not resumed", () => {
  const logs = begun();
  logs.forget("demo");
  assert.deepEqual(logs.asking(["demo"], []), {snapshot: true});
});
