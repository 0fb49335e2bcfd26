/** watchlist.js: loading, searching, and favourites that the server keeps. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {Watchlist} from "../../streaming/static/streaming/watchlist.js";
import {install} from "./page.mjs";
import {settled} from "./world.mjs";

const GROUPS = {forex: [["EUR-USD", "300", "0.00001", "0.0002", {BTC: "1"}, "EUR/USD"], ["USD-JPY", "300", "0.001", "0.0002", {BTC: "1"}, "USD/JPY"]]};

let page, list, answers, posts, troubles, loaded, seen;

class Everything {
  constructor(callback) {
    this.callback = callback;
  }
  observe(target) {
    this.callback([{target, isIntersecting: true}]);
  }
}

beforeEach(() => {
  page = install();
  answers = {"/trading/products": GROUPS, "/account/favourites": {products: ["USD-JPY"]}};
  posts = [];
  troubles = [];
  loaded = [];
  seen = [];
  const answer = async (path) => {
    const found = answers[path] ?? [];
    if (found instanceof Error) throw found;
    return found;
  };
  const world = {
    getJson: answer, postJson: (path, body) => (posts.push(body), answer(path)), setTimer: () => {}, Observer: Everything,
  };
  list = new Watchlist(world, (id) => page.getElementById(id), {
    lights: {light() {}}, onChoose() {}, onLoaded: (names) => (loaded = names), onSight: ({name}) => seen.push(name), onTrouble: (words) => troubles.push(words),
  });
});

test("products come, and the favourites of the server among them", async () => {
  await list.load();
  assert.deepEqual([loaded, seen], [["EUR-USD", "USD-JPY"], ["EUR-USD", "USD-JPY"]]);
  assert.ok(list.table.isMarked("USD-JPY"));
});

test("a star asks the server, and shows what it says", async () => {
  await list.load();
  await list.toggle("EUR-USD");
  assert.deepEqual(posts, [{product: "EUR-USD", favourite: true}]);
  answers["/account/favourites"] = {products: []};
  await list.toggle("USD-JPY");
  assert.deepEqual(posts[1], {product: "USD-JPY", favourite: false});
  assert.ok(!list.table.isMarked("USD-JPY"));
});

test("a favourite that cannot be kept is told of, and nothing is shown that is not so", async () => {
  await list.load();
  answers["/account/favourites"] = new Error("Too many requests");
  await list.toggle("EUR-USD");
  assert.deepEqual(troubles, ["The favourite could not be kept. Too many requests"]);
  assert.ok(!list.table.isMarked("EUR-USD"));
});

test("without favourites the products are there all the same", async () => {
  answers["/account/favourites"] = new Error("no");
  await list.load();
  await settled();
  assert.equal(loaded.length, 2);
});

test("a list that failed says so, and can be loaded again", async () => {
  answers["/trading/products"] = new Error("no");
  await list.load();
  assert.equal(list.isFailed, true);
  answers["/trading/products"] = GROUPS;
  page.getElementById("watch-retry").happens("click");
  await settled();
  assert.deepEqual([list.isFailed, loaded.length], [false, 2]);
});
