/** stream.js: it stays connected, and misses nothing without saying so. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {
  ASK_AGAIN_MS, BACKOFF_FIRST_MS, BACKOFF_MAX_MS, FINAL_CLOSES, NAMES_PER_MESSAGE, SILENCE_MAX_MS, STABLE_MS, backoffMs,
} from "../../streaming/static/streaming/stream.js";
import {START_MS, WALL_MS, World} from "./world.mjs";

const EUR = "trading:quotes:EUR-USD";
const BTC = "trading:quotes:BTC-USD";
const SOME = Array.from({length: 7}, (_, number) => `trading:quotes:P${number}`);

async function live(options = {channels: [EUR]}) {
  const world = new World();
  world.connect(options);
  await world.accept();
  return world;
}

// ---- connecting

test("it asks for heartbeats and the channels in one message", async () => {
  const world = await live({channels: [EUR, BTC]});
  assert.equal(world.socket.url, "ws://here/ws/events");
  assert.deepEqual(world.socket.questions, [{type: "subscribe", id: 1, channels: ["heartbeat", EUR, BTC]}]);
});

test("it is live when the server has confirmed, not when the socket is open", async () => {
  const world = new World();
  world.connect({channels: [EUR]});
  await world.socket.open();
  assert.equal(world.state.name, "connecting");
  await world.socket.accept();
  assert.equal(world.state.name, "live");
});

test("a fresh signature goes with every connection, once", async () => {
  let made = 0;
  const world = await live({channels: [EUR], auth: async () => ({key: "k", sig: `s${++made}`, timestamp: made})});
  world.stream.subscribe([BTC]);
  await world.accept();
  await world.socket.end(1006);
  await world.pass(BACKOFF_FIRST_MS);
  await world.accept();
  const signatures = world.sockets.map((socket) => socket.questions.map(({auth}) => auth?.sig));
  assert.deepEqual(signatures, [["s1", undefined], ["s2"]]);
});

test("nothing is asked for before the signature is there", async () => {
  const world = new World();
  let sign;
  world.connect({channels: [EUR], auth: () => new Promise((resolve) => (sign = resolve))});
  await world.socket.open();
  world.stream.subscribe(["trading:orders"]);
  await world.pass(0);
  assert.deepEqual(world.socket.sent, []);
  sign({key: "k", sig: "s", timestamp: 1});
  await world.pass(0);
  assert.deepEqual(world.socket.question.channels, ["heartbeat", EUR, "trading:orders"]);
  assert.equal(world.socket.question.auth.sig, "s");
});

test("where no signature can be had, it tries again later", async () => {
  const world = new World();
  world.connect({auth: () => Promise.reject(new Error("no key"))});
  await world.socket.open();
  const retryAtMs = START_MS + BACKOFF_FIRST_MS;
  assert.deepEqual(world.state, {name: "reconnecting", reason: "Error: no key", retryAtMs});
  assert.equal(world.socket.closedWith.code, 3003);
});

// ---- coming back

test("a lost connection is opened again, with everything that was wanted", async () => {
  const world = await live();
  world.stream.subscribe([BTC]);
  await world.accept();
  await world.socket.end(1006);
  assert.deepEqual(world.state, {
    name: "reconnecting", reason: "connection_lost", retryAtMs: world.nowMs + BACKOFF_FIRST_MS,
  });
  await world.pass(BACKOFF_FIRST_MS - 1);
  assert.equal(world.sockets.length, 1);
  await world.pass(1);
  assert.deepEqual(world.state, {name: "reconnecting", reason: "connection_lost"});
  await world.accept();
  assert.deepEqual(world.socket.questions.map(({channels}) => channels), [["heartbeat", EUR, BTC]]);
  assert.equal(world.state.name, "live");
});

test("pauses double up to a bound, and chance takes up to half of them", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 500].map((attempts) => backoffMs(attempts, 0)),
    [500, 1000, 2000, 4000, 8000, BACKOFF_MAX_MS, BACKOFF_MAX_MS]);
  for (const random of [0, 0.25, 0.999]) {
    for (let attempts = 0; attempts < 20; attempts += 1) {
      const full = backoffMs(attempts, 0);
      const pause = backoffMs(attempts, random);
      assert.ok(pause > full / 2 && pause <= full, `${pause} of ${full}`);
    }
  }
});

test("clients that lost the same server do not come back at the same time", async () => {
  const pauses = [0, 0.5, 0.9].map(async (chance) => {
    const world = await live();
    world.chance = chance;
    await world.socket.end(1006);
    return world.state.retryAtMs - world.nowMs;
  });
  assert.equal(new Set(await Promise.all(pauses)).size, 3);
});

test("pauses grow while tries fail, also those that are live for a moment only", async () => {
  const world = await live();
  const pauses = [];
  for (const isShortlyLive of [true, false, true, false]) {
    await world.socket.end(1006);
    pauses.push(world.state.retryAtMs - world.nowMs);
    await world.pass(pauses.at(-1));
    if (isShortlyLive) await world.accept();
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000]);
});

test("after a good connection the first pause is short again", async () => {
  const world = await live();
  await world.socket.end(1006);
  await world.pass(500);
  await world.accept();
  await world.pass(STABLE_MS);
  await world.socket.end(1006);
  assert.equal(world.state.retryAtMs - world.nowMs, BACKOFF_FIRST_MS);
});

test("it can be told not to wait", async () => {
  const world = await live();
  await world.socket.end(1006);
  world.stream.retryNow();
  assert.equal(world.sockets.length, 2);
  world.stream.retryNow();
  await world.pass(BACKOFF_FIRST_MS);
  assert.equal(world.sockets.length, 2, "the pause's own timer is gone, and a try under way is left alone");
});

test("a server that shuts down says when to come back", async () => {
  const world = await live();
  await world.socket.say({type: "shutdown", retryAfterMs: 2345});
  await world.socket.end(1012, "restart");
  assert.deepEqual(world.state, {name: "reconnecting", reason: "restart", retryAtMs: world.nowMs + 2345});
  await world.pass(2345);
  await world.socket.end(1006);
  assert.equal(world.state.retryAtMs - world.nowMs, backoffMs(1, 0), "it holds for one pause");
});

for (const code of FINAL_CLOSES) {
  test(`it does not come back after close ${code}`, async () => {
    const world = await live();
    await world.socket.end(code, "words");
    assert.deepEqual(world.state, {name: "closed", code, reason: "words"});
    await world.pass(3_600_000);
    assert.deepEqual([world.sockets.length, world.timers], [1, 0]);
  });
}

for (const code of [1001, 1006, 1011, 1012, 4001, 4008, 4029]) {
  test(`it comes back after close ${code}`, async () => {
    const world = await live();
    await world.socket.end(code);
    await world.pass(BACKOFF_FIRST_MS);
    assert.equal(world.sockets.length, 2);
  });
}

test("close ends it for good, also while it waits", async () => {
  const world = await live();
  await world.socket.end(1006);
  world.stream.close();
  await world.pass(3_600_000);
  assert.deepEqual(world.state, {name: "closed", code: 1000, reason: "normal"});
  assert.deepEqual([world.sockets.length, world.timers], [1, 0]);
});

test("close ends an open connection as finished", async () => {
  const world = await live();
  world.stream.close();
  assert.equal(world.socket.closedWith.code, 1000);
});

// ---- noticing that something is wrong

test("events are handed on in order", async () => {
  const world = await live();
  await world.socket.event("quote", ["EUR-USD", "1.08248"]);
  await world.socket.event("quote", ["EUR-USD", "1.08249"]);
  assert.deepEqual(world.events.map(({sequence, data}) => [sequence, data[1]]), [[1, "1.08248"], [2, "1.08249"]]);
});

for (const [what, sequence] of [["missing", 3], ["repeated", 1]]) {
  test(`a ${what} sequence number means a new connection, and its event is not trusted`, async () => {
    const world = await live();
    await world.socket.event("quote");
    await world.socket.event("quote", null, {sequence});
    assert.equal(world.socket.closedWith.code, 3001);
    assert.equal(world.state.reason, "sequence_gap");
    assert.equal(world.events.length, 1);
  });
}

test("the sequence begins anew with every connection", async () => {
  const world = await live();
  await world.socket.event("quote");
  await world.socket.end(1006);
  await world.pass(BACKOFF_FIRST_MS);
  await world.accept();
  await world.socket.event("quote");
  assert.equal(world.state.name, "live");
});

test("a connection that falls silent is left, however open it looks", async () => {
  const world = await live();
  await world.pass(SILENCE_MAX_MS - 1);
  assert.equal(world.state.name, "live");
  await world.pass(1);
  assert.equal(world.state.reason, "silence");
  assert.equal(world.socket.closedWith.code, 3002);
});

test("every message keeps a connection", async () => {
  const world = await live();
  for (let count = 0; count < 5; count += 1) {
    await world.pass(SILENCE_MAX_MS - 1);
    await world.socket.event("heartbeat", {time: 0});
  }
  assert.equal(world.state.name, "live");
  await world.pass(SILENCE_MAX_MS);
  assert.equal(world.state.reason, "silence");
});

test("a server that never answers counts as silent too", async () => {
  const world = new World();
  world.connect();
  await world.pass(SILENCE_MAX_MS);
  assert.equal(world.state.reason, "silence");
});

test("nobody listens any more to a socket that was left", async () => {
  const world = await live();
  const left = world.socket;
  await world.pass(SILENCE_MAX_MS + BACKOFF_FIRST_MS);
  await world.accept();
  await left.event("quote");
  await left.end(4010, "access_revoked");
  assert.equal(world.state.name, "live");
  assert.deepEqual(world.events, []);
});

// ---- what is wanted, what is held

test("what is asked for at once leaves in one message, and goes before what is given up", async () => {
  const world = await live({channels: [EUR]});
  world.stream.unsubscribe([EUR]);
  world.stream.subscribe([BTC]);
  world.stream.subscribe(SOME);
  await world.accept();
  const asked = world.socket.questions.slice(1).map(({type, channels}) => [type, channels]);
  assert.deepEqual(asked, [["subscribe", [BTC, ...SOME]], ["unsubscribe", [EUR]]]);
});

test("one question at a time: wishes that come meanwhile wait for its reply", async () => {
  const world = new World();
  world.connect({channels: [EUR]});
  await world.socket.open();
  world.stream.subscribe([BTC]);
  await world.pass(0);
  assert.equal(world.socket.questions.length, 1);
  await world.socket.accept();
  assert.deepEqual(world.socket.question.channels, [BTC]);
});

test("it says what the server has confirmed, anew on every connection, and not what was given up", async () => {
  const held = [];
  const world = await live({channels: [EUR], onHeld: (channels) => held.push(channels)});
  world.stream.subscribe([BTC]);
  world.stream.unsubscribe([EUR]);
  await world.accept();
  await world.socket.end(1006);
  await world.pass(BACKOFF_FIRST_MS);
  await world.accept();
  assert.deepEqual(held, [["heartbeat", EUR], [BTC], ["heartbeat", BTC]]);
});

test("a wish that was taken back costs nothing", async () => {
  const world = await live();
  world.stream.subscribe([BTC]);
  world.stream.unsubscribe([BTC]);
  await world.pass(0);
  assert.equal(world.socket.questions.length, 1);
});

test("many channels go in batches that a message has room for", async () => {
  const channels = Array.from({length: 2 * NAMES_PER_MESSAGE}, (_, number) => `trading:quotes:P${number}`);
  const world = await live({channels});
  assert.deepEqual(world.socket.questions.map((message) => message.channels.length), [1000, 1000, 1]);
  assert.deepEqual(world.socket.questions.flatMap((message) => message.channels), ["heartbeat", ...channels]);
});

test("rate limited: it waits as long as it was told, then asks the same", async () => {
  const world = new World();
  world.connect({channels: [EUR]});
  await world.socket.open();
  await world.socket.refuse("rate_limited", {retryAfterMs: 4000});
  world.stream.subscribe([BTC]);
  await world.pass(3999);
  assert.equal(world.socket.question, undefined);
  await world.pass(1);
  assert.deepEqual(world.socket.question.channels, ["heartbeat", EUR, BTC]);
  assert.deepEqual(world.errors, []);
});

for (const code of ["unavailable", "internal_error"]) {
  test(`${code} is no fault of the channels: it asks again a moment later`, async () => {
    const world = new World();
    world.connect({channels: [EUR]});
    await world.socket.open();
    await world.socket.refuse(code);
    assert.equal(world.socket.question, undefined);
    await world.pass(ASK_AGAIN_MS);
    assert.deepEqual(world.socket.question.channels, ["heartbeat", EUR]);
  });
}

test("one bad name among many is found, given up and named; the others are served", async () => {
  const bad = SOME[3];
  const world = new World();
  world.connect({channels: SOME});
  await world.socket.open();
  while (world.socket.question !== undefined) {
    if (world.socket.question.channels.includes(bad)) await world.socket.refuse("unknown_channel");
    else await world.socket.accept();
  }
  assert.deepEqual(world.errors, [["unknown_channel", [bad]]]);
  assert.equal(world.state.name, "live");
  const good = ["heartbeat", ...SOME].filter((channel) => channel !== bad);
  world.stream.unsubscribe(good);
  await world.accept();
  const givenUp = world.socket.questions.filter(({type}) => type === "unsubscribe").flatMap(({channels}) => channels);
  assert.deepEqual(new Set(givenUp), new Set(good), "all of them were held");
});

test("an unsubscribe that is refused is not asked for ever", async () => {
  const world = await live();
  world.stream.unsubscribe([EUR]);
  await world.pass(0);
  await world.socket.refuse("unknown_channel");
  assert.equal(world.socket.question, undefined);
  assert.deepEqual(world.errors, [["unknown_channel", [EUR]]]);
});

test("an error that answers no question is reported too", async () => {
  const world = await live();
  await world.socket.say({type: "error", code: "slow_consumer", message: "…"});
  assert.deepEqual(world.errors, [["slow_consumer", []]]);
});

// ---- clocks

test("a ping measures the round trip and the server's clock", async () => {
  const world = await live();
  assert.equal(world.stream.roundTripMs, null);
  const [{id}] = world.socket.pings;
  await world.pass(80);
  await world.socket.say({type: "pong", id, time: WALL_MS + 5040});
  assert.equal(world.stream.roundTripMs, 80);
  assert.equal(world.stream.serverMs(), WALL_MS + 80 + 5000);
});

test("every heartbeat is answered by a ping, so the clock stays right", async () => {
  const world = await live();
  await world.socket.event("heartbeat", {time: 0});
  assert.equal(world.socket.pings.length, 2);
});

// ---- accounts

const DEMO = ["trading:orders_demo", "trading:positions_demo", "trading:balances_demo"];
const STANDING = {demo: {epoch: "e1", offset: 7}};

/** A stream that has had its account's snapshot at offset 7. */
async function trading() {
  const world = new World();
  world.connect({channels: [EUR, ...DEMO]});
  await world.socket.open();
  await world.socket.accept(STANDING);
  await world.socket.event("snapshot_demo", {orders: [], positions: [], balances: {}}, {offset: 7});
  return world;
}

