/** desk.js: the parts of trading work together. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {readProducts} from "../../streaming/static/streaming/market.js";
import {ACCOUNT_CHANNELS, Desk} from "../../streaming/static/streaming/trade/desk.js";
import {install} from "./page.mjs";
import {settled} from "./world.mjs";

const GROUPS = {forex: [["EUR-USD", "300", "0.00001", "0.0002", {BTC: "600000"}, "EUR/USD"]]};
const TERMS = {max_leverage: "300", max_size: {BTC: "600000"}, decay_rate: "0.0002", liquidation_fraction: "2/3"};
const POSITION = {
  id: "p", product: "EUR-USD", side: "buy", base_size: "1000", amount: 1000000, price: "1.26635", margin: "3.33333333",
  leverage: "300", opened_at: 1, created_at: 1, liquidation_price: "1.26354",
};

let page, desk, products, jobs, told, trades, answers, requests, levels, answer;
const find = (id) => page.getElementById(id);
const text = (id) => find(id).textContent;

beforeEach(async () => {
  page = install();
  products = readProducts(GROUPS);
  products.get("EUR-USD").quote = {mid: "1.26632", bid: "1.26630", ask: "1.26635"};
  [jobs, told, trades, requests, levels] = [new Map(), [], [], [], []];
  answers = {"/trading/products/EUR-USD": TERMS};
  answer = async () => ({});
  find("ticket-size").value = "1000";
  const getJson = async (path) => {
    requests.push(path);
    if (path.startsWith("/trading/events")) return {events: [{event: "balance_demo", data: {BTC: "10.00000000"}, offset: 1}]};
    if (answers[path] instanceof Error) throw answers[path];
    if (path.startsWith("/trading/history")) return [];
    return answers[path];
  };
  desk = new Desk({getJson, newId: () => "page-1", setTimer() {}}, {
    find, ask: (key, paint) => jobs.set(key, paint), notices: {tell: (...notice) => told.push(notice)}, products: () => products,
    trade: (...call) => (trades.push(call), answer()), nowMs: () => 0, onLevels: (lines) => (levels = lines),
  });
  desk.lit("live");
  desk.choose(products.get("EUR-USD"));
  snapshot("demo", {positions: []});
  await frame();
});

function snapshot(environment, {positions, BTC = "10.00000000"}) {
  const event = environment === "demo" ? "snapshot_demo" : "snapshot";
  desk.event({event, offset: 1, data: {orders: [], positions, balances: {BTC}}});
}

async function frame() {
  await settled();
  for (const [key, paint] of [...jobs]) {
    jobs.delete(key);
    paint();
  }
}

test("both accounts are followed from the start", () => {
  assert.equal(ACCOUNT_CHANNELS.length, 6);
  assert.ok(ACCOUNT_CHANNELS.includes("trading:orders") && ACCOUNT_CHANNELS.includes("trading:balances_demo"));
});

test("a past that cannot be read is not said to be empty", async () => {
  answers["/trading/history?demo=true&limit=100"] = new Error("Busy");
  snapshot("demo", {positions: []});
  await frame();
  await frame();
  assert.deepEqual([text("history-none"), find("history-none").hidden], ["The history could not be loaded. Busy", false]);
  assert.deepEqual(told, [["The demo account’s history could not be loaded. Busy", "warn"]]);
});

test("a snapshot is shown, and REST tells what was before it", async () => {
  assert.equal(text("strip-balance"), "10.00000000");
  assert.deepEqual(requests, ["/trading/products/EUR-USD", "/trading/events?demo=true&after=0&limit=100", "/trading/history?demo=true&limit=100"]);
  assert.equal(find("events-rows").children.length, 1);
});

test("an order goes over the stream with an id of its own", async () => {
  find("ticket").happens("submit");
  await frame();
  const [[action, params, options]] = trades;
  assert.deepEqual([action, params.client_order_id, options], ["new", "page-1", {demo: true}]);
});

test("a fill is told, is in the table, on the chart, and in the worth", async () => {
  desk.event({event: "position_demo:new", offset: 2, data: POSITION});
  desk.event({event: "balance_demo", offset: 3, data: {BTC: "6.66666667"}});
  await frame();
  assert.deepEqual(told, [["Bought 1000 BTC of EUR-USD at 1.26635", "plain"]]);
  assert.deepEqual([find("positions-rows").children.length, levels.map(({title}) => title)], [1, ["Long 1000 BTC", "Liquidation"]]);
  assert.equal(text("strip-equity"), "9.96051650");
});

test("a quote moves the worth of what is open, and nothing else", async () => {
  desk.moved(products.get("EUR-USD"));
  assert.deepEqual([...jobs.keys()], ["ticket"]);
  desk.event({event: "position_demo:new", offset: 2, data: POSITION});
  await frame();
  products.get("EUR-USD").quote = {mid: "1.27", bid: "1.26995", ask: "1.27"};
  desk.moved(products.get("EUR-USD"));
  await frame();
  assert.equal(text("strip-pnl"), "+2.84281590");
});

test("live is another account: other trades, other money, other orders", async () => {
  desk.event({event: "position_demo:new", offset: 2, data: POSITION});
  find("environment-live").happens("change");
  await frame();
  assert.deepEqual([text("strip-balance"), find("positions-rows").children.length, levels], ["–", 0, []]);
  assert.match(text("ticket-blocked"), /live account is being loaded/);
  snapshot("live", {positions: [], BTC: "3.00000000"});
  await frame();
  assert.equal(text("strip-balance"), "3.00000000");
  find("ticket").happens("submit");
  await frame();
  assert.deepEqual(trades.at(-1)[2], {demo: false});
});

test("what was refused on one account is no news of the other", async () => {
  answer = () => Promise.reject(Object.assign(new Error("Too little"), {code: "insufficient_balance", isUnknown: false}));
  find("ticket").happens("submit");
  await frame();
  assert.equal(text("ticket-outcome"), "Too little");
  find("environment-live").happens("change");
  await frame();
  assert.deepEqual([text("ticket-outcome"), text("ticket-size-problem")], ["", ""]);
});

test("what happens on the account that is not shown is told with its name", async () => {
  desk.event({event: "position:new", offset: 2, data: POSITION});
  assert.deepEqual(told, [["live: Bought 1000 BTC of EUR-USD at 1.26635", "plain"]]);
});

test("an account that may not be used is said so, and nothing can be sent", async () => {
  find("environment-live").happens("change");
  desk.refused({code: "environment_denied", message: "no"}, ["trading:orders"]);
  await frame();
  assert.deepEqual([text("ticket-blocked"), text("dock-refusal")], Array(2).fill("This log-in may not use this account."));
  desk.refused({code: "unknown_channel", message: "no"}, ["trading:quotes:NOSUCH"]);
});

test("what a product may be traded for is read anew when somebody comes back, and after a refusal", async () => {
  answers["/trading/products/EUR-USD"] = {...TERMS, max_leverage: "100"};
  desk.lit("waiting");
  desk.lit("live");
  await frame();
  assert.equal(find("ticket-range").max, "100");
  assert.match(text("ticket-leverage-problem"), /100/);
  answers["/trading/products/EUR-USD"] = {...TERMS, max_leverage: "500"};
  answer = () => Promise.reject(Object.assign(new Error("no"), {code: "leverage_too_high"}));
  find("ticket-leverage").value = "100";
  find("ticket").happens("submit");
  await frame();
  assert.equal(find("ticket-range").max, "500");
});

test("coming back is told", () => {
  desk.returned({environment: "demo", recovered: true, missed: 2});
  desk.returned({environment: "live", recovered: false, missed: 0});
  assert.deepEqual(told.map(([, kind]) => kind), ["plain", "warn"]);
  assert.match(told[0][0], /2 missed events/);
});

test("an order whose answer was lost is looked up when the light is green again", async () => {
  answer = () => Promise.reject(Object.assign(new Error("lost"), {isUnknown: true}));
  answers["/trading/trade?client_order_id=page-1&demo=true"] = {status: "open"};
  find("ticket").happens("submit");
  await frame();
  assert.match(text("ticket-outcome"), /Nobody knows yet/);
  desk.lit("waiting");
  desk.lit("live");
  await frame();
  assert.equal(requests.at(-1), "/trading/trade?client_order_id=page-1&demo=true");
  assert.equal(text("ticket-outcome"), "");
});

test("a row's buttons open their dialogs, and those act on its account", async () => {
  desk.event({event: "position_demo:new", offset: 2, data: POSITION});
  desk.event({event: "order_demo:new", offset: 3, data: {...POSITION, id: "o", type: "pending", order_type: "limit", opened_at: undefined}});
  await frame();
  const press = async (table, index) => {
    find(`${table}-rows`).children[0].children.at(-1).children[index].happens("click");
    await frame();
  };
  for (const [table, index, dialog] of [["positions", 0, "edit"], ["positions", 1, "split"], ["positions", 2, "end"], ["orders", 1, "end"]]) {
    await press(table, index);
    assert.equal(find(dialog).open, true, dialog);
    find(`${dialog}-dismiss`).happens("click");
  }
  await press("positions", 2);
  find("end-form").happens("submit");
  await frame();
  assert.deepEqual(trades, [["close", {id: "p"}, {demo: true}]]);
});

test("terms that cannot be loaded are told of; the rest goes on", async () => {
  products.set("BTC-USD", {...products.get("EUR-USD"), name: "BTC-USD"});
  answers["/trading/products/BTC-USD"] = new Error("Too many requests");
  desk.choose(products.get("BTC-USD"));
  await frame();
  assert.deepEqual(told, [["What BTC-USD may be traded for could not be loaded. Too many requests", "warn"]]);
  assert.equal(text("preview-margin"), "0.00333333");
});
