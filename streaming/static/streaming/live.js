/** The dashboard: puts stream, market, list, chart and trading together. Everything that moves on it begins here. */

import {ChartPanel} from "./chartpanel.js";
import {quoteChannel, readChoice, writeChoice} from "./choice.js";
import {Headline} from "./headline.js";
import {Light} from "./light.js";
import {Lights} from "./lights.js";
import {applyEvent, assumeOpen} from "./market.js";
import {Notices} from "./notices.js";
import {Painter} from "./painter.js";
import {getJson, postJson} from "./rest.js";
import {actionOf, writeHelp} from "./shortcuts.js";
import {connect} from "./stream.js";
import {Tabs} from "./tabs.js";
import {Theme} from "./theme.js";
import {ACCOUNT_CHANNELS, Desk} from "./trade/desk.js";
import {Watchlist} from "./watchlist.js";

const CLOCK_MS = 1_000;

/** The world of a page; a test has its own. */
const BROWSER = {
  connect,
  getJson,
  postJson,
  loadChart: (url) => import(url),
  requestFrame: (paint) => requestAnimationFrame(paint),
  monotonicMs: () => performance.now(),
  everySecond: (tick) => setInterval(tick, CLOCK_MS),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
  newId: () => `page-${crypto.randomUUID()}`,
  Observer: globalThis.IntersectionObserver,
};

export class LivePage {
  #world;
  #find = (id) => document.getElementById(id);
  #painter;
  #light;
  #notices;
  #list;
  #headline;
  #chart;
  #desk;
  #theme;
  #tabs = {};
  #stream;
  #choice = null;
  #heardMs = 0;
  #title = document.title;

