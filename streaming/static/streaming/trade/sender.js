/** What becomes of an order that was sent? Also when the connection goes before the answer comes; no DOM in here. */

import {TradeError} from "../calls.js";

/** A look-up that fails is tried again: REST may come back later than the socket. */
const LOOK_AGAIN_MS = 2_000;
const LOOKS_MAX = 5;

const STATUS_WORDS = {
  pending: "It was placed, and waits for its price.", open: "It was placed and filled.", closed: "It was placed, filled and closed already.",
  cancelled: "It was placed, and cancelled since.", split: "It was placed, filled and split since.",
};

/**
 * Sends one order at a time under a `client_order_id` of its own, so that sending it again can never place it twice.
 *
 * `onState(state)` is told `{name, text, error}`: name is idle, sending, done, refused; unknown (it is being looked up),
 * missing (it was not placed, as far as the server knows) or lost (it could not be looked up).
 */
export class Sender {
  state = {name: "idle", text: ""};
  #order = null; // {params, demo}
  #isLooking = false;

  constructor({trade, getJson, newId, setTimer, onState}) {
    Object.assign(this, {trade, getJson, newId, setTimer, onState});
  }

  get isBusy() {
    return ["sending", "unknown"].includes(this.state.name);
  }

  /** Send a new order. */
  send(params, demo) {
    this.#order = {params: {...params, client_order_id: this.newId()}, demo};
    return this.again();
  }

  /** Send the same order: where it was placed already, that one is the answer. */
  async again() {
    const {params, demo} = this.#order;
    this.#become("sending", "Sent; waiting for the answer …");
    try {
      await this.trade("new", params, {demo});
      this.#become("done", "Done.");
    } catch (error) {
      if (!error.isUnknown) return this.#become("refused", error.message, error);
      this.#become("unknown", "Nobody knows yet whether it was placed. It is being looked up.");
      this.setTimer(() => this.resolve(), LOOK_AGAIN_MS);
    }
  }

  /** Look up what became of an order whose answer was lost; also called when the connection is there again. */
  async resolve(looks = 1) {
    if (!["unknown", "lost"].includes(this.state.name) || this.#isLooking) return;
    this.#isLooking = true;
    await this.#look(looks);
    this.#isLooking = false;
  }

  async #look(looks) {
    const {params, demo} = this.#order;
    try {
      const query = `client_order_id=${encodeURIComponent(params.client_order_id)}&demo=${demo}`;
      const found = await this.getJson(`/trading/trade?${query}`);
      if (found.status === "refused") this.#become("refused", found.message, new TradeError(found.code, found.message));
      else this.#become("done", STATUS_WORDS[found.status]);
    } catch (error) {
      if (error.code === "not_found") this.#become("missing", "It was not placed. Sending it again cannot place it twice.");
      else if (looks < LOOKS_MAX) this.setTimer(() => this.resolve(looks + 1), LOOK_AGAIN_MS);
      else this.#become("lost", "It could not be looked up. Sending it again cannot place it twice.");
    }
  }

  #become(name, text, error = null) {
    this.state = {name, text, error};
    this.onState(this.state);
  }
}
