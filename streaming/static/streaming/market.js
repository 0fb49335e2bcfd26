/** What does the page know of the products? Built from REST's list, kept up by the stream's events; no DOM in here. */

import {digitsOf, movement} from "./format.js";

/** Groups as people name them, in the order in which they are shown; others follow under their own name. */
const GROUP_TITLES = {
  forex: "Forex", metals: "Metals", indices: "Indices", stocks: "Stocks", crypto: "Crypto",
};

/**
 * Return name -> product, group by group, from `GET /trading/products`:
 * `{name, title, label, group, tick, digits, maxLeverage, decayRate, maxSize, state, quote, moves}`: `label` is the title where that says more than the
 * name; `quote` is null before the first; `moves` says for bid and ask which way they went when they last changed.
 */
export function readProducts(groups) {
  const order = [...Object.keys(GROUP_TITLES), ...Object.keys(groups)];
  const products = new Map();
  for (const group of new Set(order)) {
    for (const [name, maxLeverage, tick, decayRate, sizes, title] of groups[group] ?? []) {
      const shown = GROUP_TITLES[group] ?? group;
      products.set(name, {
        name, title, label: letters(title) === letters(name) ? "" : title, group: shown, tick, digits: digitsOf(tick),
        maxLeverage, decayRate, maxSize: sizes.BTC, state: "open", quote: null, moves: {},
      });
    }
  }
  return products;
}

/** Take a quote or status event; return the product that it changed, or undefined. */
export function applyEvent(products, event) {
  if (event.event === "quote") {
    const [name, mid, bid, ask, midDayAgo, timeMs] = event.data;
    const product = products.get(name);
    if (product === undefined) return undefined;
    if (product.quote !== null) {
      product.moves = {
        bid: movement(product.quote.bid, bid) ?? product.moves.bid,
        ask: movement(product.quote.ask, ask) ?? product.moves.ask,
      };
    }
    product.quote = {mid, bid, ask, midDayAgo, timeMs};
    return product;
  }
  if (event.event === "status") {
    const product = products.get(event.data.product);
    if (product !== undefined) product.state = event.data.state;
    return product;
  }
  return undefined;
}

/** A fresh subscription names only the products that are not open: all others are. */
export function assumeOpen(products) {
  for (const product of products.values()) product.state = "open";
}

/** Whether a product is meant by what somebody typed: part of its name, with or without the hyphen, or of its title. */
export function matches(product, text) {
  const wanted = text.trim().toLowerCase();
  const {name, title} = product;
  return [name, name.replaceAll("-", ""), title].some((word) => word.toLowerCase().includes(wanted));
}

function letters(text) {
  return text.replaceAll(/\W/g, "").toLowerCase();
}
