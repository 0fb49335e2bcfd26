/**
 * How does a program stay connected to Tickwire's event stream?
 *
 *   import {connect} from "./stream.js";
 *   const stream = connect({
 *     url: "ws://127.0.0.1:8080/ws/events",
 *     channels: ["trading:quotes:EUR-USD"],
 *     onEvent: (event) => console.log(event),       // quote, candle, status, heartbeat, …
 *     onState: (state) => console.log(state.name),  // connecting, live, reconnecting, closed
 *   });
 *   stream.subscribe(["trading:candles:EUR-USD:1"]);
 *   const order = await stream.trade("new", {product: "EUR-USD", …}, {demo: true});
 *
 * It reconnects by itself with growing, random pauses and subscribes again; it leaves a connection that falls silent or
 * whose sequence has a gap; it stops for good where the server says that coming back is of no use. Private channels
 * begin with a snapshot, and go on after a reconnect where they were.
 * It depends on nothing: browsers, Node 22 and newer, Deno and Bun have a WebSocket; elsewhere hand one in.
 */

import {Calls, TradeError} from "./calls.js";
import {Logs, environmentOf} from "./logs.js";

/** Two heartbeats of 5 s missed, and 2 s for the way. */
export const SILENCE_MAX_MS = 12_000;
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 15_000;
/** A connection that lived this long was a good one: the next pause is short again. */
export const STABLE_MS = 10_000;
/** Some 30 bytes a name, and a message may have 64 KiB. */
export const NAMES_PER_MESSAGE = 1_000;
/** Errors that say nothing about what was asked: the same question may be answered a moment later. */
const PASSING_ERRORS = Object.freeze(["rate_limited", "unavailable", "internal_error"]);
/** … after this long, where the server names no time. */
export const ASK_AGAIN_MS = 1_000;
/** Close codes after which coming back is of no use. Source: docs/errors.md, "Close codes". */
export const FINAL_CLOSES = Object.freeze([1000, 1008, 1009, 4003, 4010, 4011]);
/** What we close with ourselves; browsers allow 1000 and 3000 to 4999. */
const CLOSE_GAP = 3001;
const CLOSE_SILENCE = 3002;
const CLOSE_NO_AUTH = 3003;

/**
 * Connect and stay connected.
 *
 * Options: `url`; `channels` to begin with; `auth`, a (possibly async) function that returns a fresh
 * `{key, sig, timestamp}` for every connection; `onEvent(event)`; `onState(state)`; `onHeld(channels)` when the server
 * has confirmed channels, before their first event, anew on every connection (what REST answers from then on has no gap
 * to the events); `onReturn({environment, recovered, missed})` when an account's log goes on after a reconnect, before the
 * missed events or (not `recovered`) the snapshot that replaces them; `onError(error, channels)` for refusals, with the
 * channels that are given up because of it.
 * `environment` replaces clock, chance and WebSocket.
 */
export function connect(options) {
  return new Stream(options);
}

const ENVIRONMENT = {
  newSocket: (url) => new WebSocket(url),
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimer: (timer) => clearTimeout(timer),
};

class Stream {
  /** `{name, reason?, retryAtMs?, code?}`; `retryAtMs` is on the monotonic clock, absent while a try is under way. */
  state = {name: "connecting"};
  /** How long a ping took there and back; null before the first. */
  roundTripMs = null;

  #options;
  #environment;
  #wanted;
  #held = new Set();
  #logs = new Logs();
  #calls = new Calls();
  #batch = NAMES_PER_MESSAGE;
  #socket = null;
  #mayAsk = false; // the socket is open, and the signature for it is there
  #request = null; // the one message whose reply is awaited: {id, type, channels}
  #auth;
  #lastId = 0;
  #sequence = 0;
  #ping = null;
  #clockOffsetMs = 0;
  #heardMs = 0;
  #liveSinceMs = null;
  #attempts = 0;
  #hintMs = null; // what the server's shutdown message asked for
  #timers = {retry: null, watch: null, pause: null};
  #reconciling = false;

  constructor({environment = {}, channels = [], ...options}) {
    this.#options = options;
    this.#environment = {...ENVIRONMENT, ...environment};
    // Heartbeats come with the first subscription, whatever else is asked for.
    this.#wanted = new Set(["heartbeat", ...channels]);
    this.#open();
  }

  /** Ask for channels; what is asked for at once leaves in one message. Spell a channel always the same way. */
  subscribe(channels) {
    for (const channel of channels) this.#wanted.add(channel);
    this.#reconcileSoon();
  }

  unsubscribe(channels) {
    for (const channel of channels) this.#wanted.delete(channel);
    this.#reconcileSoon();
  }

  /** Whether the server has confirmed a channel on the present connection. */
  holds(channel) {
    return this.#held.has(channel);
  }

