/** Which product, resolution and price does the page show? Its address says so, and keys change it; no DOM in here. */

export const RESOLUTIONS = ["1", "5", "15", "60", "240", "1D"];
export const SIGNALS = ["mid", "bid", "ask"];

/** "#BTC-USD:15:bid" -> what it means; whatever it does not say, or says wrongly, is the first there is. */
export function readChoice(hash, products) {
  const [product, resolution, signal] = hash.replace(/^#/, "").split(":");
  return {
    product: known(products, product),
    resolution: known(RESOLUTIONS, resolution),
    signal: known(SIGNALS, signal),
  };
}

export function writeChoice({product, resolution, signal}) {
  return `#${product}:${resolution}:${signal}`;
}

export function candleChannel({product, resolution}) {
  return `trading:candles:${product}:${resolution}`;
}

export function quoteChannel(product) {
  return `trading:quotes:${product}`;
}

/** How far PageUp and PageDown go. */
const PAGE_ROWS = 8;
const STEPS = {
  ArrowUp: (index) => index - 1,
  ArrowDown: (index) => index + 1,
  PageUp: (index) => index - PAGE_ROWS,
  PageDown: (index) => index + PAGE_ROWS,
  Home: () => 0,
  End: (index, last) => last,
};

/** Which of the `names` shown a key leads to from `current`; undefined when the key is none of ours. */
export function nameAfterKey(names, current, key) {
  const last = names.length - 1;
  if (!Object.hasOwn(STEPS, key) || last < 0) return undefined;
  const index = names.indexOf(current);
  if (index < 0) return names[key === "ArrowUp" || key === "End" ? last : 0];
  return names[Math.min(last, Math.max(0, STEPS[key](index, last)))];
}

function known(names, name) {
  return names.includes(name) ? name : names[0];
}
