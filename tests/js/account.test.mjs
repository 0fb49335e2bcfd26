/** account.js: a snapshot and the events behind it are the account. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Account, CLOSED_KEPT, LOG_LINES, nameIn} from "../../streaming/static/streaming/trade/account.js";

const order = (id, created_at, more = {}) => ({id, type: "pending", order_type: "limit", created_at, ...more});
const position = (id, opened_at, more = {}) => ({id, type: "market", opened_at, ...more});
const ids = (trades) => trades.map(({id}) => id);

/** A demo account with one order and one position at offset 10. */
function begun() {
  const account = new Account("demo");
  const data = {orders: [order("o1", 1)], positions: [position("p1", 1)], balances: {BTC: "9.00000000"}};
  account.take({event: "snapshot_demo", offset: 10, data});
  return account;
}

test("it knows nothing before its snapshot", () => {
  const account = new Account("demo");
  assert.deepEqual([account.isKnown, account.balance, account.orders], [false, null, []]);
  assert.equal(begun().isKnown, true);
});

test("events are an account's own: live and demo never mix", () => {
  const account = begun();
  assert.equal(account.take({event: "balance", offset: 11, data: {BTC: "1"}}), undefined);
  assert.equal(account.take({event: "quote", data: []}), undefined);
  assert.deepEqual([account.balance, account.offset], ["9.00000000", 10]);
  assert.equal(account.take({event: "balance_demo", offset: 11, data: {BTC: "8.00000000"}}), "balance");
  assert.deepEqual([account.balance, account.offset], ["8.00000000", 11]);
});

test("names lose their environment", () => {
  assert.equal(nameIn("order_demo:new", "demo"), "order:new");
  assert.equal(nameIn("order:new", "live"), "order:new");
  assert.equal(nameIn("snapshot", "live"), "snapshot");
  assert.equal(nameIn("order:new", "demo"), undefined);
  assert.equal(nameIn("heartbeat", "live"), undefined);
});

test("a pending order comes, changes, and becomes a position or goes", () => {
  const account = begun();
  account.take({event: "order_demo:new", offset: 11, data: order("o2", 2)});
  account.take({event: "order_demo:update", offset: 12, data: order("o1", 1, {price: "2"})});
  assert.deepEqual(ids(account.orders), ["o2", "o1"]);
  assert.equal(account.order("o1").price, "2");
  account.take({event: "order_demo:activate", offset: 13, data: {id: "o2"}});
  account.take({event: "position_demo:new", offset: 14, data: position("o2", 9)});
  account.take({event: "order_demo:cancel", offset: 15, data: {id: "o1"}});
  assert.deepEqual([ids(account.orders), ids(account.positions)], [[], ["o2", "p1"]]);
});

test("a market order is never shown as one that waits", () => {
  const account = begun();
  account.take({event: "order_demo:new", offset: 11, data: position("o3", 2)});
  assert.deepEqual(ids(account.orders), ["o1"]);
});

test("a position changes, splits, closes", () => {
  const account = begun();
  account.take({event: "position_demo:update", offset: 11, data: position("p1", 1, {take_profit: "3"})});
  assert.equal(account.position("p1").take_profit, "3");
  const data = {parent_id: "p1", first_position: position("a", 1), second_position: position("b", 1)};
  account.take({event: "position_demo:split", offset: 12, data});
  assert.deepEqual(ids(account.positions).sort(), ["a", "b"]);
  account.take({event: "position_demo:close", offset: 13, data: position("a", 1, {closed_at: 5})});
  assert.deepEqual([ids(account.positions), ids(account.closed)], [["b"], ["a"]]);
});

test("another snapshot replaces what was known, the past too", () => {
  const account = begun();
  account.take({event: "position_demo:close", offset: 11, data: position("p1", 1, {closed_at: 50})});
  account.take({event: "snapshot_demo", offset: 3, data: {orders: [], positions: [], balances: {BTC: "10"}}});
  assert.deepEqual([account.orders, account.positions, account.balance, account.offset], [[], [], "10", 3]);
  assert.deepEqual([account.log, account.closed], [[], []]);
});

test("the past of REST and the events of the stream are one history, each once", () => {
  const account = begun();
  account.take({event: "position_demo:close", offset: 11, data: position("p1", 1, {closed_at: 50})});
  account.pastClosed([position("p1", 1, {closed_at: 50}), position("p0", 1, {closed_at: 60})]);
  assert.deepEqual(ids(account.closed), ["p0", "p1"]);
});

test("the log has each offset once, the newest first, and only the account's own", () => {
  const account = begun();
  account.take({event: "balance_demo", offset: 12, data: {BTC: "1"}});
  account.pastLog([
    {event: "balance_demo", offset: 11, data: {BTC: "2"}}, {event: "balance_demo", offset: 12, data: {BTC: "1"}},
    {event: "balance", offset: 4, data: {BTC: "7"}},
  ]);
  assert.deepEqual(account.log.map(({name, offset}) => [name, offset]), [["balance", 12], ["balance", 11]]);
});

test("log and history have bounds", () => {
  const account = begun();
  for (let offset = 11; offset < 1200; offset += 1) {
    account.take({event: "position_demo:close", offset, data: position(`p${offset}`, 1, {closed_at: offset})});
  }
  assert.deepEqual([account.log.length, account.closed.length], [LOG_LINES, CLOSED_KEPT]);
  assert.equal(account.closed[0].id, "p1199");
});
