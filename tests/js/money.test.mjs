/** money.js: the server's money, to the last digit. The golden vectors are those of tests/engine/test_margin.py. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Exact} from "../../streaming/static/streaming/trade/exact.js";
import {
  amountOf, decayPeriodOf, leverageOf, liquidationOf, marginOf, marginRatioOf, pnlOf, pnlPercentOf, sizeOf, splitOf,
  unrealisedOf, worthOf,
} from "../../streaming/static/streaming/trade/money.js";

const of = (text) => Exact.of(text);

/** side, size, leverage, entry, close, fraction, margin, liquidation, pnl, percent. */
const GOLDEN = [
  ["buy", "1000", "300", "1.26635", "1.26995", "2/3", "3.33333333", "1.26354", "2.84281590", "85.2845"],
  ["sell", "1000", "300", "1.26635", "1.26995", "2/3", "3.33333333", "1.26916", "-2.84281590", "-85.2845"],
  ["buy", "100", "200", "1.12", "1.13", "4/5", "0.50000000", "1.11552", "0.89285714", "178.5714"],
  ["buy", "100", "200", "1.12", "1.118", "4/5", "0.50000000", "1.11552", "-0.17857142", "-35.7143"],
  ["buy", "100", "100", "1.12", "1.12", "4/5", "1.00000000", "1.11104", "0.00000000", "0.0000"],
  ["buy", "100", "100", "1.07876", "1.07876", "4/5", "1.00000000", "1.07013", "0.00000000", "0.0000"],
];

for (const [index, [side, size, leverage, entry, close, fraction, margin, liquidation, pnl, percent]] of GOLDEN.entries()) {
  test(`golden vector ${index + 1} of the trading rules`, () => {
    const locked = marginOf({size: of(size), leverage: of(leverage)});
    assert.equal(String(locked), margin);
    const terms = {side, entry: of(entry), size: of(size), margin: locked, fraction, digits: 5};
    assert.equal(String(liquidationOf(terms)), liquidation);
    const gained = pnlOf({side, size: of(size), entry: of(entry), close: of(close)});
    assert.equal(String(gained), pnl);
    assert.equal(String(pnlPercentOf({pnl: gained, margin: locked})), percent);
  });
}

test("8 hours of 10 BTC at 0.003 % cost 0.0003, whatever the rate's sign", () => {
  assert.equal(String(decayPeriodOf({rate: of("0.00003"), size: of("10")})), "0.00030000");
  assert.equal(String(decayPeriodOf({rate: of("-0.00003"), size: of("10")})), "0.00030000");
});

test("contracts and base currency are two units of one size", () => {
  assert.equal(sizeOf("1000000").trimmed, "1000");
  assert.equal(amountOf(of("1000")), "1000000");
  assert.equal(amountOf(of("0.0010")), "1");
  assert.equal(amountOf(of("0.0005")), undefined);
});

test("a margin says which leverage it is", () => {
  assert.equal(String(leverageOf({size: of("1000"), margin: of("3.33333333")})), "300.00");
});

const POSITION = {side: "buy", product: "EUR-USD", base_size: "1000", price: "1.26635", margin: "3.33333333"};

test("a position is worth what closing it would bring, and at most its margin can be lost", () => {
  assert.equal(String(unrealisedOf(POSITION, {bid: "1.26995", ask: "1.27"})), "2.84281590");
  assert.equal(String(unrealisedOf({...POSITION, side: "sell"}, {bid: "1.2", ask: "1.26995"})), "-2.84281590");
  assert.equal(String(unrealisedOf(POSITION, {bid: "0.50000", ask: "0.5"})), "-3.33333333");
  assert.equal(unrealisedOf(POSITION, null), undefined);
});

test("an account's worth is as the documents' example has it", () => {
  // docs/rest.md, GET /trading/account: what is left of a split position, at 1.26995.
  const part = {...POSITION, base_size: "600", margin: "1.99999999"};
  const account = {balance: "9.13712637", orders: [], positions: [part]};
  const worth = worthOf(account, () => ({bid: "1.26995", ask: "1.27"}));
  assert.deepEqual(Object.fromEntries(Object.entries(worth).map(([name, value]) => [name, String(value)])), {
    balance: "9.13712637", marginUsed: "1.99999999", unrealised: "1.70568954", equity: "12.84281590",
  });
});

test("orders lock margin too, and a position without a quote counts as it was opened", () => {
  const account = {balance: "10", orders: [{margin: "0.02000000"}], positions: [POSITION]};
  const worth = worthOf(account, () => undefined);
  assert.equal(String(worth.marginUsed), "3.35333333");
  assert.equal(String(worth.equity), "13.35333333");
});

test("the margin ratio is what is left of the margin", () => {
  assert.equal(String(marginRatioOf(POSITION, of("2.84281590"))), "185.2");
  assert.equal(String(marginRatioOf(POSITION, of("-3.33333333"))), "0.0");
});

test("a split loses nothing: what does not divide goes to the first", () => {
  const [first, second] = splitOf({amount: 1000000, margin: "3.33333333"}, 40);
  assert.deepEqual([first.amount, String(first.margin)], ["400000", "1.33333334"]);
  assert.deepEqual([second.amount, String(second.margin)], ["600000", "1.99999999"]);
});
