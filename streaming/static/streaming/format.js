/** How is a number of the market written for people? Text in, text out: prices stay as the server wrote them. */

/** "0.00001" -> 5: how many digits a product of that tick has behind the point. */
export function digitsOf(tick) {
  const point = tick.indexOf(".");
  return point < 0 ? 0 : tick.length - point - 1;
}

/**
 * Split a price as trading terminals show it: head, the two digits that move ("big"), and the fractional pip ("tip")
 * of products quoted to 3 or 5 digits. "1.08247" -> ["1.08", "24", "7"]; "189.50" -> ["189.", "50", ""].
 */
export function priceParts(price, digits) {
  const tipLength = digits === 3 || digits === 5 ? 1 : 0;
  const end = price.length - tipLength;
  let start = end;
  for (let seen = 0; start > 0 && seen < 2; start -= 1) if (price[start - 1] !== ".") seen += 1;
  return [price.slice(0, start), price.slice(start, end), price.slice(end)];
}

/** The spread in points, the product's smallest steps: ("1.08241", "1.08254") -> "13". Exact at any length. */
export function spreadPoints(bid, ask) {
  return String(points(ask) - points(bid));
}

/** Where a price went, "up" or "down"; undefined when it stayed. Both have the product's digits. */
export function movement(before, now) {
  if (before === now) return undefined;
  return points(now) > points(before) ? "up" : "down";
}

function points(price) {
  return BigInt(price.replace(".", ""));
}

/** Change since `before` in percent with its sign, and its direction: ("101", "100") -> ["+1.00 %", "up"]. */
export function change(now, before) {
  const percent = (Number(now) / Number(before) - 1) * 100;
  if (!Number.isFinite(percent)) return ["–", "flat"];
  const text = Math.abs(percent).toFixed(2);
  if (text === "0.00") return ["0.00 %", "flat"];
  return percent > 0 ? [`+${text} %`, "up"] : [`−${text} %`, "down"];
}

const DAY_MS = 86_400_000;

/** How long ago, in one short word; what is older than a day, or of another time (a replay), as its date. */
export function age(timeMs, nowMs) {
  const seconds = Math.floor((nowMs - timeMs) / 1000);
  if (Math.abs(nowMs - timeMs) >= DAY_MS) return utcMinute(timeMs);
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** "2026-11-23 21:15", UTC. */
export function utcMinute(timeMs) {
  return new Date(timeMs).toISOString().slice(0, 16).replace("T", " ");
}

/** "21:15:09", UTC. */
export function utcClock(timeMs) {
  return new Date(timeMs).toISOString().slice(11, 19);
}
