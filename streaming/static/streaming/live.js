/** The live page: puts stream, market, table and chart together. Everything that moves on it begins here. */

import {DataCell, TextCell} from "./cells.js";
import {PriceChart} from "./chart.js";
import {ChartData} from "./chartdata.js";
import {candleChannel, quoteChannel, readChoice, writeChoice} from "./choice.js";
import {connectionView, isLoggedOut} from "./connection.js";
import {Headline} from "./headline.js";
import {applyEvent, assumeOpen, readProducts} from "./market.js";
import {Painter} from "./painter.js";
import {getJson} from "./rest.js";
import {connect} from "./stream.js";
import {WatchTable} from "./watchtable.js";

const CLOCK_MS = 1_000;

/** The world of a page; a test has its own. */
const BROWSER = {
  connect,
  getJson,
  loadChart: (url) => import(url),
  requestFrame: (paint) => requestAnimationFrame(paint),
  monotonicMs: () => performance.now(),
  everySecond: (tick) => setInterval(tick, CLOCK_MS),
};

export class LivePage {
  #world;
  #find;
  #painter;
  #table;
  #headline;
  #light;
  #stream;
  #products = new Map();
  #choice = null;
  #chart = null;
  #chartData = null;
  #heardMs = 0;

  constructor(world = {}) {
    this.#world = {...BROWSER, ...world};
    this.#find = (id) => document.getElementById(id);
    this.#painter = new Painter(this.#world.requestFrame);
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const isCalm = () => calm.matches;
    const onChoose = (product) => this.#choose({...this.#choice, product});
    this.#table = new WatchTable(this.#find("watch"), {onChoose, isCalm});
    this.#headline = new Headline(this.#find, {isCalm});
    this.#light = new Light(this.#find);
  }

