/** What has just happened? Short notices on the page, read aloud by screen readers. */

import {element} from "./cells.js";

/** How long a notice stays, and how many there are at most: a burst of fills must not bury the page. */
export const NOTICE_MS = 8_000;
export const NOTICES_MAX = 4;

export class Notices {
  #shown = [];

  /** `list` is a live region. */
  constructor(list, {setTimer}) {
    this.list = list;
    this.setTimer = setTimer;
  }

  /** Tell it; `kind` is good, bad, plain or warn. */
  tell(text, kind = "plain") {
    const node = element("p", "toast", text);
    node.dataset.kind = kind;
    this.list.append(node);
    this.#shown.push(node);
    if (this.#shown.length > NOTICES_MAX) this.#take(this.#shown[0]);
    this.setTimer(() => this.#take(node), NOTICE_MS);
  }

  #take(node) {
    node.remove();
    this.#shown = this.#shown.filter((other) => other !== node);
  }
}
