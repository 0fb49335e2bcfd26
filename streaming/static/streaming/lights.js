/** Prices that changed are lit for a moment. */

/** How long a price stays lit after its last change, to within a sweep. */
export const LIT_MS = 300;
/** All lights are looked at together: a timer, and a frame, for each would be one for every quote. */
export const SWEEP_MS = 100;

export class Lights {
  #lit = new Map(); // what is lit -> sweeps until it goes out

  /** Nothing is lit while `isCalm()`. */
  constructor({isCalm, setTimer}) {
    Object.assign(this, {isCalm, setTimer});
  }

  /** Light up `cell`, a `DataCell`, in the direction of a move; a change of what is lit begins anew. */
  light(cell, move) {
    if (this.isCalm()) return;
    cell.set(move);
    if (this.#lit.size === 0) this.#sweepSoon();
    this.#lit.set(cell, LIT_MS / SWEEP_MS);
  }

  #sweepSoon() {
    this.setTimer(() => this.#sweep(), SWEEP_MS);
  }

  #sweep() {
    for (const [cell, sweeps] of this.#lit) {
      this.#lit.set(cell, sweeps - 1);
      if (sweeps > 1) continue;
      this.#lit.delete(cell);
      cell.set(undefined);
    }
    if (this.#lit.size > 0) this.#sweepSoon();
  }
}
