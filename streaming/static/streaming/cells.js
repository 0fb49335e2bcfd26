/** How is a changing value put on the page with as few writes as possible? */

import {priceParts} from "./format.js";

/** Return a new element; `children` are elements or texts. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A text that is written only when it is another one. */
export class TextCell {
  #text = null;

  constructor(node) {
    this.node = node;
  }

  set(text) {
    if (text === this.#text) return false;
    this.#text = text;
    const written = this.node.firstChild;
    // The browser keeps what it knows of a text node; a new one it would have to lay out from nothing.
    if (text !== "" && written !== null) written.data = text;
    else this.node.textContent = text;
    return true;
  }
}

/** An attribute `data-…` that is written only when it is another one; undefined takes it away. */
export class DataCell {
  #value;

  constructor(node, name) {
    this.node = node;
    this.name = name;
  }

  set(value) {
    if (value === this.#value) return;
    this.#value = value;
    if (value === undefined) delete this.node.dataset[this.name];
    else this.node.dataset[this.name] = value;
  }
}

/** A price in three parts, the moving digits big; a change of an earlier price lights it up in its direction. */
export class PriceCell {
  #price = null;
  #parts;
  #move;
  #flash;

  constructor(node, lights) {
    this.node = node;
    this.lights = lights;
    const spans = ["head", "big", "tip"].map((name) => element("span", name));
    node.append(...spans);
    this.#parts = spans.map((span) => new TextCell(span));
    this.#move = new DataCell(node, "move");
    this.#flash = new DataCell(node, "flash");
    this.forget();
  }

  /** Show a price; `move` says where it came from. */
  set(price, digits, move) {
    if (price === this.#price) return;
    const isFirst = this.#price === null;
    this.#price = price;
    for (const [index, text] of priceParts(price, digits).entries()) this.#parts[index].set(text);
    this.#move.set(move);
    if (!isFirst && move !== undefined) this.lights.light(this.#flash, move);
  }

  /** A product whose price is not known: a dash until its first one, which is no change. */
  forget() {
    this.#price = null;
    this.#flash.set(undefined);
    this.#move.set(undefined);
    for (const [index, text] of ["", "–", ""].entries()) this.#parts[index].set(text);
  }
}
