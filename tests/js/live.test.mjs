/** live.js: the parts of the page work together. Which elements the real page has, the browser's tests say. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {LivePage} from "../../streaming/static/streaming/live.js";
import {FakeLibrary, install} from "./page.mjs";
import {settled} from "./world.mjs";

const GROUPS = {
  forex: [["EUR-USD", "300", "0.00001", "0.0002", {BTC: "600000"}, "EUR/USD"]],
  crypto: [["BTC-USD", "100", "0.1", "0.0003", {BTC: "50000"}, "Bitcoin"]],
};
const ROWS = [["120", "1", "1", "1", "1.2"], ["60", "1", "1", "1", "1.1"]];
const ACCOUNTS = ["orders_demo", "positions_demo", "balances_demo", "orders", "positions", "balances"].map((name) => `trading:${name}`);
const QUOTES = ["trading:quotes:EUR-USD", "trading:quotes:BTC-USD"];

class FakeStream {
  state = {name: "connecting"};
  roundTripMs = null;
  wanted = new Set();
  held = new Set();
  retries = 0;

  connect(options) {
    this.options = options;
    this.wanted = new Set(options.channels);
    return this;
  }

  subscribe(channels) {
    for (const channel of channels) this.wanted.add(channel);
  }

  unsubscribe(channels) {
    for (const channel of channels) this.wanted.delete(channel);
  }

  holds(channel) {
    return this.held.has(channel);
  }

  serverMs() {
    return 1_709_742_000_000;
  }

  retryNow() {
    this.retries += 1;
  }

  become(state) {
    if (state.name !== "live") this.held.clear();
    this.state = state;
    this.options.onState(state);
  }

  /** The server confirms what is wanted. */
  confirm() {
    const fresh = [...this.wanted].filter((channel) => !this.held.has(channel));
    this.held = new Set(this.wanted);
    if (this.state.name !== "live") this.become({name: "live"});
    this.options.onHeld(fresh);
  }

  event(event) {
    this.options.onEvent(event);
  }
}

/** Sees nothing: which rows are in sight, the browser's tests say. */
class Observed {
  observe() {}
}

class Desk {
  stream = new FakeStream();
  library = new FakeLibrary();
  answers = {"/trading/products": GROUPS, "/account/favourites": {products: []}};
  requests = [];
  posts = [];
  nowMs = 0;
  #frames = [];

  constructor(options) {
    this.page = install(options);
    this.page.getElementById("chart").dataset = {socket: "/ws/app", library: "/static/charts.mjs"};
    for (const text of ["O", "H", "L", "C", "day"]) {
      const cell = this.page.createElement("b");
      cell.className = text;
      this.page.getElementById("legend").append(cell);
    }
    this.page.addTabs("dock-tabs", "positions", "orders", "history", "events");
    this.page.addTabs("screen-tabs", "screen-market", "screen-trade", "screen-account");
  }

  async open(world = {}) {
    const started = new LivePage({
      connect: (options) => this.stream.connect(options),
      getJson: (path) => this.#getJson(path),
      loadChart: async () => this.library,
      requestFrame: (frame) => this.#frames.push(frame),
      monotonicMs: () => this.nowMs,
      everySecond: (tick) => (this.secondPasses = tick),
      postJson: async (path, body) => (this.posts.push([path, body]), {products: body.favourite ? [body.product] : []}),
      setTimer: () => {},
      newId: () => "page-1",
      Observer: Observed,
      ...world,
    }).start();
    await started;
    this.stream.confirm();
    await this.frame();
    return this;
  }

