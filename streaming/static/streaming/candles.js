/** Which candles does a chart show? History and live events put together; no DOM in here. */

/** What the stream calls the three prices of a candle. */
const SIGNAL_KEYS = {mid: "m", bid: "b", ask: "a"};

/**
 * The candles of one product, resolution and signal, by the start of their bucket (s).
 *
 * Call `loading()` when a request for history leaves: an event that comes after that is newer than the answer, one that
 * came before may be older (the connection was lost in between).
 */
export class Candles {
  #byTime = new Map();
  #load = 0;

  constructor(signal) {
    this.signal = signal;
  }

  loading() {
    this.#load += 1;
  }

  /** Take rows `[t, open, high, low, close]` of REST, in any order. */
  history(rows) {
    for (const [t, ...prices] of rows) {
      const known = this.#byTime.get(Number(t));
      if (known === undefined || known.load < this.#load) this.#put(Number(t), prices, 0);
    }
  }

  /**
   * Take the newest rows, of a page with room for `room`. When a full page does not reach back to what was known before
   * the request, something may be missing in between: then the older bars go, and are loaded again when looked at.
   */
  newestHistory(rows, room) {
    const oldest = Math.min(...rows.map(([t]) => Number(t)));
    const before = [...this.#byTime].filter(([, {load}]) => load < this.#load).map(([time]) => time);
    if (rows.length >= room && Math.max(...before) < oldest) for (const time of before) this.#byTime.delete(time);
    this.history(rows);
  }

  /** Take a candle event's data; return the bar, and whether it belongs behind the newest one. */
  live(data) {
    const time = Number(data.t);
    const newest = this.newest?.time ?? -Infinity;
    return {bar: this.#put(time, data[SIGNAL_KEYS[this.signal]], this.#load), isOlder: time < newest};
  }

  /** All bars `{time, open, high, low, close}`, oldest first. */
  get bars() {
    return [...this.#byTime.values()].map(({bar}) => bar).sort((one, other) => one.time - other.time);
  }

  get oldest() {
    return this.#byTime.get(this.#edge((time, edge) => time < edge))?.bar;
  }

  get newest() {
    return this.#byTime.get(this.#edge((time, edge) => time > edge))?.bar;
  }

  #edge(isBeyond) {
    let edge;
    for (const time of this.#byTime.keys()) if (edge === undefined || isBeyond(time, edge)) edge = time;
    return edge;
  }

  #put(time, prices, load) {
    // The chart library draws, so here prices become floats; what is written as text elsewhere never does.
    const [open, high, low, close] = prices.map(Number);
    const bar = {time, open, high, low, close};
    this.#byTime.set(time, {bar, load});
    return bar;
  }
}
