/** The small line of a product's last day: REST's hours, and the price of now as its last point. */

/** A line's own units. */
const WIDTH = 48;
const HEIGHT = 16;
export const HOURS = 24;
/** Between two requests: a page of a thousand products must not use up what its user may ask of REST. */
export const PAUSE_MS = 60;

/** Return the points of an SVG polyline through prices, oldest first; "" for fewer than two. */
export function sparkPoints(prices) {
  const heights = prices.map(Number); // drawn, never written
  if (heights.length < 2) return "";
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const y = (value) => (high === low ? HEIGHT / 2 : 1 + (HEIGHT - 2) * (1 - (value - low) / (high - low)));
  return heights.map((value, index) => `${((index / (heights.length - 1)) * WIDTH).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}

/** Asks once for the hours of each product, one after the other, in the order in which they come into sight. */
export class Sparks {
  #queue = [];
  #asked = new Set();
  #isBusy = false;

  /** `onPrices(name, closes)` is given the day's closes, oldest first. */
  constructor({getJson, setTimer, onPrices}) {
    Object.assign(this, {getJson, setTimer, onPrices});
  }

  want(name) {
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    this.#queue.push(name);
    this.#next();
  }

  async #next() {
    if (this.#isBusy || this.#queue.length === 0) return;
    this.#isBusy = true;
    const name = this.#queue.shift();
    try {
      const rows = await this.getJson(`/trading/candles/${name}/60?limit=${HOURS}`);
      this.onPrices(name, rows.map((row) => row[4]).reverse());
    } catch {
      // A line less; the prices themselves are there.
    }
    this.setTimer(() => {
      this.#isBusy = false;
      this.#next();
    }, PAUSE_MS);
  }
}
