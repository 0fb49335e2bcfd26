/** tables.js: the rows of an account. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {ClosedRow, LogRow, OrderRow, PositionRow, writeHead} from "../../streaming/static/streaming/trade/tables.js";
import {install} from "./page.mjs";

const TRADE = {
  id: "p", product: "EUR-USD", side: "buy", base_size: "1000", price: "1.26635", leverage: "300", margin: "3.33333333",
  liquidation_price: "1.26354", amount: 1000000, created_at: 1511482279492, opened_at: 1511482876413,
};
const QUOTE = {bid: "1.26995", ask: "1.27000"};

let page;
beforeEach(() => (page = install()));

const texts = (row) => Object.fromEntries(row.node.children.map((cell) => [cell.className, cell.textContent]));

test("a position shows what it is worth now, to the last digit", () => {
  const row = new PositionRow();
  row.paint({id: "p", trade: {...TRADE, take_profit: "1.28898"}, quote: QUOTE});
  assert.deepEqual(texts(row), {
    product: "EUR-USD", side: "Long", size: "1000", entry: "1.26635", now: "1.26995", pnl: "+2.84281590", percent: "+85.28 %",
    margin: "3.33333333", ratio: "185.2 %", liquidation: "1.26354", profit: "1.28898", loss: "–", acts: "EditSplitClose",
  });
  assert.equal(row.node.children[5].dataset.move, "up");
  assert.equal(row.buttons[2].getAttribute("aria-label"), "Close Long EUR-USD");
  assert.deepEqual([row.node.dataset.id, row.buttons[0].dataset.action], ["p", "edit"]);
});

test("a short is worth the ask, and without a quote nobody knows", () => {
  const row = new PositionRow();
  row.paint({id: "p", trade: {...TRADE, side: "sell"}, quote: QUOTE});
  assert.deepEqual([texts(row).now, texts(row).pnl, row.node.children[5].dataset.move], ["1.27000", "−2.88229950", "down"]);
  row.paint({id: "p", trade: TRADE, quote: undefined});
  assert.deepEqual([texts(row).now, texts(row).pnl, texts(row).percent, texts(row).ratio], ["–", "–", "–", "–"]);
});

test("a quote writes only what it changes", () => {
  const row = new PositionRow();
  row.paint({id: "p", trade: TRADE, quote: QUOTE});
  page.writes = 0;
  row.paint({id: "p", trade: TRADE, quote: QUOTE});
  assert.equal(page.writes, 0);
});

test("an order shows its price beside the market's", () => {
  const row = new OrderRow();
  const order = {...TRADE, type: "pending", order_type: "limit", valid_until: 1511482279492};
  row.paint({id: "p", trade: order, quote: QUOTE});
  const {side, kind, entry, now, leverage, until} = texts(row);
  assert.deepEqual([side, kind, entry, now, leverage, until], ["Buy", "limit", "1.26635", "1.27000", "300×", "2017-11-24 00:11"]);
  row.paint({id: "p", trade: {...order, side: "sell", valid_until: undefined}, quote: undefined});
  assert.deepEqual([texts(row).side, texts(row).now, texts(row).until], ["Sell", "–", "cancelled"]);
});

test("what was closed shows what it brought, decay taken off", () => {
  const row = new ClosedRow();
  const trade = {...TRADE, close_price: "1.26995", pnl: "2.84281590", pnl_percent: "85.2845", decay: "0.2", reason: "take_profit", closed_at: 1511483816212};
  row.paint({id: "p", trade});
  const {when, pnl, percent, decay, result, reason} = texts(row);
  assert.deepEqual([when, pnl, percent, decay, result, reason], ["2017-11-24 00:36", "+2.84281590", "+85.28 %", "0.20000000", "+2.64281590", "take profit"]);
});

test("a line of the log has its offset, time and words", () => {
  const row = new LogRow();
  row.paint({line: {name: "position:new", data: TRADE, offset: 843}});
  assert.deepEqual(texts(row), {offset: "843", when: "00:21:16", event: "position:new", words: "Bought 1000 BTC of EUR-USD at 1.26635"});
  row.paint({line: {name: "balance", data: {BTC: "1"}, offset: 844}});
  assert.equal(texts(row).when, "");
});

test("a table's head names its columns, and each cell knows its own for narrow screens", () => {
  const head = page.createElement("thead");
  writeHead(head, OrderRow.columns, true);
  const row = new OrderRow();
  assert.deepEqual(head.children[0].children.map(({textContent}) => textContent).slice(0, -1), row.node.children.slice(0, -1).map(({dataset}) => dataset.label));
  writeHead(head, LogRow.columns, false);
  assert.equal(head.children[1].children.length, 4);
});
