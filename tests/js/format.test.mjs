/** format.js: numbers for people, from text to text. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {
  age, change, digitsOf, movement, priceParts, spreadPoints, utcClock, utcMinute,
} from "../../streaming/static/streaming/format.js";

test("a tick says how many digits a product has", () => {
  assert.deepEqual(["0.00001", "0.001", "0.1", "1"].map(digitsOf), [5, 3, 1, 0]);
});

test("the two digits that move are big, a tenth of a pip stands apart", () => {
  const cases = [
    ["1.08247", 5, ["1.08", "24", "7"]], ["151.204", 3, ["151.", "20", "4"]], ["1.0850", 4, ["1.08", "50", ""]],
    ["189.50", 2, ["189.", "50", ""]], ["64250.3", 1, ["6425", "0.3", ""]], ["189", 0, ["1", "89", ""]],
    ["0.5", 1, ["", "0.5", ""]], ["7", 0, ["", "7", ""]],
  ];
  for (const [price, digits, parts] of cases) assert.deepEqual(priceParts(price, digits), parts);
});

test("no part of a price is lost or changed", () => {
  for (let digits = 0; digits <= 8; digits += 1) {
    for (const whole of ["0", "7", "1.", "64250", "123456789012345678"]) {
      const price = digits ? `${whole.replace(".", "")}.${"90817263".slice(0, digits)}` : whole.replace(".", "");
      assert.equal(priceParts(price, digits).join(""), price);
    }
  }
});

test("a spread counts points, exactly, however long the price is", () => {
  assert.equal(spreadPoints("1.08241", "1.08254"), "13");
  assert.equal(spreadPoints("64250.0", "64257.3"), "73");
  assert.equal(spreadPoints("1.08241", "1.08241"), "0");
  assert.equal(spreadPoints("90071992547409.93001", "90071992547409.93002"), "1");
});

test("a movement is exact too", () => {
  assert.equal(movement("1.08241", "1.08242"), "up");
  assert.equal(movement("10.00", "9.99"), "down");
  assert.equal(movement("1.08241", "1.08241"), undefined);
  assert.equal(movement("90071992547409.93001", "90071992547409.93002"), "up");
});

test("a change has its sign and its direction; what rounds to nothing has neither", () => {
  assert.deepEqual(change("101", "100"), ["+1.00 %", "up"]);
  assert.deepEqual(change("99.5", "100"), ["−0.50 %", "down"]);
  assert.deepEqual(change("100.001", "100"), ["0.00 %", "flat"]);
  assert.deepEqual(change("99.999", "100"), ["0.00 %", "flat"]);
  assert.deepEqual(change("100", "0"), ["–", "flat"]);
});

test("an age is one short word, and a date beyond a day, before or after", () => {
  const now = Date.UTC(2026, 10, 23, 21, 15, 9);
  const ages = [0, 999, 1000, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999].map((ms) => age(now - ms, now));
  assert.deepEqual(ages, ["now", "now", "1 s", "59 s", "1 min", "59 min", "1 h", "23 h"]);
  assert.equal(age(now + 400, now), "now", "the server's clock is ahead a little");
  assert.equal(age(now - 86_400_000, now), "2026-11-22 21:15");
  assert.equal(age(now + 86_400_000, now), "2026-11-24 21:15");
});

test("times are UTC", () => {
  const time = Date.UTC(2026, 0, 2, 3, 4, 5);
  assert.equal(utcMinute(time), "2026-01-02 03:04");
  assert.equal(utcClock(time), "03:04:05");
});
