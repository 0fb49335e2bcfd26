/** ticket.js: what is asked for is judged, shown, and sent only when it is right. */

import assert from "node:assert/strict";
import {beforeEach, test} from "node:test";

import {TradeError} from "../../streaming/static/streaming/calls.js";
import {Ticket} from "../../streaming/static/streaming/trade/ticket.js";
import {install} from "./page.mjs";

const PRODUCT = {name: "EUR-USD", digits: 5, state: "open", quote: {bid: "1.26630", ask: "1.26635"}};
const TERMS = {maxLeverage: "300", maxSize: "600000", decayRate: "0.0002", fraction: "2/3"};

let page, ticket, market, situation, sent, again;
const find = (id) => page.getElementById(id);

beforeEach(() => {
  page = install();
  find("ticket-size").value = "1000";
  market = {product: PRODUCT, terms: TERMS, quote: PRODUCT.quote, balance: "10.00000000", nowMs: 0};
  situation = {connection: "live", environment: "demo", account: {isKnown: true, refusal: ""}, product: PRODUCT, isBusy: false};
  [sent, again] = [[], 0];
  ticket = new Ticket(find, {
    market: () => market, situation: () => situation, onChange: () => ticket?.paint(), onSend: (params) => sent.push(params),
    onAgain: () => (again += 1),
  });
  ticket.reset("300");
});

const text = (id) => find(id).textContent;
const type = (name, value) => {
  find(`ticket-${name}`).value = value;
  find("ticket").happens("input", {target: find(`ticket-${name}`)});
};
const CHOICES = {type: ["market", "limit", "stop"], unit: ["contracts", "base"]};
const choose = (name, value) => {
  for (const choice of CHOICES[name]) find(`ticket-${name}-${choice}`).checked = choice === value;
  find("ticket").happens("change", {target: {type: "radio"}});
};
const submit = () => find("ticket").happens("submit");

test("it begins with the product's leverage and shows what an order would need", () => {
  assert.deepEqual(["margin", "liquidation", "cost", "decay", "free"].map((name) => text(`preview-${name}`)),
    ["0.00333333", "1.26354", "−0.00003948", "0.00020000", "9.99666667"]);
  assert.equal(find("preview-cost").dataset.move, "down");
  assert.deepEqual([text("ticket-words"), text("ticket-other")], ["Buy 1 BTC EUR-USD", "= 1 BTC"]);
});

test("what is right is sent", () => {
  submit();
  assert.deepEqual(sent, [{product: "EUR-USD", side: "buy", type: "market", leverage: "300", amount: 1000, base_currency: "BTC"}]);
});

test("what is wrong is told at its field, which gets the focus, and is not sent", () => {
  find("ticket-size").value = "";
  ticket.paint();
  assert.equal(text("ticket-size-problem"), "", "nobody has touched it yet");
  submit();
  assert.deepEqual([text("ticket-size-problem"), page.focused, sent], ["How much?", find("ticket-size"), []]);
});

test("a pending order has a price and a time, a market order has none", () => {
  const isShown = () => ["price", "validUntil"].map((name) => !find(`ticket-${name}-field`).hidden);
  assert.deepEqual(isShown(), [false, false]);
  choose("type", "limit");
  assert.deepEqual(isShown(), [true, true]);
  type("price", "1.26");
  submit();
  assert.deepEqual([sent[0].type, sent[0].price, text("ticket-words")], ["limit", "1.26", "Buy 1 BTC EUR-USD limit 1.26000"]);
});

test("more than is free is told before anybody has touched anything", () => {
  market = {...market, balance: "0.00000000"};
  ticket.paint();
  assert.match(text("ticket-size-problem"), /more than is free/);
  assert.deepEqual([text("preview-free"), find("preview-free").dataset.move], ["−0.00333333", "down"]);
});

test("the unit goes both ways with the same size", () => {
  choose("unit", "base");
  assert.deepEqual([find("ticket-size").value, text("ticket-other")], ["1", "= 1000 contracts"]);
  choose("unit", "contracts");
  assert.equal(find("ticket-size").value, "1000");
  type("size", "x");
  choose("unit", "base");
  assert.equal(find("ticket-size").value, "x");
});

test("slider and box are one leverage", () => {
  type("range", "100");
  assert.deepEqual([find("ticket-leverage").value, text("preview-margin")], ["100", "0.01000000"]);
  type("leverage", "50");
  assert.equal(find("ticket-range").value, "50");
});

test("another product keeps the size, not the prices, and has its own bound of leverage", () => {
  type("takeProfit", "1.3");
  ticket.reset("20");
  assert.deepEqual([find("ticket-takeProfit").value, find("ticket-leverage").value, find("ticket-range").max, find("ticket-size").value], ["", "20", "20", "1000"]);
});

test("while nothing can be sent it says why, and sends nothing", () => {
  situation = {...situation, connection: "waiting"};
  ticket.paint();
  assert.match(text("ticket-blocked"), /Not connected/);
  assert.deepEqual([find("ticket-send").disabled, find("ticket-blocked").hidden], [true, false]);
  submit();
  assert.deepEqual(sent, []);
});

test("one order at a time", () => {
  situation = {...situation, isBusy: true};
  ticket.paint();
  assert.equal(find("ticket-send").disabled, true);
});

test("a refusal stands at its field until that is changed", () => {
  ticket.tell({name: "refused", text: "The free balance is too small", error: new TradeError("insufficient_balance", "")});
  assert.deepEqual([text("ticket-size-problem"), text("ticket-outcome"), page.focused], ["The free balance is too small", "The free balance is too small", find("ticket-size")]);
  type("size", "10");
  assert.equal(text("ticket-size-problem"), "");
});

test("an order that was not placed may be sent again; one that is done says nothing more", () => {
  ticket.tell({name: "missing", text: "It was not placed."});
  assert.equal(find("ticket-again").hidden, false);
  find("ticket-again").happens("click");
  assert.equal(again, 1);
  ticket.tell({name: "done", text: "Done."});
  assert.deepEqual([find("ticket-again").hidden, text("ticket-outcome")], [true, ""]);
});

test("what a browser has restored, or somebody chose before the page was ready, is what counts", () => {
  find("ticket-type-stop").checked = true;
  ticket.paint();
  assert.equal(find("ticket-price-field").hidden, false);
});

test("shortcuts choose side and type", () => {
  ticket.set("side", "sell");
  assert.deepEqual([page.focused, find("ticket-side-sell").checked, text("ticket-words")], [find("ticket-size"), true, "Sell 1 BTC EUR-USD"]);
  assert.equal(find("ticket-send").dataset.side, "sell");
});
