/** What is on the chart, and where does it come from? REST's history page by page, then live events; no DOM in here. */

import {Candles} from "./candles.js";

/** Candles in one page; REST gives no more. */
export const PAGE = 150;

/**
 * The bars of the chosen product, resolution and signal. `view` is told what to draw: `reset(bars)`,
 * `update(bar, isOlder)` and `show(what, words)`, `what` being "loading", "bars", "empty" or "error".
 *
 * Only the newest choice counts: an answer to an earlier one is dropped.
 */
export class ChartData {
  #getJson;
  #view;
  #choice = null;
  #candles = null;
  #request = null; // the AbortController of the one request under way
  #isLoaded = false;
  #isWhole = false; // there is nothing older

  constructor(getJson, view) {
    this.#getJson = getJson;
    this.#view = view;
  }

  /** Show another choice. Its bars come with `refresh()`: call it when the stream has confirmed their channel. */
  choose(choice) {
    this.#request?.abort();
    this.#request = null;
    this.#choice = choice;
    this.#candles = new Candles(choice.signal);
    this.#isLoaded = this.#isWhole = false;
    this.#view.reset([]);
    this.#view.show("loading", "");
  }

  /** Load the newest page (again). While the channel is subscribed, nothing falls between the page and the events. */
  async refresh() {
    if (this.#choice === null) return;
    if (!this.#isLoaded) this.#view.show("loading", "");
    const rows = await this.#load("");
    if (rows === undefined) return;
    this.#candles.newestHistory(rows, PAGE);
    this.#isWhole = rows.length < PAGE;
    this.#isLoaded = true;
    this.#draw();
  }

  /** Load the page before the oldest bar, unless one is under way or nothing is older. */
  async older() {
    if (this.#request !== null || !this.#isLoaded || this.#isWhole || !this.#candles.oldest) return;
    const rows = await this.#load(`&end=${this.#candles.oldest.time - 1}`);
    if (rows === undefined) return;
    this.#candles.history(rows);
    this.#isWhole = rows.length < PAGE;
    if (rows.length) this.#draw();
  }

  /** Take a candle event of the stream. */
  take({product, resolution, data}) {
    if (product !== this.#choice?.product || resolution !== this.#choice.resolution) return;
    const wasEmpty = this.#candles.newest === undefined;
    const {bar, isOlder} = this.#candles.live(data);
    if (!this.#isLoaded) return; // drawn with the history that is on its way
    if (wasEmpty) this.#draw();
    else this.#view.update(bar, isOlder);
  }

  #draw() {
    const bars = this.#candles.bars;
    this.#view.reset(bars);
    this.#view.show(bars.length ? "bars" : "empty", "");
  }

  /** Return rows, or undefined when they are no longer wanted or could not be had. */
  async #load(more) {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    const {product, resolution, signal} = this.#choice;
    this.#candles.loading();
    try {
      const path = `/trading/candles/${product}/${resolution}?signal=${signal}&limit=${PAGE}${more}`;
      const rows = await this.#getJson(path, {signal: request.signal});
      return request === this.#request ? rows : undefined;
    } catch (error) {
      if (request === this.#request) this.#failed(error);
      return undefined;
    } finally {
      if (request === this.#request) this.#request = null;
    }
  }

  #failed(error) {
    // Bars that are there stay; the next refresh, or scrolling again, tries again.
    if (!this.#isLoaded) this.#view.show("error", error.message);
  }
}
