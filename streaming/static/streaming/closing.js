/** What does a close code mean, in words? Source: docs/errors.md, "Close codes". */

const WORDS = {
  1000: "It was closed in order.",
  1001: "The server goes away.",
  1005: "It was closed without a code.",
  1006: "It was lost without a goodbye: the network, a server that was killed, or one that refused the connection.",
  1008: "Nobody is logged in here any more.",
  1009: "A message was larger than 64 KiB.",
  1011: "The server had an error.",
  1012: "The server restarts.",
  4001: "It neither authenticated nor subscribed to a public channel in time.",
  4003: "Authentication failed three times.",
  4008: "It read too slowly, and too much was waiting.",
  4010: "Its access was taken away: the key was revoked or expired, or its browser was logged out.",
  4011: "An administrator has ended it.",
  4029: "Too many connections of this address or key are open.",
};

/** Return a sentence or two for a close; `closes` has the server's table: code -> `{reason, reconnect}`. */
export function closeWords({code, reason}, closes) {
  const known = closes[code];
  const name = reason || known?.reason;
  const head = `Closed with ${code}${name ? ` (${name})` : ""}.`;
  const words = WORDS[code] ?? "";
  const advice = known ? (known.reconnect ? "A program should come back." : "Coming back by itself is of no use.") : "";
  return [head, words, advice].filter(Boolean).join(" ");
}
