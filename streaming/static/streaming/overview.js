/** The administrator's overview: figures of all processes, moving over the same event stream as everything else. */

import {DataCell, TextCell, element} from "./cells.js";
import {connectionView} from "./connection.js";
import {feed, interest, processes, tiles} from "./figures.js";
import {connect} from "./stream.js";
import {Trace} from "./trace.js";

const CHANNEL = "admin:overview";
const CLOCK_MS = 1_000;
/** Figures come every second; after this long without any they are called old. */
export const OLD_AFTER_MS = 4_000;

const BROWSER = {
  connect,
  loadPlots: async (url) => (await import(url)).default,
  requestFrame: (paint) => requestAnimationFrame(paint),
  monotonicMs: () => performance.now(),
  everySecond: (tick) => setInterval(tick, CLOCK_MS),
};

export class OverviewPage {
  #world;
  #find;
  #root;
  #light;
  #texts = new Map();
  #tables;
  #traces = new Map();
  #stream;
  #heardMs = 0;
  #figuresMs = null;

  constructor(world = {}) {
    this.#world = {...BROWSER, ...world};
    this.#find = (id) => document.getElementById(id);
    this.#root = this.#find("overview");
    this.#light = new DataCell(this.#root, "state");
    this.#tables = new Map(["feed", "interest", "process"].map((name) => [name, new Rows(this.#find(`${name}-rows`))]));
  }

  async start() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.#stream = this.#world.connect({
      url: `${scheme}//${location.host}${this.#root.dataset.socket}`,
      channels: [CHANNEL],
      onEvent: (event) => this.#event(event),
      onState: () => this.#paintConnection(),
      onError: (error) => this.#text("overview-detail", error.message),
    });
    this.#world.everySecond(() => this.#paintConnection());
    document.addEventListener("visibilitychange", () => document.hidden || this.#stream.retryNow());
    await this.#loadTraces();
  }

  async #loadTraces() {
    try {
      const library = await this.#world.loadPlots(this.#root.dataset.library);
      const colour = (name) => getComputedStyle(this.#root).getPropertyValue(`--${name}`).trim();
      for (const name of ["connections", "deliveries", "ticks", "lag"]) {
        this.#traces.set(name, new Trace(this.#find(`trace-${name}`), {library, colour}));
      }
      addEventListener("resize", () => this.#traces.forEach((trace) => trace.resize()));
    } catch {
      // The figures are what counts; without the library they have no lines behind them.
    }
  }

  #event(event) {
    this.#heardMs = this.#world.monotonicMs();
    if (event.event !== "overview") return;
    this.#figuresMs = this.#heardMs;
    this.#world.requestFrame(() => this.#paint(event.data));
  }

  #paint(data) {
    for (const [name, {value, figure, more}] of Object.entries(tiles(data))) {
      this.#text(name, figure);
      this.#text(`${name}-more`, more);
      this.#traces.get(name)?.add(data.time / 1000, value);
    }
    this.#board("feed", "feed-states", feed(data));
    this.#board("interest", "interest-note", interest(data));
    this.#board("process", "engine-holder", processes(data));
    this.#paintConnection();
  }

  #board(name, noteId, {note, tone, rows}) {
    this.#text(noteId, note);
    this.#find(noteId).dataset.tone = tone;
    this.#tables.get(name).paint(rows);
  }

  #paintConnection() {
    const nowMs = this.#world.monotonicMs();
    const clocks = {nowMs, heardMs: this.#heardMs, roundTripMs: this.#stream?.roundTripMs};
    const {light, text, detail, spoken} = connectionView(this.#stream?.state ?? {name: "connecting"}, clocks);
    const isOld = light === "live" && this.#figuresMs !== null && nowMs - this.#figuresMs > OLD_AFTER_MS;
    this.#light.set(isOld ? "stale" : light);
    this.#text("overview-connection", isOld ? "Figures stand still" : text);
    if (light !== "live" || this.#figuresMs !== null) this.#text("overview-detail", detail);
    this.#text("overview-spoken", spoken);
  }

  #text(id, text) {
    if (!this.#texts.has(id)) this.#texts.set(id, new TextCell(this.#find(id)));
    this.#texts.get(id).set(text);
  }
}

/** A table's body: as many rows as are given, each cell written only when it changes. */
class Rows {
  #body;
  #rows = [];

  constructor(body) {
    this.#body = body;
  }

  paint(rows) {
    while (this.#rows.length > rows.length) this.#rows.pop().node.remove();
    for (const [index, {cells, tone}] of rows.entries()) {
      this.#rows[index] ??= this.#add(cells.length);
      this.#rows[index].tone.set(tone || undefined);
      for (const [at, text] of cells.entries()) this.#rows[index].cells[at].set(text);
    }
  }

  #add(count) {
    const cells = Array.from({length: count}, (_, at) => element(at === 0 ? "th" : "td", at > 1 ? "number" : ""));
    cells[0].setAttribute("scope", "row");
    const node = element("tr", "", ...cells);
    this.#body.append(node);
    return {node, tone: new DataCell(node, "tone"), cells: cells.map((cell) => new TextCell(cell))};
  }
}

// Node's tests import this module without a page.
if (globalThis.document !== undefined) new OverviewPage().start();
