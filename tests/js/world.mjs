/** A world for stream.js: a clock that goes when told to, chosen chance, sockets whose other end is the test. */

import {connect} from "../../streaming/static/streaming/stream.js";

/** Start time of the monotonic clock; not zero, so that a forgotten subtraction shows. */
export const START_MS = 1_000_000;
export const WALL_MS = 1_709_742_000_000;

export class World {
  nowMs = START_MS;
  chance = 0;
  sockets = [];
  states = [];
  events = [];
  errors = [];
  returns = [];
  #timers = new Map();
  #lastTimer = 0;

  /** Connect with some of stream.js's options; everything reported is kept in lists. */
  connect(options = {}) {
    this.stream = connect({
      url: "ws://here/ws/events",
      onState: (state) => this.states.push(state),
      onEvent: (event) => this.events.push(event),
      onError: (error, channels) => this.errors.push([error.code, channels]),
      onReturn: (account) => this.returns.push(account),
      environment: this.#environment(),
      ...options,
    });
    return this.stream;
  }

  /** Let the clock go on, and what falls due with it. */
  async pass(ms) {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [due] = [...this.#timers.entries()].sort(([, one], [, other]) => one.atMs - other.atMs);
      if (due === undefined || due[1].atMs > endMs) break;
      this.#timers.delete(due[0]);
      this.nowMs = due[1].atMs;
      due[1].callback();
      await settled();
    }
    this.nowMs = endMs;
    await settled();
  }

  get socket() {
    return this.sockets.at(-1);
  }

  get state() {
    return this.states.at(-1);
  }

  get timers() {
    return this.#timers.size;
  }

  /** Open the newest socket and accept what it asks for, until it asks for nothing more. */
  async accept() {
    if (this.socket.readyState === 0) await this.socket.open();
    await settled();
    while (this.socket.question !== undefined) await this.socket.accept();
  }

  #environment() {
    return {
      newSocket: (url) => this.#newSocket(url),
      monotonicMs: () => this.nowMs,
      wallMs: () => WALL_MS + this.nowMs - START_MS,
      random: () => this.chance,
      setTimer: (callback, delayMs) => {
        this.#timers.set(++this.#lastTimer, {callback, atMs: this.nowMs + delayMs});
        return this.#lastTimer;
      },
      clearTimer: (timer) => this.#timers.delete(timer),
    };
  }

  #newSocket(url) {
    const socket = new Socket(url);
    this.sockets.push(socket);
    return socket;
  }
}

class Socket {
  readyState = 0;
  sent = [];
  closedWith = null;
  #sequence = 0;
  #answered = 0;
  #active = [];

  constructor(url) {
    this.url = url;
  }

  // ---- what stream.js calls

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code, reason) {
    this.closedWith = {code, reason};
    this.readyState = 2; // the closing handshake of a dead peer never ends
  }

  // ---- what the server does

  async open() {
    this.readyState = 1;
    this.onopen();
    await settled();
  }

  async say(message) {
    this.onmessage({data: JSON.stringify(message)});
    await settled();
  }

  async event(event, data = null, {sequence = this.#sequence + 1, ...more} = {}) {
    this.#sequence = sequence;
    await this.say({event, sequence, data, ...more});
  }

  async end(code, reason = "") {
    this.readyState = 3;
    this.onclose({code, reason});
    await settled();
  }

  /** The subscribe or unsubscribe that waits for its reply. */
  get question() {
    return this.questions[this.#answered];
  }

  get questions() {
    return this.sent.filter((message) => !["ping", "trade"].includes(message.type));
  }

  get pings() {
    return this.sent.filter((message) => message.type === "ping");
  }

  /** `accounts` is what the answer says of private channels' logs. */
  async accept(accounts) {
    const {type, id, channels} = this.question;
    this.#answered += 1;
    this.#active = this.#active.filter((channel) => !channels.includes(channel));
    if (type === "subscribe") this.#active.push(...channels);
    await this.say({type: `${type}d`, channels: this.#active, ...(accounts && {accounts}), id});
  }

  get trades() {
    return this.sent.filter((message) => message.type === "trade");
  }

  async refuse(code, details = {}) {
    const {id} = this.question;
    this.#answered += 1;
    await this.say({type: "error", code, message: code, ...details, id});
  }
}

/** Wait until everything that hangs on promises has happened. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
