/** exact.js: decimals without a lost digit. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {Exact, ZERO, larger, sum} from "../../streaming/static/streaming/trade/exact.js";

const of = (text) => Exact.of(text);

test("what is read is written again, digit for digit", () => {
  for (const text of ["0", "1", "-1", "0.00000001", "-0.5", "123456789.12345678", "1000.000"]) {
    assert.equal(String(of(text)), text);
  }
  assert.equal(String(of(1000000)), "1000000", "amounts are JSON numbers");
});

test("it reads what the server reads, and nothing else", () => {
  for (const text of ["0", "1.5", "-2", "999999999999999.0123456789"]) assert.equal(String(Exact.read(text)), text);
  const others = ["", " 1", "1 ", "+1", ".5", "5.", "01", "1e3", "1,5", "NaN", "٣", "1_0", "0x1", "1".repeat(16), "0.00000000001"];
  for (const text of others) assert.equal(Exact.read(text), undefined, text);
});

test("it adds what floats cannot", () => {
  assert.equal(String(of("0.1").plus(of("0.2"))), "0.3");
  assert.equal(String(of("33.99388733").minus(of("3.33333333"))), "30.66055400");
  assert.equal(String(of("1").minus(of("1.00000001"))), "-0.00000001");
  assert.equal(String(sum([of("0.1"), of("0.20"), of("-0.30")])), "0.00");
});

test("it multiplies", () => {
  assert.equal(String(of("-1000").times(of("0.0028428159"))), "-2.8428159000");
});

test("it divides towards zero, or to the nearest and halves away from zero", () => {
  assert.equal(String(of("2").over(of("3"), 4, "down")), "0.6666");
  assert.equal(String(of("-2").over(of("3"), 4, "down")), "-0.6666");
  assert.equal(String(of("2").over(of("-3"), 4, "half-up")), "-0.6667");
  assert.equal(String(of("0.125").round(2, "half-up")), "0.13");
  assert.equal(String(of("-0.125").round(2, "half-up")), "-0.13");
  assert.equal(String(of("0.124").round(2, "half-up")), "0.12");
  assert.equal(String(of("7").round(3, "down")), "7.000");
  assert.equal(String(of("1000.00000000").over(of("300.0"), 8, "down")), "3.33333333");
});

test("nothing is minus zero", () => {
  assert.equal(String(of("-0.4").round(0, "down")), "0");
});

test("it compares across places", () => {
  assert.equal(of("1.0").compare(of("1")), 0);
  assert.equal(of("-1").compare(of("0.5")), -1);
  assert.equal(of("1.01").compare(of("1.001")), 1);
  assert.deepEqual([of("-3"), ZERO, of("0.1")].map(({sign}) => sign), [-1, 0, 1]);
  assert.equal(larger(of("1"), of("2")).compare(of("2")), 0);
  assert.equal(larger(of("2"), of("1")).compare(of("2")), 0);
});

test("zeros at the end may go", () => {
  assert.deepEqual(["1000.000", "0.50", "100", "0.00"].map((text) => of(text).trimmed), ["1000", "0.5", "100", "0"]);
});
