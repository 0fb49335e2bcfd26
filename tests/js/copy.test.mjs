/** copy.js: into the clipboard, or selected for the person. */

import assert from "node:assert/strict";
import {test} from "node:test";

import {copyText, start} from "../../accounts/static/accounts/copy.js";

function given() {
  const source = {innerText: " tk_demo_x\n"};
  const said = {textContent: ""};
  const button = {dataset: {copy: "#secret"}, parentElement: {querySelector: () => said}, listeners: []};
  button.addEventListener = (type, listener) => button.listeners.push(listener);
  const document = {
    querySelector: (selector) => (selector === "#secret" ? source : null),
    querySelectorAll: () => [button],
    getSelection: () => ({selectAllChildren: (node) => (document.selected = node)}),
  };
  return {source, said, button, document};
}

test("the text is copied without the blanks around it, and that is said", async () => {
  const {said, button, document} = given();
  const copied = [];
  await copyText(button, {document, clipboard: {writeText: async (text) => copied.push(text)}});
  assert.deepEqual([copied, said.textContent], [["tk_demo_x"], "Copied"]);
});

test("without a clipboard it is selected", async () => {
  for (const clipboard of [undefined, {writeText: () => Promise.reject(new Error("denied"))}]) {
    const {source, said, button, document} = given();
    await copyText(button, {document, clipboard});
    assert.equal(document.selected, source);
    assert.equal(said.textContent, "Selected: copy it with Ctrl+C");
  }
});

test("every button of a page does it", async () => {
  const {said, button, document} = given();
  start(document, {writeText: async () => {}});
  await button.listeners[0]();
  assert.equal(said.textContent, "Copied");
});
