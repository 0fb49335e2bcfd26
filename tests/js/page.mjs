/** A page without a browser: as much of the DOM as our modules use. It counts writes, because they are what costs. */

class FakeNode {
  className = "";
  dataset = {};
  children = [];
  hidden = false;
  tabIndex = -1;
  writes = 0;
  flashes = [];
  #text = "";
  #attributes = new Map();
  #listeners = new Map();

  constructor(tag, page) {
    this.tag = tag;
    this.page = page;
  }

  get textContent() {
    return this.#text + this.children.map((child) => child.textContent ?? child).join("");
  }

  set textContent(text) {
    this.writes += 1;
    this.page.writes += 1;
    this.#text = text;
    this.children = [];
  }

  append(...nodes) {
    for (const node of nodes) {
      if (node instanceof FakeNode) node.parent = this;
      this.children.push(node);
    }
  }

  prepend(node) {
    node.parent = this;
    this.children.unshift(node);
  }

  replaceChildren(...nodes) {
    this.children = [];
    this.append(...nodes);
  }

  get lastElementChild() {
    return this.children.at(-1);
  }

  remove() {
    this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  setAttribute(name, value) {
    this.#attributes.set(name, value);
  }

  getAttribute(name) {
    return this.#attributes.get(name) ?? null;
  }

  addEventListener(type, listener) {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  /** What a person does: `happens("click")`, `happens("keydown", {key: "End"})`; returns the event. */
  happens(type, details = {}) {
    const event = {target: this, isPrevented: false, preventDefault: () => (event.isPrevented = true), ...details};
    for (let node = this; node !== undefined; node = node.parent) {
      for (const listener of node.#listeners.get(type) ?? []) listener(event);
    }
    return event;
  }

  closest(selector) {
    if (selector !== "[data-product]") throw new Error(`not known here: ${selector}`);
    if ("product" in this.dataset) return this;
    return this.parent?.closest(selector) ?? null;
  }

  matches(selector) {
    return this.tag === selector;
  }

  focus() {
    this.page.focused = this;
  }

  scrollIntoView() {}

  animate([{backgroundColor}]) {
    this.flashes.push(backgroundColor);
  }
}

export class FakePage {
  writes = 0;
  focused = null;
  title = "";
  hidden = false;
  #byId = new Map();

  constructor() {
    this.body = this.createElement("body");
    this.root = this.createElement("html");
  }

  createElement(tag) {
    return new FakeNode(tag, this);
  }

  /** Every id exists: which ones the template has is for the browser's tests to say. */
  getElementById(id) {
    if (!this.#byId.has(id)) this.#byId.set(id, this.createElement("div"));
    return this.#byId.get(id);
  }

  querySelector(selector) {
    return this.getElementById(selector);
  }

  addEventListener(type, listener) {
    this.root.addEventListener(type, listener);
  }
}

/** Put a page where our modules look for one, and return it. */
export function install({hash = "", isCalm = false} = {}) {
  const page = new FakePage();
  const outside = page.createElement("window");
  Object.assign(globalThis, {
    document: page,
    location: {hash, host: "here:8080", protocol: "http:"},
    history: {replaceState: (state, title, address) => (globalThis.location.hash = address)},
    matchMedia: (query) => ({matches: isCalm && query.includes("reduced-motion"), addEventListener() {}}),
    getComputedStyle: () => ({getPropertyValue: (name) => ` ${name} `}),
    addEventListener: (type, listener) => outside.addEventListener(type, listener),
  });
  page.outside = outside;
  return page;
}

/** A chart library that draws nothing and remembers what it was told. */
export class FakeLibrary {
  CandlestickSeries = "candles";
  bars = [];
  options = {};
  #onRange;
  #onMove;

  createChart(container, options) {
    this.options.chart = options;
    return {
      addSeries: (kind, given) => this.#series(kind, given),
      applyOptions: (given) => (this.options.chart = given),
      priceScale: () => ({applyOptions: (given) => (this.options.priceScale = given)}),
      timeScale: () => ({
        applyOptions: (given) => (this.options.time = {...this.options.time, ...given}),
        resetTimeScale: () => (this.resets = (this.resets ?? 0) + 1),
        subscribeVisibleLogicalRangeChange: (listener) => (this.#onRange = listener),
      }),
      subscribeCrosshairMove: (listener) => (this.#onMove = listener),
    };
  }

  scrollTo(from) {
    this.#onRange({from, to: from + 100});
  }

  hover(bar) {
    this.#onMove({seriesData: new Map([[this.series, bar]])});
  }

  leave() {
    this.#onMove({});
  }

  #series(kind, given) {
    this.options.series = given;
    this.series = {
      applyOptions: (more) => (this.options.series = {...this.options.series, ...more}),
      setData: (bars) => (this.bars = [...bars]),
      update: (bar, isOlder) => this.#update(bar, isOlder),
    };
    return this.series;
  }

  #update(bar, isOlder) {
    // As the real one: an older bar that is not called so is an error.
    const newest = this.bars.at(-1)?.time ?? -Infinity;
    if (bar.time < newest && !isOlder) throw new Error("Cannot update oldest data");
    this.bars = [...this.bars.filter(({time}) => time !== bar.time), bar].sort((one, other) => one.time - other.time);
  }
}
