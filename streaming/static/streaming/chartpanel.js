/** The chart and what is around it: its product, resolution and price, its legend, its words when there is nothing. */

import {PriceChart} from "./chart.js";
import {ChartData} from "./chartdata.js";
import {candleChannel} from "./choice.js";

/** Between two drawings of live candles: each draws the whole chart anew, and nobody reads faster. */
export const REDRAW_MS = 200;

export class ChartPanel {
  #find;
  #getJson;
  #setTimer;
  #stream;
  #askForLegend;
  #choice = null;
  #product = null;
  #chart = null;
  #data = null;
  #levels = [];

  /** `stream()` returns the page's stream; `ask(key, paint)` is the painter's. */
  constructor(find, {getJson, setTimer, stream, ask}) {
    this.#find = find;
    this.#getJson = getJson;
    this.#setTimer = setTimer;
    this.#stream = stream;
    this.#askForLegend = () => ask("legend", () => paintLegend(find("legend"), this.#chart?.legend() ?? null));
    find("chart-retry").addEventListener("click", () => this.#data?.refresh());
  }

  /** Load the chart library, which the rest of the page does not wait for. */
  async load(loadChart) {
    const container = this.#find("chart");
    try {
      const library = await loadChart(container.dataset.library);
      this.#chart = new PriceChart(container, {
        library, colour: colourReader(container), onEdge: () => this.#data.older(), onLegend: this.#askForLegend,
      });
      this.#chart.setLevels(this.#levels);
      this.#data = new ChartData(this.#getJson, new ChartView(this.#chart, {
        find: this.#find, changed: this.#askForLegend, setTimer: this.#setTimer,
      }));
    } catch {
      showOnly(this.#find, "error", "The chart could not be loaded. Prices go on.");
      return;
    }
    if (this.#choice !== null) this.#show();
  }

  choose(choice, product) {
    const before = this.#choice === null ? null : candleChannel(this.#choice);
    const channel = candleChannel(choice);
    this.#choice = choice;
    this.#product = product;
    for (const name of ["resolution", "signal"]) {
      document.querySelector(`[name=${name}][value="${choice[name]}"]`).checked = true;
    }
    const stream = this.#stream();
    if (before !== null && before !== channel) stream.unsubscribe([before]);
    stream.subscribe([channel]);
    if (this.#data !== null) this.#show();
  }

  #show() {
    this.#chart.configure(this.#product, this.#choice.resolution);
    this.#data.choose(this.#choice);
    this.#askForLegend();
    const stream = this.#stream();
    // Else the bars come when the channel is confirmed; while no connection can be had, history is better than nothing.
    const isAway = ["reconnecting", "closed"].includes(stream.state.name);
    if (stream.holds(candleChannel(this.#choice)) || isAway) this.#data.refresh();
  }

  held(channels) {
    if (this.#choice !== null && channels.includes(candleChannel(this.#choice))) this.#data?.refresh();
  }

  candle(event) {
    this.#data?.take(event);
  }

  setLevels(levels) {
    this.#levels = levels;
    this.#chart?.setLevels(levels);
  }

  restyle() {
    this.#chart?.restyle();
  }
}

/** Return a reader of the style sheet's colours, as the theme of the moment has them. */
function colourReader(container) {
  const styles = getComputedStyle(container);
  return (name) => {
    if (name === "font") return styles.getPropertyValue("--font").trim();
    // light-dark() is resolved where a colour is used, not where it is named.
    container.style.setProperty("--probe", `var(--${name})`);
    return styles.getPropertyValue("outline-color").trim();
  };
}

/** What ChartData draws on. */
class ChartView {
  #waiting = new Map(); // time -> {bar, isOlder}, in the order in which they are to be drawn
  #isResting = false;

  constructor(chart, {find, changed, setTimer}) {
    Object.assign(this, {chart, find, changed, setTimer});
  }

  reset(bars) {
    this.#waiting.clear();
    this.chart.reset(bars);
    this.changed();
  }

  update(bar, isOlder) {
    this.#waiting.delete(bar.time);
    this.#waiting.set(bar.time, {bar, isOlder});
    if (!this.#isResting) this.#draw();
  }

  #draw() {
    for (const {bar, isOlder} of this.#waiting.values()) this.chart.update(bar, isOlder);
    this.#waiting.clear();
    this.changed();
    this.#isResting = true;
    this.setTimer(() => {
      this.#isResting = false;
      if (this.#waiting.size > 0) this.#draw();
    }, REDRAW_MS);
  }

  show(what, words) {
    showOnly(this.find, what, words);
  }
}

/** Over the chart: one of loading, empty, error; or, with bars, nothing. */
function showOnly(find, what, words) {
  for (const name of ["loading", "empty", "error"]) find(`chart-${name}`).hidden = name !== what;
  find("chart-error-words").textContent = words;
}

function paintLegend(node, legend) {
  node.hidden = legend === null;
  if (legend === null) return;
  for (const [index, price] of [...legend.prices, legend.text].entries()) node.children[index].textContent = price;
  node.dataset.move = legend.direction;
}
