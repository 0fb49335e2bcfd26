/** How does the overview say its figures? The event's data in, texts out; no DOM in here. */

/** One contract of the event's amounts in the product's base currency: 0.001. */
const CONTRACT_PLACES = 3;

/** Seconds without a tick after which an open product's feed is old. */
const OLD_S = 5;

/** 1234567 -> "1,234,567"; 3.25 -> "3.3". */
export function number(value) {
  const text = Number.isInteger(value) || value >= 100 ? String(Math.round(value)) : value.toFixed(1);
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, (match, digits, at) => (text.slice(0, at).includes(".") ? "" : ","));
}

/** 1 -> "1 position", 2 -> "2 positions". */
export function counted(value, what) {
  return `${number(value)} ${what}${value === 1 ? "" : "s"}`;
}

/** Contracts as an amount of the base currency, exactly: 1500 -> "1.500", -20 -> "−0.020". */
export function base(contracts) {
  const digits = String(Math.abs(contracts)).padStart(CONTRACT_PLACES + 1, "0");
  const cut = digits.length - CONTRACT_PLACES;
  return `${contracts < 0 ? "−" : ""}${number(Number(digits.slice(0, cut)))}.${digits.slice(cut)}`;
}

/** How long a source has been silent. */
export function silence(seconds) {
  if (seconds === null) return "never";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

const STREAM_NAMES = {event_stream: "events", tick_stream: "ticks", pages: "pages", undecided: "undecided"};

/** Return what the four tiles show: `{connections, deliveries, ticks, lag}`, each `{value, figure, more}`. */
export function tiles(data) {
  const connections = Object.values(data.connections).reduce((sum, count) => sum + count, 0);
  const streams = Object.entries(data.connections).map(([name, count]) => `${STREAM_NAMES[name] ?? name} ${number(count)}`);
  const {engine} = data;
  return {
    connections: tile(connections, streams.join(" · ") || "nobody is connected"),
    deliveries: tile(data.delivered_per_s, `conflated ${number(data.conflated_per_s)}/s, ${number(data.conflated)} in all`),
    ticks: tile(data.ticks_per_s, data.feed === null ? "no feed" : `refused ${number(data.refused_per_s)}/s, ${number(data.feed.refused)} in all`),
    lag: engine === null ? {value: null, figure: "–", more: "no engine works"}
      : tile(engine.lag_ms, `${number(data.commands_per_s)} commands/s · ${number(engine.waiting)} waiting`),
  };
}

function tile(value, more) {
  return {value, figure: number(value), more};
}

/** Return `{note, rows}` of the feed; a row is `{cells, tone}`. */
export function feed(data) {
  if (data.feed === null) return {note: "No feed answers.", tone: "bad", rows: []};
  const states = Object.entries(data.feed.states).sort().map(([state, count]) => `${number(count)} ${state}`);
  const rows = data.feed.silent.map(([product, state, seconds]) => {
    const isOld = state !== "open" || seconds === null || seconds > OLD_S;
    return {cells: [product, state, silence(seconds)], tone: isOld ? "bad" : ""};
  });
  return {note: states.join(", ") || "no products", tone: "", rows};
}

/** Return `{note, rows}` of what is open, the most first. */
export function interest(data) {
  const {engine} = data;
  if (engine === null) return {note: "No engine works.", tone: "bad", rows: []};
  const shown = engine.interest.length < engine.products ? `, the largest ${engine.interest.length} of ${number(engine.products)}` : "";
  const note = `${counted(engine.positions, "position")}, ${counted(engine.orders, "pending order")}${shown}`;
  const rows = engine.interest.map(([environment, product, bought, sold]) => (
    {cells: [product, environment, base(bought), base(sold), base(bought - sold)], tone: ""}
  ));
  return {note, tone: "", rows};
}

/** Return `{note, rows}` of the processes; who holds the lease is in the note. */
export function processes(data) {
  const {engine, standbys} = data;
  const waiting = standbys === 0 ? "no standby" : `${standbys} standing by`;
  const note = engine === null ? `Nobody holds the engine's lease, ${waiting}.`
    : `${engine.process} holds the engine's lease (fence ${engine.fence}), ${waiting}.`;
  const rows = data.processes.map((one) => ({
    cells: [one.process, one.roles.join(" "), number(one.connections), number(one.delivered_per_s), `${number(one.late_ms)} ms`],
    tone: one.late_ms >= 250 ? "bad" : "",
  }));
  return {note, tone: engine === null ? "bad" : "", rows};
}
