/** A page without a browser: as much of the DOM as our modules use. It counts writes, because they are what costs. */

class FakeNode {
  className = "";
  dataset = {};
  children = [];
  hidden = false;
  value = "";
  checked = false;
  disabled = false;
  open = false;
  id = "";
  tabIndex = -1;
  style = {setProperty() {}};
  writes = 0;
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

  /** The text node, as far as there is one; writing it counts as writing the text. */
  get firstChild() {
    const node = this;
    if (this.children.length > 0) return this.children[0];
    return this.#text === "" ? null : {set data(text) { node.textContent = text; }};
  }

  append(...nodes) {
    for (const node of nodes) {
      this.insertBefore(node, null);
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

  insertBefore(node, before) {
    if (node instanceof FakeNode) {
      node.remove();
      node.parent = this;
    }
    const index = before === null ? this.children.length : this.children.indexOf(before);
    this.children.splice(index, 0, node);
  }

  remove() {
    if (this.parent === undefined) return;
    this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = undefined;
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

  /** `selector` is a `[data-…]`. */
  closest(selector) {
    const [, name] = /^\[data-(\w+)\]$/.exec(selector);
    if (name in this.dataset) return this;
    return this.parent?.closest(selector) ?? null;
  }

  /** Of a list of selectors, whether one begins with this node's tag. */
  matches(selector) {
    return selector.split(", ").some((one) => one.split(":")[0] === this.tag);
  }

  showModal() {
    this.open = true;
  }

  close() {
    this.open = false;
  }

  focus() {
    this.page.focused = this;
  }

  scrollIntoView() {}
}

export class FakePage {
  writes = 0;
  focused = null;
  title = "";
  hidden = false;
  #byId = new Map();

  constructor() {
    this.body = this.createElement("body");
    this.root = this.documentElement = this.createElement("html");
  }

  createElementNS(space, tag) {
    return this.createElement(tag);
  }

  createElement(tag) {
    return new FakeNode(tag, this);
  }

  /** Every id exists: which ones the template has is for the browser's tests to say. */
  getElementById(id) {
    if (!this.#byId.has(id)) this.#byId.set(id, Object.assign(this.createElement("div"), {id}));
    return this.#byId.get(id);
  }

  querySelector(selector) {
    if (selector === "dialog[open]") return [...this.#byId.values()].find(({open}) => open) ?? null;
    return this.getElementById(selector);
  }

  /** Put tabs into a list of them: buttons, each for a panel. */
  addTabs(list, ...panels) {
    for (const panel of panels) {
      const tab = this.createElement("button");
      tab.setAttribute("aria-controls", panel);
      this.getElementById(list).append(tab);
    }
  }

  addEventListener(type, listener) {
    this.root.addEventListener(type, listener);
  }
}

/** Put a page where our modules look for one, and return it. */
export function install({hash = "", isCalm = false} = {}) {
  const page = new FakePage();
  const outside = page.createElement("window");
  const kept = new Map();
  Object.assign(globalThis, {
    document: page,
    location: {hash, host: "here:8080", protocol: "http:"},
    history: {replaceState: (state, title, address) => (globalThis.location.hash = address)},
    matchMedia: (query) => ({matches: isCalm && query.includes("reduced-motion"), addEventListener() {}}),
    getComputedStyle: () => ({getPropertyValue: (name) => ` ${name} `}),
    addEventListener: (type, listener) => outside.addEventListener(type, listener),
    localStorage: {
      getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name),
    },
  });
  page.outside = outside;
  page.kept = kept;
  return page;
}

/** A chart library that draws nothing and remembers what it was told. */
export class FakeLibrary {
  CandlestickSeries = "candles";
  bars = [];
  lines = new Set();
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
      createPriceLine: (level) => this.#line(level),
      removePriceLine: (line) => this.lines.delete(line),
    };
    return this.series;
  }

  #line(level) {
    const line = {...level, applyOptions: (more) => Object.assign(line, more)};
    this.lines.add(line);
    return line;
  }

  #update(bar, isOlder) {
    // As the real one: an older bar that is not called so is an error.
    const newest = this.bars.at(-1)?.time ?? -Infinity;
    if (bar.time < newest && !isOlder) throw new Error("Cannot update oldest data");
    this.bars = [...this.bars.filter(({time}) => time !== bar.time), bar].sort((one, other) => one.time - other.time);
  }
}
