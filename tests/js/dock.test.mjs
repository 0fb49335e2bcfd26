/** dock.js: an account's tables and what it is worth. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {Account} from "../../streaming/static/streaming/trade/account.js";
import {Dock} from "../../streaming/static/streaming/trade/dock.js";
import {install} from "./page.mjs";

const POSITION = {
  id: "p", product: "EUR-USD", side: "buy", base_size: "1000", price: "1.26635", margin: "3.33333333", opened_at: 1,
  liquidation_price: "1.26354",
};
const QUOTE = {bid: "1.26995", ask: "1.27000"};

let page, dock, account, actions;
const find = (id) => page.getElementById(id);
const text = (id) => find(id).textContent;

beforeEach(() => {
  page = install();
  actions = [];
  dock = new Dock(find, {onAction: (...action) => actions.push(action)});
  account = new Account("demo");
});

function begin(positions = [POSITION]) {
  account.take({event: "snapshot_demo", offset: 1, data: {orders: [], positions, balances: {BTC: "6.66666667"}}});
}

test("an account that is not known yet shows dashes, not zeros", () => {
  dock.paintOpen(account, () => QUOTE);
  assert.deepEqual(["equity", "pnl", "margin", "balance"].map((name) => text(`strip-${name}`)), ["–", "–", "–", "–"]);
});

test("what it is worth is to the last digit", () => {
  begin();
  dock.paintOpen(account, () => QUOTE);
  assert.deepEqual(["equity", "pnl", "margin", "balance"].map((name) => text(`strip-${name}`)),
    ["12.84281590", "+2.84281590", "3.33333333", "6.66666667"]);
  assert.equal(find("strip-pnl").dataset.move, "up");
});

test("tables count what is in them, or say what would be", () => {
  find("positions-none").textContent = "No open positions.";
  dock = new Dock(find, {onAction() {}});
  dock.paintOpen(account, () => QUOTE);
  assert.deepEqual([text("positions-none"), find("positions-none").hidden], ["Loading …", false]);
  begin([]);
  dock.paintOpen(account, () => QUOTE);
  assert.deepEqual([text("positions-count"), text("positions-none"), find("positions-none").hidden], ["", "No open positions.", false]);
  begin();
  dock.paintOpen(account, () => QUOTE);
  assert.deepEqual([text("positions-count"), find("positions-none").hidden, find("positions-rows").children.length], ["1", true, 1]);
});

test("a button of a row says what and which", () => {
  begin();
  dock.paintOpen(account, () => QUOTE);
  const [row] = find("positions-rows").children;
  row.children.at(-1).children[1].happens("click");
  row.children[0].happens("click");
  assert.deepEqual(actions, [["split", "p"]]);
});

test("the history has its curve and total", () => {
  dock.paintHistory(account);
  assert.deepEqual([find("history-curve").hidden, find("history-none").hidden, text("history-total")], [true, false, ""]);
  const closed = {...POSITION, closed_at: 5, close_price: "1.26995", pnl: "2.84281590", pnl_percent: "85.2845", decay: "0.2", reason: "manual"};
  account.pastClosed([closed]);
  dock.paintHistory(account);
  assert.equal(text("history-total"), "+2.64281590 BTC · 1 closed position, 1 with a profit");
  assert.deepEqual([find("history-curve").hidden, find("curve-line").getAttribute("d")], [false, "M0.0 100.0L1000.0 0.0"]);
});

test("the log has its lines", () => {
  account.pastLog([{event: "balance_demo", data: {BTC: "9"}, offset: 4}]);
  dock.paintLog(account);
  assert.deepEqual([find("events-rows").children[0].children[0].textContent, find("events-none").hidden], ["4", true]);
});

test("an account that cannot be had says why", () => {
  account.refusal = "This log-in may not use this account.";
  dock.paintRefusal(account);
  dock.paintOpen(account, () => QUOTE);
  assert.equal(find("positions-none").hidden, true, "nor that it has nothing");
  assert.deepEqual([text("dock-refusal"), find("dock-refusal").hidden], ["This log-in may not use this account.", false]);
});