  async start() {
    this.#listen();
    this.#stream = this.#world.connect({
      url: this.#socketUrl(),
      onEvent: (event) => this.#event(event),
      onState: (state) => this.#connection(state),
      onHeld: (channels) => this.#held(channels),
    });
    this.#world.everySecond(() => this.#secondPassed());
    await this.#loadChart();
    await this.#loadProducts();
  }

  // ---- what comes in

  #event(event) {
    if (event.event === "heartbeat") {
      this.#heardMs = this.#world.monotonicMs();
      this.#askForLight();
    } else if (event.event === "candle") {
      this.#chartData?.take(event);
      this.#askForLegend();
    } else {
      const product = applyEvent(this.#products, event);
      if (product !== undefined) this.#askFor(product);
    }
  }

  #connection(state) {
    if (state.name === "live") {
      this.#heardMs = this.#world.monotonicMs();
      assumeOpen(this.#products);
      for (const product of this.#products.values()) this.#askFor(product);
      if (this.#products.size === 0 && this.#find("watch-error").hidden === false) this.#loadProducts();
    }
    this.#askForLight(state);
  }

  #held(channels) {
    if (this.#choice !== null && channels.includes(candleChannel(this.#choice))) this.#chartData?.refresh();
  }

  #secondPassed() {
    this.#askForLight();
    this.#painter.ask("ages", () => this.#table.paintAges(this.#stream.serverMs()));
  }

  // ---- what is painted

  #askFor(product) {
    this.#painter.ask(product.name, () => this.#table.paint(product, this.#stream.serverMs()));
    if (product.name === this.#choice?.product) {
      this.#painter.ask("headline", () => (document.title = this.#headline.paint(product)));
    }
  }

  #askForLight(state = this.#stream.state) {
    this.#painter.ask("light", () => {
      const clocks = {nowMs: this.#world.monotonicMs(), heardMs: this.#heardMs, roundTripMs: this.#stream.roundTripMs};
      this.#light.paint(state, clocks);
    });
  }

  #askForLegend() {
    this.#painter.ask("legend", () => paintLegend(this.#find("legend"), this.#chart?.legend() ?? null));
  }

  // ---- what is chosen

  #choose(choice) {
    const before = this.#choice === null ? null : candleChannel(this.#choice);
    const channel = candleChannel(choice);
    this.#choice = choice;
    history.replaceState(null, "", writeChoice(choice));
    for (const name of ["resolution", "signal"]) {
      document.querySelector(`[name=${name}][value="${choice[name]}"]`).checked = true;
    }
    this.#table.choose(choice.product);
    this.#askFor(this.#products.get(choice.product));
    this.#chart?.configure(this.#products.get(choice.product), choice.resolution);
    this.#chartData?.choose(choice);
    this.#askForLegend();
    if (before !== null && before !== channel) this.#stream.unsubscribe([before]);
    this.#stream.subscribe([channel]);
    // Else the bars come when the channel is confirmed; while no connection can be had, history is better than nothing.
    const isAway = ["reconnecting", "closed"].includes(this.#stream.state.name);
    if (this.#stream.holds(channel) || isAway) this.#chartData?.refresh();
  }

  // ---- how it begins

  async #loadProducts() {
    this.#find("watch-error").hidden = true;
    this.#find("watch-loading").hidden = false;
    try {
      this.#products = readProducts(await this.#world.getJson("/trading/products"));
    } catch (error) {
      this.#find("watch-error-words").textContent = error.message;
      this.#find("watch-error").hidden = false;
      return;
    } finally {
      this.#find("watch-loading").hidden = true;
    }
    const names = [...this.#products.keys()];
    this.#find("watch-empty").hidden = names.length > 0;
    if (names.length === 0) return;
    this.#table.build(this.#products.values());
    this.#stream.subscribe(names.map(quoteChannel));
    this.#choose(readChoice(location.hash, names));
  }

  async #loadChart() {
    const container = this.#find("chart");
    try {
      const library = await this.#world.loadChart(container.dataset.library);
      const styles = getComputedStyle(container);
      this.#chart = new PriceChart(container, {
        library,
        colour: (name) => styles.getPropertyValue(`--${name}`).trim(),
        onEdge: () => this.#chartData.older(),
        onLegend: () => this.#askForLegend(),
      });
      const view = new ChartView(this.#chart, this.#find, () => this.#askForLegend());
      this.#chartData = new ChartData(this.#world.getJson, view);
    } catch {
      showOnly(this.#find, "error", "The chart could not be loaded. Prices go on.");
    }
  }

  #listen() {
    const find = this.#find;
    for (const name of ["resolution", "signal"]) {
      find(name).addEventListener("change", ({target}) => {
        if (this.#choice !== null) this.#choose({...this.#choice, [name]: target.value});
      });
    }
    find("search").addEventListener("input", ({target}) => this.#filter(target.value));
    find("search").addEventListener("keydown", (event) => this.#searchKey(event));
    find("watch-retry").addEventListener("click", () => this.#loadProducts());
    find("chart-retry").addEventListener("click", () => this.#chartData?.refresh());
    find("retry-now").addEventListener("click", () => this.#stream.retryNow());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
      event.preventDefault();
      find("search").focus();
    });
    document.addEventListener("visibilitychange", () => document.hidden || this.#stream.retryNow());
    addEventListener("online", () => this.#stream.retryNow());
    addEventListener("hashchange", () => {
      if (this.#products.size) this.#choose(readChoice(location.hash, [...this.#products.keys()]));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#chart?.restyle());
  }

  #filter(text) {
    const count = this.#table.filter(text);
    this.#find("watch-none").hidden = count > 0 || this.#products.size === 0;
  }

  #searchKey(event) {
    if (event.key === "Escape") {
      event.target.value = "";
      this.#filter("");
    } else if (["ArrowUp", "ArrowDown"].includes(event.key) && this.#table.go(event.key, false)) {
      event.preventDefault();
    }
  }

  #socketUrl() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    return `${scheme}//${location.host}${this.#find("chart").dataset.socket}`;
  }
}

/** The connection's light and words in the header, and what is read aloud of them. */
class Light {
  constructor(find) {
    this.find = find;
    this.light = new DataCell(document.body, "connection");
    this.text = new TextCell(find("connection-text"));
    this.detail = new TextCell(find("connection-detail"));
    this.spoken = new TextCell(find("connection-spoken"));
  }

  paint(state, clocks) {
    const {light, text, detail, spoken} = connectionView(state, clocks);
    this.light.set(light);
    this.text.set(text);
    this.detail.set(detail);
    this.spoken.set(spoken);
    this.find("retry-now").hidden = state.retryAtMs === undefined;
    this.find("log-in-again").hidden = !isLoggedOut(state);
  }
}

/** What ChartData draws on. */
class ChartView {
  constructor(chart, find, changed) {
    Object.assign(this, {chart, find, changed});
  }

  reset(bars) {
    this.chart.reset(bars);
    this.changed();
  }

  update(bar, isOlder) {
    this.chart.update(bar, isOlder);
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

// Node's tests import this module without a page.
if (globalThis.document !== undefined) new LivePage().start();
