/** How does the console show its frames? A line each, newest first; what is in them is text and nothing else. */

import {MAX_FRAMES, pretty} from "./framelog.js";

const ARROWS = {in: "↓", out: "↑", note: "·"};
const SPOKEN = {in: "received", out: "sent", note: "note"};

export class FrameList {
  isPretty = false;
  #list;

  constructor(list) {
    this.#list = list;
  }

  /** Show these and nothing else, newest first. */
  show(frames) {
    this.#list.replaceChildren(...frames.map((frame) => this.#line(frame)));
  }

  /** Put new ones, oldest first, above the others. */
  add(frames) {
    for (const frame of frames) this.#list.prepend(this.#line(frame));
    while (this.#list.children.length > MAX_FRAMES) this.#list.lastElementChild.remove();
  }

  #line({way, text, atMs}) {
    const line = document.createElement("li");
    line.className = `frame ${way}`;
    const arrow = part("span", "way", ARROWS[way]);
    arrow.setAttribute("aria-label", SPOKEN[way]);
    arrow.setAttribute("role", "img");
    line.append(part("time", "when", timeOfDay(atMs)), arrow, part("pre", "what", this.isPretty ? pretty(text) : text));
    return line;
  }
}

function part(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

/** 12:03:04.250, UTC as everywhere. */
export function timeOfDay(atMs) {
  return new Date(atMs).toISOString().slice(11, 23);
}
