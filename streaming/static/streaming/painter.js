/** When is something painted? At most once in an animation frame, however many messages ask for it. */

export class Painter {
  #jobs = new Map();
  #requestFrame;

  constructor(requestFrame) {
    this.#requestFrame = requestFrame;
  }

  /**
   * Run `paint` in the next frame; of several for one `key` only the last. A hidden page has no frames, and nothing
   * piles up meanwhile.
   */
  ask(key, paint) {
    if (this.#jobs.size === 0) this.#requestFrame(() => this.#frame());
    this.#jobs.set(key, paint);
  }

  #frame() {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const paint of jobs) paint();
  }
}
