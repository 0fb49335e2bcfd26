/** watchtable.js: rows, search, keys. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {applyEvent, readProducts} from "../../streaming/static/streaming/market.js";
import {WatchTable} from "../../streaming/static/streaming/watchtable.js";
import {install} from "./page.mjs";

const NOW_MS = 1_709_742_000_000;
const GROUPS = {
  forex: [["EUR-USD", "300", "0.00001", "0.0002", {}, "EUR/USD"], ["USD-JPY", "300", "0.001", "0.0002", {}, "USD/JPY"]],
  crypto: [["BTC-USD", "100", "0.1", "0.0003", {}, "Bitcoin"]],
};

let page, products, table, node, chosen, marked;

beforeEach(() => {
  page = install();
  products = readProducts(GROUPS);
  node = page.createElement("table");
  chosen = [];
  marked = [];
  const onChoose = (name) => {
    chosen.push(name);
    table.choose(name);
  };
  table = new WatchTable(node, {onChoose, onMark: (name) => marked.push(name), lights: {light() {}}});
  table.build(products.values());
  table.choose("EUR-USD");
});

const body = (group) => node.children[group];
const row = (name) => node.children.flatMap(({children}) => children).find(({dataset}) => dataset.product === name);
const texts = (name) => row(name).children.map(({textContent}) => textContent);

function quote(name, mid, bid, ask, dayAgo, timeMs = NOW_MS) {
  table.paint(applyEvent(products, {event: "quote", data: [name, mid, bid, ask, dayAgo, timeMs]}), NOW_MS);
}

test("products stand in their groups", () => {
  const groups = node.children.map(({children: [heading, ...rows]}) => [heading.textContent, rows.length]);
  assert.deepEqual(groups, [["Favourites", 0], ["Forex", 2], ["Crypto", 1]]);
  assert.equal(body(0).hidden, true, "nobody has marked any");
});

test("before its first quote a row says so", () => {
  assert.deepEqual(texts("BTC-USD"), ["BTC-USDBitcoin", "–", "–", "–", "–", "", "–"]);
});

test("a quote fills its row", () => {
  quote("EUR-USD", "1.08248", "1.08241", "1.08254", "1.08000", NOW_MS - 3000);
  assert.deepEqual(texts("EUR-USD"), ["EUR-USD", "1.08241", "1.08254", "13", "+0.23 %", "", "3 s"]);
  assert.equal(row("EUR-USD").children[4].dataset.move, "up");
});

test("a quote writes only what it changes, and no other row", () => {
  quote("EUR-USD", "1.08248", "1.08241", "1.08254", "1.08000");
  page.writes = 0;
  quote("EUR-USD", "1.08248", "1.08242", "1.08254", "1.08000");
  assert.equal(page.writes, 2, "one digit of the bid, and the spread");
  quote("EUR-USD", "1.08248", "1.08242", "1.08254", "1.08000");
  assert.equal(page.writes, 2);
});

test("ages go on without quotes", () => {
  quote("EUR-USD", "1.08248", "1.08241", "1.08254", "1.08000");
  table.paintAll(NOW_MS + 5000);
  assert.deepEqual(["EUR-USD", "BTC-USD"].map((name) => texts(name)[6]), ["5 s", "–"]);
});

test("a product whose feed is stale says so", () => {
  table.paint(applyEvent(products, {event: "status", data: {product: "BTC-USD", state: "stale"}}), NOW_MS);
  assert.equal(row("BTC-USD").dataset.state, "stale");
  assert.equal(texts("BTC-USD")[0], "BTC-USDBitcoinstale");
});

test("a click anywhere in a row chooses it; on a group's heading it chooses nothing", () => {
  row("BTC-USD").children[1].children[0].happens("click");
  body(1).children[0].happens("click");
  assert.deepEqual(chosen, ["BTC-USD"]);
  assert.deepEqual(["EUR-USD", "BTC-USD"].map((name) => row(name).getAttribute("aria-selected")), ["false", "true"]);
});

test("arrows choose and take the focus along", () => {
  const event = row("EUR-USD").happens("keydown", {key: "ArrowDown"});
  assert.deepEqual([chosen, page.focused, event.isPrevented], [["USD-JPY"], row("USD-JPY"), true]);
});

test("other keys and shortcuts of the browser are left alone", () => {
  assert.ok(!row("EUR-USD").happens("keydown", {key: "Tab"}).isPrevented);
  assert.ok(!row("EUR-USD").happens("keydown", {key: "ArrowDown", altKey: true}).isPrevented);
  assert.deepEqual(chosen, []);
});

test("a search shows what matches, hides empty groups, and arrows stay within", () => {
  assert.equal(table.filter("usd"), 3);
  assert.equal(table.filter("jpy"), 1);
  assert.deepEqual([row("EUR-USD").hidden, row("USD-JPY").hidden, body(2).hidden], [true, false, true]);
  assert.ok(table.go("ArrowDown", false));
  assert.deepEqual([chosen, page.focused], [["USD-JPY"], null]);
  assert.equal(table.filter("nothing"), 0);
  assert.ok(!table.go("ArrowDown", false));
});

test("the Tab key always stops at exactly one row that can be seen", () => {
  const stops = () => [...products.keys()].filter((name) => row(name).tabIndex === 0);
  assert.deepEqual(stops(), ["EUR-USD"]);
  table.filter("btc");
  assert.deepEqual(stops(), ["BTC-USD"]);
  table.filter("");
  assert.deepEqual(stops(), ["EUR-USD"]);
});

const star = (name) => row(name).children[0].children[0];

test("a star marks and chooses nothing; favourites stand above all others, the first marked first", () => {
  star("BTC-USD").happens("click");
  assert.deepEqual([marked, chosen], [["BTC-USD"], []]);
  table.mark(["BTC-USD", "USD-JPY"]);
  const groups = node.children.map(({children: [heading, ...rows]}) => [heading.textContent, rows.map(({dataset}) => dataset.product)]);
  assert.deepEqual(groups, [["Favourites", ["BTC-USD", "USD-JPY"]], ["Forex", ["EUR-USD"]], ["Crypto", []]]);
  assert.deepEqual(node.children.map(({hidden}) => hidden), [false, false, true]);
  assert.deepEqual(["BTC-USD", "EUR-USD"].map((name) => star(name).getAttribute("aria-pressed")), ["true", "false"]);
  assert.ok(table.isMarked("BTC-USD") && !table.isMarked("EUR-USD"));
});

test("what is no favourite any more goes back to its group; what is unknown is none", () => {
  table.mark(["BTC-USD"]);
  table.mark(["NOSUCH"]);
  assert.deepEqual(node.children.map(({children}) => children.length - 1), [0, 2, 1]);
});

test("arrows go in the order that is shown, favourites first", () => {
  table.mark(["BTC-USD"]);
  table.choose("BTC-USD");
  table.go("ArrowDown", false);
  assert.deepEqual(chosen, ["EUR-USD"]);
});

test("a search lasts while favourites change", () => {
  table.filter("jpy");
  table.mark(["BTC-USD"]);
  assert.deepEqual([row("BTC-USD").hidden, row("USD-JPY").hidden, body(0).hidden], [true, false, true]);
});

test("a line runs through the day's hours to the price of now", () => {
  const points = () => row("EUR-USD").children[5].children[0].children[0].getAttribute("points");
  table.spark("EUR-USD", ["1.0", "1.2"]);
  assert.equal(points(), null, "without a price there is no now");
  quote("EUR-USD", "1.1", "1.08241", "1.08254", "1.08000");
  table.paintAll(NOW_MS);
  assert.equal(points(), "0.0,15.0 24.0,1.0 48.0,8.0");
  table.spark("NOSUCH", []);
});

test("rows out of sight wait for the second; one that comes into sight is told of", () => {
  const seen = [];
  let tell;
  const watched = new Set();
  class Observer {
    constructor(callback) {
      tell = callback;
    }
    observe(target) {
      watched.add(target);
    }
  }
  table.watch(Observer, (name) => seen.push(name));
  assert.equal(watched.size, 3);
  tell([{target: row("EUR-USD"), isIntersecting: true}, {target: row("BTC-USD"), isIntersecting: false}]);
  assert.deepEqual(seen, ["EUR-USD"]);
  quote("EUR-USD", "1.1", "1.08241", "1.08254", "1.08000");
  quote("BTC-USD", "64251.0", "64250.0", "64252.0", "64000.0");
  assert.deepEqual(["EUR-USD", "BTC-USD"].map((name) => texts(name)[1]), ["1.08241", "–"]);
  table.paintAll(NOW_MS);
  assert.equal(texts("BTC-USD")[1], "64250.0");
});