  async frame() {
    await settled();
    for (const frame of this.#frames.splice(0)) frame();
  }

  async quote(name, bid, ask) {
    this.stream.event({event: "quote", data: [name, bid, bid, ask, bid, this.stream.serverMs()]});
    await this.frame();
  }

  text(id) {
    return this.page.getElementById(id).textContent;
  }

  isShown(...ids) {
    return ids.filter((id) => !this.page.getElementById(id).hidden);
  }

  row(name) {
    const rows = this.page.getElementById("watch").children.flatMap(({children}) => children);
    return rows.find(({dataset}) => dataset.product === name);
  }

  async #getJson(path) {
    this.requests.push(path);
    const answer = path.startsWith("/trading/candles/") ? ROWS : this.answers[path];
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

const candleRequests = (desk) => desk.requests.filter((path) => path.startsWith("/trading/candles/"));

test("it opens the browser's own socket of the place that the page came from", async () => {
  const desk = await new Desk().open();
  assert.equal(desk.stream.options.url, "ws://here:8080/ws/app");
  assert.equal(desk.stream.options.auth, undefined, "the session's cookie goes with it; no key is in the page");
});

test("it wants both accounts, all quotes and the candles of the first product", async () => {
  const desk = await new Desk().open();
  assert.deepEqual([...desk.stream.wanted], [...ACCOUNTS, ...QUOTES, "trading:candles:EUR-USD:1"]);
  assert.deepEqual(desk.library.bars.map(({time}) => time), [60, 120]);
});

test("the address says what is chosen, and is kept up", async () => {
  const desk = await new Desk({hash: "#BTC-USD:15:ask"}).open();
  assert.equal(candleRequests(desk)[0], "/trading/candles/BTC-USD/15?signal=ask&limit=150");
  desk.row("EUR-USD").happens("click");
  assert.equal(globalThis.location.hash, "#EUR-USD:15:ask");
  globalThis.location.hash = "#BTC-USD:60:bid";
  desk.page.outside.happens("hashchange");
  assert.ok(desk.stream.wanted.has("trading:candles:BTC-USD:60"));
});

test("history is asked for when the channel is confirmed, so nothing falls between", async () => {
  const desk = await new Desk().open();
  assert.equal(candleRequests(desk).length, 1);
  desk.row("BTC-USD").happens("click");
  assert.deepEqual([...desk.stream.wanted], [...ACCOUNTS, ...QUOTES, "trading:candles:BTC-USD:1"]);
  assert.equal(candleRequests(desk).length, 1);
  assert.deepEqual(desk.isShown("chart-loading"), ["chart-loading"]);
  desk.stream.confirm();
  await desk.frame();
  assert.equal(candleRequests(desk).length, 2);
  assert.deepEqual(desk.isShown("chart-loading", "chart-empty", "chart-error"), []);
});

test("another price of the same candles needs no other channel", async () => {
  const desk = await new Desk().open();
  desk.page.getElementById("signal").happens("change", {target: {value: "bid"}});
  assert.equal(candleRequests(desk)[1], "/trading/candles/EUR-USD/1?signal=bid&limit=150");
});

test("a quote is painted in the next frame, in the table, above the chart and with the second in the title", async () => {
  const desk = await new Desk().open();
  await desk.quote("EUR-USD", "1.08241", "1.08254");
  assert.equal(desk.row("EUR-USD").children[1].textContent, "1.08241");
  assert.equal(desk.text("chosen-ask"), "1.08254");
  desk.secondPasses();
  await desk.frame();
  assert.equal(desk.page.title, "1.08241 EUR/USD · Tickwire");
  await desk.quote("BTC-USD", "64250.0", "64257.3");
  assert.equal(desk.text("chosen-ask"), "1.08254");
});

test("a live candle reaches chart and legend", async () => {
  const desk = await new Desk().open();
  const data = {t: "180", m: ["1", "2", "0.5", "1.5"], b: [], a: [], closed: false};
  desk.stream.event({event: "candle", product: "EUR-USD", resolution: "1", data});
  await desk.frame();
  assert.deepEqual(desk.library.bars.map(({time}) => time), [60, 120, 180]);
  assert.equal(desk.text("legend"), "1.000002.000000.500001.50000+50.00 %");
});

test("scrolling left loads older candles only when there may be some", async () => {
  const desk = await new Desk().open();
  desk.library.scrollTo(-10);
  assert.equal(candleRequests(desk).length, 1, "that page was not full");
});

test("the light follows the connection, and the seconds", async () => {
  const desk = await new Desk().open();
  assert.deepEqual([desk.page.body.dataset.connection, desk.text("connection-text")], ["live", "Live"]);
  desk.nowMs = 8000;
  desk.secondPasses();
  await desk.frame();
  assert.equal(desk.text("connection-text"), "Stale");
  desk.stream.event({event: "heartbeat", data: {time: 1}});
  await desk.frame();
  assert.equal(desk.text("connection-detail"), "heartbeat 0 s ago");
});

test("while it waits one can try at once; each connection loads what was missed", async () => {
  const desk = await new Desk().open();
  desk.stream.become({name: "reconnecting", reason: "connection_lost", retryAtMs: 3000});
  await desk.frame();
  assert.equal(desk.text("connection-text"), "Reconnecting in 3 s");
  assert.deepEqual(desk.isShown("retry-now", "log-in-again"), ["retry-now"]);
  desk.page.getElementById("retry-now").happens("click");
  desk.page.outside.happens("online");
  desk.page.root.happens("visibilitychange");
  assert.equal(desk.stream.retries, 3);
  desk.stream.confirm();
  await desk.frame();
  assert.deepEqual([candleRequests(desk).length, desk.text("connection-text")], [2, "Live"]);
});

test("a choice made without a connection shows history at least", async () => {
  const desk = await new Desk().open();
  desk.stream.become({name: "reconnecting", reason: "silence"});
  desk.row("BTC-USD").happens("click");
  assert.equal(candleRequests(desk).length, 2);
});

test("a stale product is open again on a fresh connection that says nothing else", async () => {
  const desk = await new Desk().open();
  desk.stream.event({event: "status", data: {product: "EUR-USD", state: "stale"}});
  await desk.frame();
  assert.equal(desk.text("chosen-state"), "stale");
  desk.stream.become({name: "live"});
  await desk.frame();
  assert.equal(desk.text("chosen-state"), "");
});

test("a session that ended leads back to the log-in", async () => {
  const desk = await new Desk().open();
  desk.stream.become({name: "closed", code: 4010, reason: "access_revoked"});
  await desk.frame();
  assert.deepEqual(desk.isShown("retry-now", "log-in-again"), ["log-in-again"]);
});

test("products that cannot be loaded: words, a button, and another try when the connection is back", async () => {
  const desk = new Desk();
  desk.answers["/trading/products"] = new Error("Temporarily unavailable; try again");
  await desk.open();
  assert.equal(desk.text("watch-error-words"), "Temporarily unavailable; try again");
  assert.deepEqual(desk.isShown("watch-error", "watch-loading"), ["watch-error"]);
  desk.answers["/trading/products"] = GROUPS;
  desk.stream.become({name: "live"});
  await desk.frame();
  assert.deepEqual([desk.isShown("watch-error", "watch-loading"), desk.row("EUR-USD").hidden], [[], false]);
});

test("an installation without products says what to do", async () => {
  const desk = new Desk();
  desk.answers["/trading/products"] = {forex: [], crypto: []};
  await desk.open();
  assert.deepEqual(desk.isShown("watch-empty", "watch-loading"), ["watch-empty"]);
});

test("without the chart library prices go on", async () => {
  const desk = new Desk();
  await desk.open({loadChart: () => Promise.reject(new Error("404"))});
  await desk.quote("EUR-USD", "1.08241", "1.08254");
  assert.equal(desk.row("EUR-USD").children[1].textContent, "1.08241");
  assert.match(desk.text("chart-error-words"), /could not be loaded/);
});

test("a search narrows the table; arrows choose from it, Escape ends it, a slash begins it", async () => {
  const desk = await new Desk().open();
  const search = desk.page.getElementById("search");
  desk.page.root.happens("keydown", {key: "/", target: desk.page.body});
  assert.equal(desk.page.focused, search);
  search.happens("input", {target: {value: "nothing"}});
  assert.deepEqual(desk.isShown("watch-none"), ["watch-none"]);
  search.happens("input", {target: {value: "bitcoin"}});
  assert.deepEqual([desk.isShown("watch-none"), desk.row("EUR-USD").hidden], [[], true]);
  search.happens("keydown", {key: "ArrowDown"});
  assert.equal(globalThis.location.hash, "#BTC-USD:1:mid");
  search.happens("keydown", {key: "Escape"});
  assert.equal(desk.row("EUR-USD").hidden, false);
});
