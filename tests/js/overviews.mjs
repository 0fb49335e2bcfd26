/** An overview as the server sends it. */

export function overview(changes = {}) {
  return {
    time: 1_709_742_000_000,
    connections: {tick_stream: 6, event_stream: 3, pages: 1},
    delivered_per_s: 1234.5, conflated_per_s: 2, ticks_per_s: 40, refused_per_s: 0.5, commands_per_s: 3,
    delivered: 99_999, conflated: 17, lost: 0,
    processes: [
      {process: "web:1", roles: ["web"], connections: 10, delivered_per_s: 1234.5, late_ms: 1.5},
      {process: "feed:2", roles: ["feed"], connections: 0, delivered_per_s: 0, late_ms: 400},
    ],
    feed: {
      process: "feed:2", accepted: 1000, refused: 3, states: {stale: 1, open: 2},
      silent: [["GBP-USD", "stale", null], ["EUR-USD", "open", 0.4]],
    },
    engine: {
      process: "engine:3", fence: 5, lag_ms: 2.5, waiting: 1, commands: 9, orders: 2, positions: 4, products: 30,
      interest: [["demo", "EUR-USD", 1500, 2000]],
    },
    standbys: 1,
    ...changes,
  };
}
