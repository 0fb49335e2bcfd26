/** The candle chart: what of the chart library we use, in our colours. */

import {change} from "./format.js";

/** Bars left of the window at which older ones are asked for. */
const NEAR_EDGE_BARS = 30;

/** The chart library's options that depend on colours; `colour(name)` reads one of the style sheet's. */
function themed(colour) {
  return {
    layout: {
      background: {type: "solid", color: colour("panel")}, textColor: colour("dim"), fontSize: 11,
      fontFamily: colour("font"), attributionLogo: false, // the page has the notice and the link itself
    },
    grid: {vertLines: {color: colour("grid")}, horzLines: {color: colour("grid")}},
    crosshair: {
      mode: 0,
      vertLine: {color: colour("faint"), labelBackgroundColor: colour("label")},
      horzLine: {color: colour("faint"), labelBackgroundColor: colour("label")},
    },
    rightPriceScale: {borderColor: colour("line"), scaleMargins: {top: 0.18, bottom: 0.08}},
    timeScale: {borderColor: colour("line")},
  };
}

/** Which colour a level of an account has, and how its line is drawn (the library's numbers: 0 solid, 2 dashed, 1 dotted). */
const LEVELS = {
  buy: ["up", 0], sell: ["down", 0], profit: ["up", 2], loss: ["down", 2], liquidation: ["warn", 1],
};

function candles(colour) {
  const [up, down] = [colour("up"), colour("down")];
  return {upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false};
}

export class PriceChart {
  #chart;
  #series;
  #colour;
  #digits = 0;
  #newest = null;
  #hovered = null;
  #levels = new Map(); // key -> {line, level}

  /**
   * `library` is the chart library's module, `colour(name)` reads the page's colours; `onEdge()` is called when older
   * bars come into sight, `onLegend()` when another bar is under the pointer.
   */
  constructor(container, {library, colour, onEdge, onLegend}) {
    this.#colour = colour;
    this.#chart = library.createChart(container, {autoSize: true, ...themed(colour)});
    this.#series = this.#chart.addSeries(library.CandlestickSeries, candles(colour));
    this.#chart.timeScale().applyOptions({rightOffset: 6, barSpacing: 8, secondsVisible: false});
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < NEAR_EDGE_BARS) onEdge();
    });
    this.#chart.subscribeCrosshairMove(({seriesData}) => {
      this.#hovered = seriesData?.get(this.#series) ?? null;
      onLegend();
    });
  }

  /** Get ready for another product or resolution: its digits, its axis, the newest bars in sight. */
  configure({digits, tick}, resolution) {
    this.#digits = digits;
    this.#series.applyOptions({priceFormat: {type: "price", precision: digits, minMove: Number(tick)}});
    this.#chart.timeScale().applyOptions({timeVisible: resolution !== "1D"});
    this.#chart.timeScale().resetTimeScale();
    this.#chart.priceScale("right").applyOptions({autoScale: true});
  }

  reset(bars) {
    this.#newest = bars.at(-1) ?? null;
    this.#hovered = null;
    this.#series.setData(bars);
  }

  update(bar, isOlder) {
    if (!isOlder) this.#newest = bar;
    this.#series.update(bar, isOlder);
  }

  /** Draw these levels and no others: `[{key, price, title, kind, isPending}]`. */
  setLevels(levels) {
    const wanted = new Map(levels.map((level) => [level.key, level]));
    for (const [key, {line}] of this.#levels) {
      if (wanted.has(key)) continue;
      this.#series.removePriceLine(line);
      this.#levels.delete(key);
    }
    for (const level of levels) this.#setLevel(level);
  }

  /** Read the colours again: the system went from light to dark, or back. */
  restyle() {
    this.#chart.applyOptions(themed(this.#colour));
    this.#series.applyOptions(candles(this.#colour));
    for (const {line, level} of this.#levels.values()) line.applyOptions(this.#levelOptions(level));
  }

  #setLevel(level) {
    const known = this.#levels.get(level.key);
    const options = this.#levelOptions(level);
    const line = known?.line ?? this.#series.createPriceLine(options);
    if (known !== undefined && JSON.stringify(known.level) !== JSON.stringify(level)) line.applyOptions(options);
    this.#levels.set(level.key, {line, level});
  }

  #levelOptions({price, title, kind, isPending}) {
    const [name, style] = LEVELS[kind];
    const color = this.#colour(name);
    return {
      price: Number(price), title, color, lineWidth: 1, lineStyle: isPending ? 2 : style, axisLabelVisible: true,
      axisLabelColor: color, axisLabelTextColor: this.#colour("panel"),
    };
  }

  /** Of the bar under the pointer, or else of the newest: prices, change, direction; null without bars. */
  legend() {
    const bar = this.#hovered ?? this.#newest;
    if (bar === null) return null;
    const prices = ["open", "high", "low", "close"].map((name) => bar[name].toFixed(this.#digits));
    const [text, direction] = change(bar.close, bar.open);
    return {prices, text, direction};
  }
}