  /**
   * Trade: `action` and `params` as docs/protocols/event_stream.md has them. Resolves to the result; rejects with a
   * `TradeError`: the server's code and words, or `isUnknown` where nobody knows what became of it.
   */
  trade(action, params, {demo = false} = {}) {
    if (this.state.name !== "live") {
      return Promise.reject(new TradeError("disconnected", "There is no connection; nothing was sent"));
    }
    const id = ++this.#lastId;
    this.#send({type: "trade", id, action, demo, params});
    return this.#calls.add(id);
  }

  /** Do not wait for the end of the pause (the network came back, somebody looks at the page again). */
  retryNow() {
    if (this.#timers.retry === null) return;
    this.#stopTimers();
    this.#open();
  }

  /** Leave for good. */
  close() {
    this.#leave(1000, "closed by the caller");
    this.#become({name: "closed", code: 1000, reason: "normal"});
  }

  /** The server's time of day in ms, as well as pings can tell it. */
  serverMs() {
    return this.#environment.wallMs() + this.#clockOffsetMs;
  }

  // ---- life of a connection

  #open() {
    this.#become(this.#attempts ? {name: "reconnecting", reason: this.state.reason} : {name: "connecting"});
    this.#held.clear();
    this.#request = this.#ping = this.#liveSinceMs = null;
    this.#mayAsk = false;
    this.#sequence = 0;
    this.#heardMs = this.#environment.monotonicMs();
    const socket = this.#environment.newSocket(this.#options.url);
    this.#socket = socket;
    // A socket that was left may still speak; nobody listens to it any more.
    const ifCurrent = (handle) => (argument) => void (socket === this.#socket && handle(argument));
    socket.onopen = ifCurrent(() => this.#opened(socket));
    socket.onmessage = ifCurrent((message) => this.#received(message.data));
    socket.onclose = ifCurrent((close) => this.#closed(close));
    socket.onerror = () => {}; // a close follows, and says more
    this.#watch(SILENCE_MAX_MS);
  }

  async #opened(socket) {
    try {
      this.#auth = await this.#options.auth?.();
      if (socket !== this.#socket) return;
      this.#mayAsk = true;
      this.#reconcile();
    } catch (error) {
      if (socket !== this.#socket) return;
      this.#leave(CLOSE_NO_AUTH, "no signature");
      this.#retry(String(error));
    }
  }

  #closed({code, reason}) {
    this.#socket = null;
    if (FINAL_CLOSES.includes(code)) {
      this.#leave();
      this.#become({name: "closed", code, reason});
    } else {
      this.#retry(this.#hintMs === null ? reason || "connection_lost" : "restart");
    }
  }

  #retry(reason) {
    this.#leave();
    const nowMs = this.#environment.monotonicMs();
    if (this.#liveSinceMs !== null && nowMs - this.#liveSinceMs >= STABLE_MS) this.#attempts = 0;
    const delayMs = this.#hintMs ?? backoffMs(this.#attempts, this.#environment.random());
    this.#attempts += 1;
    this.#hintMs = null;
    this.#timers.retry = this.#environment.setTimer(() => this.retryNow(), delayMs);
    this.#become({name: "reconnecting", reason, retryAtMs: nowMs + delayMs});
  }

  /** Let go of the socket and of everything that waits; a socket whose peer is gone would close only much later. */
  #leave(code, reason) {
    const socket = this.#socket;
    this.#socket = null;
    this.#mayAsk = false;
    this.#stopTimers();
    if (code !== undefined) socket?.close(code, reason);
    this.#calls.drop();
  }

  #stopTimers() {
    for (const name of Object.keys(this.#timers)) {
      this.#environment.clearTimer(this.#timers[name]);
      this.#timers[name] = null;
    }
  }

  /** One timer for the whole connection, not one a message: it looks when the last message came. */
  #watch(delayMs) {
    this.#timers.watch = this.#environment.setTimer(() => {
      const silentMs = this.#environment.monotonicMs() - this.#heardMs;
      if (silentMs < SILENCE_MAX_MS) return this.#watch(SILENCE_MAX_MS - silentMs);
      this.#leave(CLOSE_SILENCE, "silence");
      this.#retry("silence");
    }, delayMs);
  }

