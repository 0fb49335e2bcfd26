/** overview.js: the administrator's page, put together. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {OLD_AFTER_MS, OverviewPage} from "../../streaming/static/streaming/overview.js";
import {overview} from "./overviews.mjs";
import {install} from "./page.mjs";

class FakePlot {
  setData([times, values]) {
    this.points = times.map((time, at) => [time, values[at]]);
  }
}

let page, world, options, stream, nowMs, tick, plots;
beforeEach(async () => {
  page = install();
  nowMs = 1_000;
  plots = [];
  stream = {state: {name: "connecting"}, roundTripMs: 3, retryNow() {}};
  world = {
    connect: (given) => ((options = given), stream),
    loadPlots: async () => function make() {
      plots.push(new FakePlot());
      return plots.at(-1);
    },
    requestFrame: (paint) => paint(),
    monotonicMs: () => nowMs,
    everySecond: (call) => (tick = call),
  };
  page.getElementById("overview").dataset.socket = "/ws/app";
  await new OverviewPage(world).start();
});

const text = (id) => page.getElementById(id).textContent;
const state = () => page.getElementById("overview").dataset.state;
const rows = (id) => page.getElementById(id).children.map((row) => row.children.map((cell) => cell.textContent));

function become(given) {
  stream.state = given;
  options.onState(given);
}

function receive(changes) {
  become({name: "live"});
  options.onEvent({event: "heartbeat", data: {}});
  options.onEvent({event: "overview", data: overview(changes)});
}

test("it asks for the staff's channel at this server's own address", () => {
  assert.equal(options.url, "ws://here:8080/ws/app");
  assert.deepEqual(options.channels, ["admin:overview"]);
});

test("figures, rows and lines are painted as they come", () => {
  receive();
  assert.deepEqual([text("connections"), text("deliveries"), text("ticks"), text("lag")], ["10", "1,235", "40", "2.5"]);
  assert.deepEqual(rows("feed-rows"), [["GBP-USD", "stale", "never"], ["EUR-USD", "open", "0.4 s"]]);
  assert.deepEqual(rows("interest-rows"), [["EUR-USD", "demo", "1.500", "2.000", "−0.500"]]);
  assert.equal(rows("process-rows").length, 2);
  assert.deepEqual(plots.map(({points}) => points), [[[1_709_742_000, 10]], [[1_709_742_000, 1234.5]], [[1_709_742_000, 40]], [[1_709_742_000, 2.5]]]);
  assert.equal(state(), "live");
});

test("rows that are gone leave, and what did not change is not written again", () => {
  receive();
  const before = page.writes;
  receive();
  assert.equal(page.writes, before);
  receive({processes: [], engine: null});
  assert.deepEqual([rows("process-rows"), rows("interest-rows")], [[], []]);
  assert.equal(page.getElementById("interest-note").dataset.tone, "bad");
});

test("figures that do not come any more are called old, although the connection lives", () => {
  receive();
  nowMs += OLD_AFTER_MS + 1;
  options.onEvent({event: "heartbeat", data: {}});
  tick();
  assert.deepEqual([state(), text("overview-connection")], ["stale", "Figures stand still"]);
});

test("a connection that is lost, or ended, is said", () => {
  receive();
  become({name: "reconnecting", reason: "restart", retryAtMs: nowMs + 2_000});
  assert.deepEqual([state(), text("overview-connection")], ["waiting", "Reconnecting in 2 s"]);
  become({name: "closed", code: 4010, reason: "access_revoked"});
  assert.deepEqual([state(), text("overview-connection")], ["closed", "Logged out"]);
});

test("who may not watch is told so", () => {
  become({name: "live"});
  options.onError({message: "This API key lacks the scope for that", code: "scope_denied"}, ["admin:overview"]);
  assert.equal(text("overview-detail"), "This API key lacks the scope for that");
  tick();
  assert.equal(text("overview-detail"), "This API key lacks the scope for that");
});

test("without the library of lines the figures are there all the same", async () => {
  world.loadPlots = async () => {
    throw new Error("gone");
  };
  await new OverviewPage(world).start();
  receive();
  assert.equal(text("connections"), "10");
});