  constructor(world = {}) {
    this.#world = {...BROWSER, ...world};
    const find = this.#find;
    this.#painter = new Painter(this.#world.requestFrame);
    const ask = (key, paint) => this.#painter.ask(key, paint);
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const lights = new Lights({isCalm: () => calm.matches, setTimer: this.#world.setTimer});
    this.#notices = new Notices(find("notices"), this.#world);
    this.#light = new Light(find);
    this.#headline = new Headline(find, {lights});
    this.#list = new Watchlist(this.#world, find, {
      lights, onChoose: (product) => this.#choose({...this.#choice, product}), onLoaded: (names) => this.#loaded(names),
      onSight: (product) => this.#askFor(product), onTrouble: (words) => this.#notices.tell(words, "warn"),
    });
    this.#chart = new ChartPanel(find, {...this.#world, stream: () => this.#stream, ask});
    this.#desk = new Desk(this.#world, {
      find, ask, notices: this.#notices, products: () => this.#list.products, nowMs: () => this.#stream.serverMs(),
      trade: (...call) => this.#stream.trade(...call), onLevels: (levels) => this.#chart.setLevels(levels),
    });
    this.#theme = new Theme(find("theme"), {onChange: () => this.#chart.restyle()});
  }

  async start() {
    this.#listen();
    this.#stream = this.#world.connect({
      url: this.#socketUrl(),
      channels: ACCOUNT_CHANNELS,
      onEvent: (event) => this.#event(event),
      onState: (state) => this.#connection(state),
      onHeld: (channels) => this.#chart.held(channels),
      onReturn: (back) => this.#desk.returned(back),
      onError: (error, channels) => channels.length && this.#desk.refused(error, channels),
    });
    this.#world.everySecond(() => this.#secondPassed());
    await this.#list.load();
    await this.#chart.load(this.#world.loadChart); // the most there is to read: prices go before it
  }

  // ---- what comes in

  #event(event) {
    if (event.event === "heartbeat") {
      this.#heardMs = this.#world.monotonicMs();
      this.#askForLight();
    } else if (event.event === "candle") {
      this.#chart.candle(event);
    } else {
      const product = applyEvent(this.#list.products, event);
      if (product === undefined) this.#desk.event(event);
      else this.#askFor(product);
    }
  }

  #connection(state) {
    if (state.name === "live") {
      this.#heardMs = this.#world.monotonicMs();
      assumeOpen(this.#list.products);
      for (const product of this.#list.products.values()) this.#askFor(product);
      if (this.#list.isFailed) this.#list.load();
    }
    this.#askForLight(state);
  }

  #secondPassed() {
    this.#askForLight();
    this.#painter.ask("all", () => this.#list.table.paintAll(this.#stream.serverMs()));
    this.#askForTitle();
  }

  // ---- what is painted

  #askFor(product) {
    this.#painter.ask(product.name, () => this.#list.table.paint(product, this.#stream.serverMs()));
    if (product.name === this.#choice?.product) {
      this.#painter.ask("headline", () => (this.#title = this.#headline.paint(product)));
    }
    this.#desk.moved(product);
  }

  /** Browsers draw their own frame for it: on a choice, and once a second. */
  #askForTitle() {
    this.#painter.ask("title", () => (document.title = this.#title));
  }

  #askForLight(state = this.#stream.state) {
    this.#painter.ask("light", () => {
      const clocks = {nowMs: this.#world.monotonicMs(), heardMs: this.#heardMs, roundTripMs: this.#stream.roundTripMs};
      this.#desk.lit(this.#light.paint(state, clocks));
    });
  }

  // ---- what is chosen

  #loaded(names) {
    this.#stream.subscribe(names.map(quoteChannel));
    this.#choose(readChoice(location.hash, names));
  }

  #choose(choice) {
    const isOther = choice.product !== this.#choice?.product;
    this.#choice = choice;
    history.replaceState(null, "", writeChoice(choice));
    const product = this.#list.products.get(choice.product);
    this.#list.table.choose(choice.product);
    if (isOther) this.#desk.choose(product);
    this.#askFor(product);
    this.#askForTitle();
    this.#chart.choose(choice, product);
  }

  // ---- what somebody does

  #listen() {
    const find = this.#find;
    for (const name of ["resolution", "signal"]) {
      find(name).addEventListener("change", ({target}) => {
        if (this.#choice !== null) this.#choose({...this.#choice, [name]: target.value});
      });
    }
    find("retry-now").addEventListener("click", () => this.#stream.retryNow());
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("visibilitychange", () => document.hidden || this.#stream.retryNow());
    addEventListener("online", () => this.#stream.retryNow());
    addEventListener("hashchange", () => {
      const names = [...this.#list.products.keys()];
      if (names.length) this.#choose(readChoice(location.hash, names));
    });
    this.#openTabs();
    writeHelp(find("help-keys"));
    find("help-open").addEventListener("click", () => find("help").showModal());
    find("help-dismiss").addEventListener("click", () => find("help").close());
  }

  #openTabs() {
    const tabs = (list) => [...this.#find(list).children];
    this.#tabs.dock = new Tabs(tabs("dock-tabs"), {find: this.#find});
    this.#tabs.dock.choose("positions");
    this.#tabs.screen = new Tabs(tabs("screen-tabs"), {find: this.#find});
    this.#tabs.screen.choose("screen-market");
  }

  #pressed(event) {
    const action = actionOf(event, document.querySelector("dialog[open]") !== null);
    if (action === undefined) return;
    event.preventDefault();
    this.#do(action);
  }

  #do(action) {
    if (action === "search") this.#list.search();
    else if (action === "help") this.#find("help").showModal();
    else if (action === "theme") this.#theme.next();
    else if (action === "favourite") this.#choice && this.#list.toggle(this.#choice.product);
    else if (["buy", "sell"].includes(action)) this.#ticket("side", action);
    else if (["market", "limit", "stop"].includes(action)) this.#ticket("type", action);
    else this.#show("screen-account", action);
  }

  #ticket(name, value) {
    this.#show("screen-trade");
    this.#desk.set(name, value);
  }

  #show(screen, panel) {
    this.#tabs.screen.choose(screen);
    if (panel !== undefined) this.#tabs.dock.choose(panel);
  }

  #socketUrl() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    return `${scheme}//${location.host}${this.#find("chart").dataset.socket}`;
  }
}

// Node's tests import this module without a page.
if (globalThis.document !== undefined) new LivePage().start();
