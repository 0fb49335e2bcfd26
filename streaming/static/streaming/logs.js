/** How far has a connection's owner read the logs of their accounts, and what is said on coming back? */

const PRIVATE = /^trading:(?:orders|positions|balances)(_demo)?$/;

/** Whose a channel is, "live" or "demo"; undefined where it is everybody's. */
export function environmentOf(channel) {
  const found = PRIVATE.exec(channel);
  if (found === null) return undefined;
  return found[1] ? "demo" : "live";
}

/**
 * The place reached in each account's log: `{epoch, offset}` of the last event that was handed on.
 *
 * A first subscription asks for a snapshot, and only when that has come there is a place to resume from.
 * Source: docs/protocols/event_stream.md, "Offsets".
 */
export class Logs {
  #places = new Map();
  #epochs = new Map(); // of accounts whose snapshot is on its way

  /** Return what a subscribe says of accounts: to resume where their place is known, else a snapshot. */
  asking(fresh, added) {
    const known = fresh.filter((environment) => this.#places.has(environment));
    const needsSnapshot = known.length < fresh.length || added.length > 0;
    const resume = Object.fromEntries(known.map((environment) => [environment, this.#places.get(environment)]));
    return {...(known.length && {resume}), ...(needsSnapshot && {snapshot: true})};
  }

  /**
   * Take `accounts` of an answer; return `[{environment, recovered, missed}]` of those that came back. `missed` is how
   * many events of the account happened meanwhile: with `recovered` they follow, else a snapshot does.
   */
  answered(accounts) {
    const back = [];
    for (const [environment, {epoch, offset, recovered}] of Object.entries(accounts ?? {})) {
      const place = this.#places.get(environment);
      if (recovered === true) this.#epochs.delete(environment);
      else this.#epochs.set(environment, epoch);
      if (recovered !== undefined) back.push({environment, recovered, missed: Math.max(0, offset - place.offset)});
    }
    return back;
  }

  /** Take an event; `isHeld(environment)` says whether the connection has channels of that account. */
  took({event, offset, data}, isHeld) {
    if (event === "heartbeat") {
      for (const [environment, reached] of Object.entries(data?.offset ?? {})) {
        if (isHeld(environment)) this.#reach(environment, reached);
      }
    } else if (event === "snapshot" || event === "snapshot_demo") {
      const environment = event === "snapshot" ? "live" : "demo";
      const epoch = this.#epochs.get(environment) ?? this.#places.get(environment)?.epoch;
      if (epoch !== undefined) this.#places.set(environment, {epoch, offset});
      this.#epochs.delete(environment);
    } else if (offset !== undefined) {
      this.#reach(/_demo(:|$)/.test(event) ? "demo" : "live", offset);
    }
  }

  /** Nobody follows this account any more: what happens from now on is not missed, and not resumed. */
  forget(environment) {
    this.#places.delete(environment);
  }

  #reach(environment, offset) {
    const place = this.#places.get(environment);
    // Where a snapshot is on its way, what comes before it belongs to another history.
    if (place !== undefined && !this.#epochs.has(environment)) this.#places.set(environment, {...place, offset});
  }
}
