/** What does the page say about its connection? States and clocks in, words out; no DOM in here. */

/** One heartbeat of 5 s is missed, and 2 s for the way; what stream.js does about silence comes later. */
export const STALE_AFTER_MS = 7_000;

/** Reasons as stream.js and docs/errors.md name them, for people. */
const REASONS = {
  connection_lost: "connection lost",
  sequence_gap: "a message went missing",
  silence: "the server fell silent",
  restart: "the server restarts",
  going_away: "the server goes away",
  internal_error: "the server had an error",
  slow_consumer: "this page read too slowly",
  too_many_connections: "too many connections are open",
};
const LOGGED_OUT = [1008, 4010];
const ENDED = 4011;

/**
 * Return `{light, text, detail, spoken}` for a state of stream.js. `light` is live, stale, waiting or closed; `text`
 * and `detail` may change with every second, `spoken` only when there is news to tell somebody who listens.
 * `heardMs`, when the last heartbeat came, and `nowMs` are on the monotonic clock.
 */
export function connectionView(state, {nowMs, heardMs, roundTripMs = null}) {
  if (state.name === "live") return liveView(nowMs - heardMs, roundTripMs);
  if (state.name === "closed") return closedView(state);
  if (state.name === "connecting") return view("waiting", "Connecting", "", "Connecting");
  const reason = REASONS[state.reason] ?? state.reason;
  const seconds = Math.ceil((state.retryAtMs - nowMs) / 1000);
  const text = seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting now";
  return view("waiting", text, reason, `Connection interrupted: ${reason}. Reconnecting by itself.`);
}

/** Whether logging in again is the way back. */
export function isLoggedOut(state) {
  return state.name === "closed" && LOGGED_OUT.includes(state.code);
}

function liveView(silentMs, roundTripMs) {
  const ago = `${Math.floor(silentMs / 1000)} s`;
  if (silentMs >= STALE_AFTER_MS) {
    return view("stale", "Stale", `no heartbeat for ${ago}`, "Connected, but without a heartbeat");
  }
  const trip = roundTripMs === null ? "" : ` · ${Math.max(1, Math.round(roundTripMs))} ms`;
  return view("live", "Live", `heartbeat ${ago} ago${trip}`, "Connected");
}

function closedView(state) {
  if (isLoggedOut(state)) {
    return view("closed", "Logged out", "prices have stopped", "Logged out. Prices have stopped.");
  }
  if (state.code === ENDED) {
    const words = "an administrator has ended this connection";
    return view("closed", "Ended", words, `Prices have stopped: ${words}. Load the page again.`);
  }
  return view("closed", "Disconnected", state.reason, `Disconnected: ${state.reason}. Load the page again.`);
}

function view(light, text, detail, spoken) {
  return {light, text, detail, spoken};
}
