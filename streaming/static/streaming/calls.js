/** Which trades wait for their answer, and what if the connection goes before it comes? */

/** A trade that was not done, or (`isUnknown`) of which nobody knows: look it up by its `client_order_id`. */
export class TradeError extends Error {
  constructor(code, message, {isUnknown = false} = {}) {
    super(message);
    this.code = code;
    this.isUnknown = isUnknown;
  }
}

export class Calls {
  #waiting = new Map(); // message id -> {resolve, reject}

  /** Return the promise of an answer to the message of this id. */
  add(id) {
    return new Promise((resolve, reject) => this.#waiting.set(id, {resolve, reject}));
  }

  /** Take an answer; return whether it was one to a call. */
  settle({id, type, data, code, message}) {
    const call = this.#waiting.get(id);
    if (call === undefined) return false;
    this.#waiting.delete(id);
    if (type === "result") call.resolve(data);
    else call.reject(new TradeError(code, message, {isUnknown: code === "unavailable"}));
    return true;
  }

  /** The connection is gone: it may all have been done. */
  drop() {
    const calls = [...this.#waiting.values()];
    this.#waiting.clear();
    const words = "The connection was lost before the answer came";
    for (const {reject} of calls) reject(new TradeError("connection_lost", words, {isUnknown: true}));
  }
}