  #become(state) {
    this.state = state;
    this.#options.onState?.(state);
  }

  // ---- messages

  #received(text) {
    this.#heardMs = this.#environment.monotonicMs();
    const message = JSON.parse(text);
    if ("event" in message) this.#event(message);
    else this.#reply(message);
  }

  #event(event) {
    this.#sequence += 1;
    if (event.sequence !== this.#sequence) {
      this.#leave(CLOSE_GAP, "sequence gap");
      this.#retry("sequence_gap");
      return;
    }
    if (event.event === "heartbeat") this.#sendPing();
    this.#logs.took(event, (environment) => this.#follows(environment));
    this.#options.onEvent?.(event);
  }

  #reply(message) {
    if (message.type === "shutdown") {
      this.#hintMs = message.retryAfterMs;
    } else if (message.type === "pong" && message.id === this.#ping?.id) {
      this.#measure(message.time);
    } else if (message.id !== undefined && message.id === this.#request?.id) {
      this.#answered(message);
    } else if (this.#calls.settle(message)) {
      return; // whoever asked has it now
    } else if (message.type === "error") {
      this.#options.onError?.(message, []);
    }
  }

  /** A heartbeat's own stamp says nothing where clocks differ; a round trip does, and gives the difference too. */
  #measure(serverMs) {
    const {sentMs} = this.#ping;
    this.#ping = null;
    this.roundTripMs = this.#environment.monotonicMs() - sentMs;
    this.#clockOffsetMs = serverMs + this.roundTripMs / 2 - this.#environment.wallMs();
  }

  #sendPing() {
    this.#ping = {id: ++this.#lastId, sentMs: this.#environment.monotonicMs()};
    this.#send({type: "ping", id: this.#ping.id});
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  // ---- subscriptions: what is wanted, what is held, and one message at a time that brings them together

  #reconcileSoon() {
    if (this.#reconciling) return;
    this.#reconciling = true;
    queueMicrotask(() => {
      this.#reconciling = false;
      this.#reconcile();
    });
  }

  #reconcile() {
    if (!this.#mayAsk || this.#request !== null || this.#timers.pause !== null) return;
    const missing = units([...this.#wanted].filter((channel) => !this.#held.has(channel))).slice(0, this.#batch);
    const extra = [...this.#held].filter((channel) => !this.#wanted.has(channel)).slice(0, this.#batch);
    if (missing.length) this.#ask("subscribe", missing.flat(), missing.length);
    else if (extra.length) this.#ask("unsubscribe", extra, extra.length);
  }

  #ask(type, channels, count) {
    this.#request = {id: ++this.#lastId, type, channels, count};
    const auth = type === "subscribe" ? this.#auth : undefined;
    const more = type === "subscribe" ? this.#askLogs(channels) : {};
    this.#send({type, id: this.#request.id, channels, ...more, ...(auth && {auth})});
  }

  #askLogs(channels) {
    const asked = [...new Set(channels.map(environmentOf))].filter((environment) => environment !== undefined);
    const isAdded = (environment) => this.#follows(environment);
    return this.#logs.asking(asked.filter((environment) => !isAdded(environment)), asked.filter(isAdded));
  }

  /** Whether the connection has a private channel of an account. */
  #follows(environment) {
    return [...this.#held].some((channel) => environmentOf(channel) === environment);
  }

  #answered(message) {
    const request = this.#request;
    const {type, channels} = request;
    this.#request = null;
    if (message.type === "error") return this.#refused(message, request);
    this.#auth = undefined;
    for (const channel of channels) type === "subscribe" ? this.#held.add(channel) : this.#held.delete(channel);
    this.#batch = Math.min(NAMES_PER_MESSAGE, this.#batch * 2);
    if (this.#liveSinceMs === null) {
      this.#liveSinceMs = this.#environment.monotonicMs();
      this.#become({name: "live"});
      this.#sendPing();
    }
    if (type === "subscribe") {
      for (const account of this.#logs.answered(message.accounts)) this.#options.onReturn?.(account);
      this.#options.onHeld?.(channels);
    } else {
      for (const environment of ["live", "demo"]) if (!this.#follows(environment)) this.#logs.forget(environment);
    }
    this.#reconcile();
  }

  #refused(error, {type, channels, count}) {
    if (PASSING_ERRORS.includes(error.code)) {
      this.#timers.pause = this.#environment.setTimer(() => {
        this.#timers.pause = null;
        this.#reconcile();
      }, error.retryAfterMs ?? ASK_AGAIN_MS);
    } else if (count > 1) {
      // One bad name spoils its whole message: smaller ones find it, and the others get what they asked for.
      this.#batch = Math.ceil(count / 2);
      this.#reconcile();
    } else {
      const set = type === "subscribe" ? this.#wanted : this.#held;
      for (const channel of channels) set.delete(channel);
      this.#options.onError?.(error, channels);
      this.#reconcile();
    }
  }
}

/**
 * Return what may be asked for in messages of their own: each public channel, and all private channels of an account
 * together, because a log is resumed as a whole.
 */
function units(channels) {
  const byOwner = new Map();
  for (const channel of channels) {
    const owner = environmentOf(channel) ?? channel;
    if (!byOwner.has(owner)) byOwner.set(owner, []);
    byOwner.get(owner).push(channel);
  }
  return [...byOwner.values()];
}

/** Pause after `attempts` failed tries: doubled each time, up to a bound; chance takes up to half of it. */
export function backoffMs(attempts, random) {
  const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempts, 10));
  return fullMs * (1 - random / 2);
}
