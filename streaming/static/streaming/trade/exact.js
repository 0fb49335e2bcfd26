/** How are decimals computed without losing a digit? Each is a whole number of its last places (BigInt). */

/** As the server reads numbers: plain digits, 15 before the point and 10 behind it (engine/values.py). */
const NUMBER = /^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?$/;
const TEN = 10n;

export class Exact {
  /** The number `units` / 10^`places`. */
  constructor(units, places) {
    this.units = units;
    this.places = places;
  }

  /** Read a number that somebody typed; undefined for what the server would not read either. */
  static read(text) {
    return NUMBER.test(text) ? Exact.of(text) : undefined;
  }

  /** Read a number that the server wrote. */
  static of(text) {
    const digits = String(text);
    const point = digits.indexOf(".");
    return new Exact(BigInt(digits.replace(".", "")), point < 0 ? 0 : digits.length - point - 1);
  }

  plus(other) {
    const places = Math.max(this.places, other.places);
    return new Exact(this.#scaled(places) + other.#scaled(places), places);
  }

  minus(other) {
    return this.plus(other.negated());
  }

  negated() {
    return new Exact(-this.units, this.places);
  }

  times(other) {
    return new Exact(this.units * other.units, this.places + other.places);
  }

  /** Divide, with this many places: `down` is towards zero, `half-up` is away from it where two are as near. */
  over(other, places, rounding) {
    const shift = places + other.places - this.places;
    const [above, below] = shift < 0 ? [this.units, other.units * TEN ** BigInt(-shift)] : [this.units * TEN ** BigInt(shift), other.units];
    return new Exact(divided(above, below, rounding), places);
  }

  /** Write with this many places. */
  round(places, rounding) {
    return this.over(ONE, places, rounding);
  }

  compare(other) {
    const places = Math.max(this.places, other.places);
    const [mine, others] = [this.#scaled(places), other.#scaled(places)];
    return mine < others ? -1 : Number(mine > others);
  }

  get sign() {
    return this.units < 0n ? -1 : Number(this.units > 0n);
  }

  toString() {
    const digits = String(this.units < 0n ? -this.units : this.units).padStart(this.places + 1, "0");
    const minus = this.units < 0n ? "-" : "";
    if (this.places === 0) return minus + digits;
    return `${minus}${digits.slice(0, -this.places)}.${digits.slice(-this.places)}`;
  }

  /** The number without zeros at its end: "1000.000" is "1000". */
  get trimmed() {
    const text = String(this);
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }

  #scaled(places) {
    return this.units * TEN ** BigInt(places - this.places);
  }
}

const ONE = new Exact(1n, 0);
export const ZERO = new Exact(0n, 0);

export function larger(one, other) {
  return one.compare(other) < 0 ? other : one;
}

export function sum(numbers) {
  return numbers.reduce((total, number) => total.plus(number), ZERO);
}

function divided(above, below, rounding) {
  const isNegative = above < 0n !== below < 0n;
  const [top, bottom] = [above < 0n ? -above : above, below < 0n ? -below : below];
  const half = rounding === "half-up" && (top % bottom) * 2n >= bottom ? 1n : 0n;
  const whole = top / bottom + half;
  return isNegative ? -whole : whole;
}
