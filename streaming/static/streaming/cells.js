/** How is a changing value put on the page with as few writes as possible? */

import {priceParts} from "./format.js";

/** How long a changed price stays lit. */
const FLASH_MS = 600;

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
    this.node.textContent = text;
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
  #flash = null; // {move, animation}

  constructor(node) {
    this.node = node;
    const spans = ["head", "big", "tip"].map((name) => element("span", name));
    node.append(...spans);
    this.#parts = spans.map((span) => new TextCell(span));
    this.#move = new DataCell(node, "move");
  }

  /** Show a price; `move` says where it came from. With `isCalm` nothing flashes. */
  set(price, digits, move, isCalm) {
    if (price === this.#price) return;
    const isFirst = this.#price === null;
    this.#price = price;
    for (const [index, text] of priceParts(price, digits).entries()) this.#parts[index].set(text);
    this.#move.set(move);
    if (!isFirst && !isCalm && move !== undefined) this.#lightUp(move);
  }

  #lightUp(move) {
    if (this.#flash?.move === move) {
      this.#flash.animation.currentTime = 0;
      this.#flash.animation.play();
    } else {
      this.#flash?.animation.cancel();
      this.#flash = {move, animation: flash(this.node, move)};
    }
  }

  /** Another product: nothing is shown until its first price, which is no change. */
  forget() {
    this.#price = null;
    for (const part of this.#parts) part.set("");
  }
}

/** One animation for a price and direction, begun anew: under a thousand quotes a second they would pile up else. */
function flash(node, move) {
  const lit = {backgroundColor: `var(--${move}-flash)`};
  return node.animate([lit, {backgroundColor: "transparent"}], {duration: FLASH_MS, easing: "ease-out"});
}
