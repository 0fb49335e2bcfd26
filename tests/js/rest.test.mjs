/** rest.js: JSON, or an error that can be shown. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {getJson, postJson} from "../../streaming/static/streaming/rest.js";

const answering = (body, options) => ({fetch: async () => new Response(body, options)});

test("an answer is its JSON", async () => {
  assert.deepEqual(await getJson("/time", answering('{"timestamp":1}')), {timestamp: 1});
});

test("a refusal is in the server's words, with its code", async () => {
  const refusal = answering('{"message":"Too many requests","code":"rate_limited"}', {status: 429});
  await assert.rejects(getJson("/time", refusal), {name: "Error", message: "Too many requests", code: "rate_limited"});
});

test("a refusal without words is told by its number", async () => {
  await assert.rejects(getJson("/time", answering("<html>", {status: 502})), {message: "The server answered 502."});
});

test("a server out of reach is said to be", async () => {
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(getJson("/time", {fetch}), {message: "The server cannot be reached.", code: "unreachable"});
});

test("a request that was given up is no failure of the server", async () => {
  const given = new AbortController();
  given.abort();
  const fetch = async (path, {signal}) => signal.throwIfAborted();
  await assert.rejects(getJson("/time", {fetch, signal: given.signal}), {name: "AbortError"});
});

test("a call that changes something has a JSON body and the page's token", async () => {
  const sent = [];
  const fetch = async (path, options) => (sent.push([path, options]), new Response('{"products":[]}'));
  assert.deepEqual(await postJson("/account/favourites", {product: "EUR-USD"}, {fetch, token: "t1"}), {products: []});
  const [[path, {method, headers, body}]] = sent;
  assert.deepEqual([path, method, headers["X-CSRFToken"], headers["Content-Type"]], ["/account/favourites", "POST", "t1", "application/json"]);
  assert.equal(body, '{"product":"EUR-USD"}');
});