test("private channels begin with a snapshot", async () => {
  const world = await trading();
  const asked = {type: "subscribe", id: 1, channels: ["heartbeat", EUR, ...DEMO], snapshot: true};
  assert.deepEqual(world.socket.questions, [asked]);
  assert.deepEqual(world.returns, []);
});

test("they go on where they were, and it is told whether that was possible", async () => {
  const world = await trading();
  await world.socket.event("balance_demo", {BTC: "9"}, {offset: 8});
  await world.socket.end(1006);
  await world.pass(BACKOFF_FIRST_MS);
  await world.socket.open();
  assert.deepEqual(world.socket.question.resume, {demo: {epoch: "e1", offset: 8}});
  assert.equal(world.socket.question.snapshot, undefined);
  await world.socket.accept({demo: {epoch: "e1", offset: 11, recovered: true}});
  assert.deepEqual(world.returns, [{environment: "demo", recovered: true, missed: 3}]);
});

test("a refused message never tears an account's channels apart", async () => {
  const world = new World();
  world.connect({channels: [...SOME, ...DEMO]});
  await world.socket.open();
  while (world.socket.question !== undefined) {
    const {channels} = world.socket.question;
    const own = channels.filter((channel) => DEMO.includes(channel));
    assert.ok([0, 3].includes(own.length), `${own}`);
    if (own.length) await world.socket.refuse("environment_denied");
    else await world.socket.accept();
  }
  assert.deepEqual(world.errors, [["environment_denied", DEMO]]);
});

