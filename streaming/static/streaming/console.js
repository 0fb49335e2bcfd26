/** The console of the Connect page: one socket, what goes over it, and what became of it. */

import {closeWords} from "./closing.js";
import {FrameList} from "./framelist.js";
import {FrameLog} from "./framelog.js";
import {Painter} from "./painter.js";
import {preparedFor, signedSubscribe} from "./prepared.js";
import {signedAuth} from "./signing.js";

/** The world of a page; a test has its own. */
const BROWSER = {
  newSocket: (url) => new WebSocket(url),
  requestFrame: (paint) => requestAnimationFrame(paint),
  wallMs: () => Date.now(),
  subtle: globalThis.crypto?.subtle,
};

const NO_CRYPTO = "This browser signs only on https or on localhost.";

export class ConsolePage {
  #world;
  #find;
  #log = new FrameLog();
  #list;
  #painter;
  #fresh = []; // visible frames that are not painted yet, oldest first
  #socket = null;
  #closes;

  constructor(world = {}) {
    this.#world = {...BROWSER, ...world};
    this.#find = (id) => document.getElementById(id);
    this.#list = new FrameList(this.#find("frames"));
    this.#painter = new Painter(this.#world.requestFrame);
    this.#closes = JSON.parse(this.#find("closes").textContent);
  }

  start() {
    const on = (id, type, act) => this.#find(id).addEventListener(type, act);
    on("endpoint", "change", () => this.#offer());
    on("toggle", "click", () => (this.#socket ? this.#socket.close(1000) : this.#open()));
    on("send", "click", () => this.#send());
    on("message", "keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#send();
    });
    on("pause", "click", () => this.#pause());
    on("clear", "click", () => this.#repaint(() => this.#log.clear()));
    on("pretty", "change", ({target}) => this.#repaint(() => (this.#list.isPretty = target.checked)));
    on("quiet", "change", ({target}) => this.#repaint(() => (this.#log.hidesHeartbeats = target.checked)));
    on("sign", "click", () => this.#sign());
    this.#offer();
    this.#become("off", "Not connected");
  }

  // ---- the socket

  #open() {
    const socket = this.#world.newSocket(this.#find("console").dataset.address + this.#find("endpoint").value);
    this.#socket = socket;
    this.#become("waiting", "Connecting …");
    socket.onopen = () => this.#become("live", "Connected");
    socket.onmessage = ({data}) => this.#add("in", data);
    socket.onclose = (close) => {
      this.#socket = null;
      const words = closeWords(close, this.#closes);
      this.#add("note", words);
      this.#become("off", words);
    };
  }

  #send() {
    if (!this.#find("send").disabled) {
      const text = this.#find("message").value;
      this.#socket.send(text);
      this.#add("out", text);
    }
  }

  #become(state, words) {
    this.#find("console").dataset.state = state;
    this.#find("state-words").textContent = words;
    this.#find("toggle").textContent = this.#socket ? "Disconnect" : "Connect";
    this.#find("endpoint").disabled = this.#socket !== null;
    this.#find("send").disabled = state !== "live";
  }

  // ---- the frames

  #add(way, text) {
    const frame = this.#log.add({way, text, atMs: this.#world.wallMs()});
    if (frame) this.#fresh.push(frame);
    this.#painter.ask("frames", () => this.#paint());
  }

  #paint() {
    this.#list.add(this.#fresh.splice(0));
    this.#tell();
  }

  /** Change what is to be seen, and paint all of it. */
  #repaint(change) {
    change();
    this.#fresh = [];
    this.#list.show(this.#log.visible());
    this.#tell();
  }

  #pause() {
    this.#repaint(() => (this.#log.waiting === null ? this.#log.pause() : this.#log.resume()));
  }

  #tell() {
    const {waiting} = this.#log;
    this.#find("pause").textContent = waiting === null ? "Pause" : `Go on (${waiting} new)`;
    this.#find("frames-none").hidden = this.#log.visible().length > 0;
  }

  // ---- messages to send

  #offer() {
    const address = this.#find("endpoint").value;
    const buttons = preparedFor(address).map(({name, text}) => {
      const button = document.createElement("button");
      button.className = "chip";
      button.setAttribute("type", "button");
      button.textContent = name;
      button.addEventListener("click", () => (this.#find("message").value = text));
      return button;
    });
    this.#find("prepared").replaceChildren(...buttons);
    this.#find("signer").hidden = !["/ws/events", "/"].includes(address);
  }

  async #sign() {
    const {wallMs, subtle} = this.#world;
    const [keyId, secret] = ["key-id", "secret"].map((id) => this.#find(id).value.trim());
    if (!subtle || !keyId || !secret) {
      this.#find("sign-words").textContent = subtle ? "Both are needed." : NO_CRYPTO;
      return;
    }
    this.#find("message").value = signedSubscribe(await signedAuth({keyId, secret, nowMs: wallMs(), subtle}));
    this.#find("sign-words").textContent = "Send it within 30 s.";
  }
}

// Node's tests import this module without a page.
if (globalThis.document !== undefined) new ConsolePage().start();
