/** console.js: one socket, and what goes over it. */

import assert from "node:assert/strict";
import {webcrypto} from "node:crypto";
import {beforeEach, test} from "node:test";

import {ConsolePage} from "../../streaming/static/streaming/console.js";
import {install} from "./page.mjs";

const HEARTBEAT = '{"event":"heartbeat","sequence":1,"data":{}}';

let page, socket, frames;

class FakeSocket {
  sent = [];
  constructor(url) {
    this.url = url;
  }
  send(text) {
    this.sent.push(text);
  }
  close(code) {
    this.onclose({code, reason: ""});
  }
}

const find = (id) => page.getElementById(id);
const click = (id) => find(id).happens("click");
const paint = () => frames.splice(0).forEach((job) => job());
const shown = () => find("frames").children.map((line) => line.children[2].textContent);

function start(world = {}) {
  new ConsolePage({
    newSocket: (url) => (socket = new FakeSocket(url)),
    requestFrame: (job) => frames.push(job),
    wallMs: () => 1_000,
    subtle: webcrypto.subtle,
    ...world,
  }).start();
}

function connected() {
  start();
  click("toggle");
  socket.onopen();
}

beforeEach(() => {
  page = install();
  frames = [];
  socket = null;
  find("closes").textContent = '{"1000":{"reason":"normal","reconnect":false}}';
  find("console").dataset.address = "ws://here:8080";
  find("endpoint").value = "/ws/events";
});

test("before a connection nothing can be sent", () => {
  start();
  assert.equal(find("send").disabled, true);
  click("send");
  assert.equal(find("state-words").textContent, "Not connected");
});

test("connecting goes to the chosen address, and says how it stands", () => {
  start();
  click("toggle");
  assert.deepEqual([socket.url, find("state-words").textContent], ["ws://here:8080/ws/events", "Connecting …"]);
  assert.equal(find("send").disabled, true);
  socket.onopen();
  assert.deepEqual([find("state-words").textContent, find("toggle").textContent], ["Connected", "Disconnect"]);
  assert.deepEqual([find("send").disabled, find("endpoint").disabled], [false, true]);
});

test("what is sent and what comes is listed, once a frame", () => {
  connected();
  find("message").value = '{"type":"ping"}';
  click("send");
  socket.onmessage({data: '{"type":"pong"}'});
  assert.deepEqual(shown(), []);
  assert.equal(frames.length, 1);
  paint();
  assert.deepEqual(socket.sent, ['{"type":"ping"}']);
  assert.deepEqual(shown(), ['{"type":"pong"}', '{"type":"ping"}']);
  assert.equal(find("frames-none").hidden, true);
});

test("Ctrl and Enter send, Enter alone does not", () => {
  connected();
  find("message").value = "x";
  find("message").happens("keydown", {key: "Enter"});
  assert.deepEqual(socket.sent, []);
  find("message").happens("keydown", {key: "Enter", ctrlKey: true});
  assert.deepEqual(socket.sent, ["x"]);
});

test("a close is told in words, and another try is possible", () => {
  connected();
  click("toggle");
  paint();
  assert.match(find("state-words").textContent, /^Closed with 1000 \(normal\)/);
  assert.match(shown()[0], /^Closed with 1000/);
  assert.deepEqual([find("toggle").textContent, find("endpoint").disabled], ["Connect", false]);
});

test("paused, the list stands still and the button counts", () => {
  connected();
  socket.onmessage({data: "a"});
  paint();
  click("pause");
  socket.onmessage({data: "b"});
  paint();
  assert.deepEqual([shown(), find("pause").textContent], [["a"], "Go on (1 new)"]);
  click("pause");
  assert.deepEqual([shown(), find("pause").textContent], [["b", "a"], "Pause"]);
});

test("clear, pretty and hidden heartbeats change what is there", () => {
  connected();
  socket.onmessage({data: HEARTBEAT});
  socket.onmessage({data: '{"a":1}'});
  paint();
  find("quiet").happens("change", {target: {checked: true}});
  assert.deepEqual(shown(), ['{"a":1}']);
  find("pretty").happens("change", {target: {checked: true}});
  assert.deepEqual(shown(), ['{\n  "a": 1\n}']);
  click("clear");
  assert.deepEqual([shown(), find("frames-none").hidden], [[], false]);
});

test("what came before a repaint is not painted twice", () => {
  connected();
  socket.onmessage({data: "a"});
  click("pause");
  click("pause");
  paint();
  assert.deepEqual(shown(), ["a"]);
});

test("a prepared message is put into the field; each address has its own", () => {
  start();
  const names = () => find("prepared").children.map((button) => button.textContent);
  assert.ok(names().includes("Quotes"));
  find("prepared").children[0].happens("click");
  assert.equal(JSON.parse(find("message").value).type, "subscribe");
  find("endpoint").value = "/ws/ticks";
  find("endpoint").happens("change");
  assert.ok(names().includes("Authenticate"));
  assert.equal(find("signer").hidden, true);
});

test("a key signs a message, and what is missing is said", async () => {
  start();
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  find("key-id").value = find("secret").value = "";
  click("sign");
  assert.equal(find("sign-words").textContent, "Both are needed.");
  find("key-id").value = " k ";
  find("secret").value = "s";
  click("sign");
  while (!find("message").value) await settled();
  assert.equal(JSON.parse(find("message").value).auth.key, "k");
});

test("a browser that cannot sign here says so", () => {
  start({subtle: undefined});
  find("key-id").value = find("secret").value = "x";
  click("sign");
  assert.match(find("sign-words").textContent, /https/);
});