test("what was unsubscribed in between begins anew", async () => {
  const world = await trading();
  world.stream.unsubscribe(DEMO);
  await world.accept();
  world.stream.subscribe(DEMO);
  await world.pass(0);
  assert.equal(world.socket.question.snapshot, true);
  assert.equal(world.socket.question.resume, undefined);
});

// ---- trades

test("a trade resolves to its result", async () => {
  const world = await trading();
  const placed = world.stream.trade("close", {id: "p"}, {demo: true});
  const [{id, ...sent}] = world.socket.trades;
  assert.deepEqual(sent, {type: "trade", action: "close", demo: true, params: {id: "p"}});
  await world.socket.say({type: "result", id, data: {id: "p", pnl: "1"}});
  assert.deepEqual(await placed, {id: "p", pnl: "1"});
});

test("a refused trade rejects and gives up no channel", async () => {
  const world = await trading();
  const refused = assert.rejects(world.stream.trade("close", {id: "p"}), {code: "not_found", isUnknown: false});
  await world.socket.say({type: "error", id: world.socket.trades[0].id, code: "not_found", message: "No such"});
  await refused;
  assert.deepEqual(world.errors, []);
});

test("without a connection nothing is sent, and that is certain", async () => {
  const world = await trading();
  await world.socket.end(1006);
  await assert.rejects(world.stream.trade("close", {id: "p"}), {code: "disconnected", isUnknown: false});
});

test("a trade whose connection is lost is unknown", async () => {
  const world = await trading();
  const unknown = assert.rejects(world.stream.trade("close", {id: "p"}), {isUnknown: true});
  await world.socket.end(1006);
  await unknown;
});
