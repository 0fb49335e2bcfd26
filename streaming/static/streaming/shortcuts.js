/** Which key does what? The one table from which keys work and the help is written. */

import {element} from "./cells.js";

/** Key -> [what it does, the words for it]. */
export const SHORTCUTS = {
  "/": ["search", "Search products"],
  b: ["buy", "Ticket: buy"],
  s: ["sell", "Ticket: sell"],
  m: ["market", "Ticket: market order"],
  l: ["limit", "Ticket: limit order"],
  t: ["stop", "Ticket: stop order"],
  f: ["favourite", "Mark the product as a favourite"],
  1: ["positions", "Positions"],
  2: ["orders", "Pending orders"],
  3: ["history", "History"],
  4: ["events", "Event log"],
  c: ["theme", "Dark, light, or as the system"],
  "?": ["help", "This help"],
};
const MORE = [["↑ ↓", "In the list: the next product"], ["Enter", "In the ticket: send the order"], ["Esc", "Close what is open"]];
const TYPED_INTO = "input:not([type=radio]):not([type=range]), select, textarea";

/** What a key asks for; undefined where it belongs to whatever is being typed, or means nothing. */
export function actionOf({key, ctrlKey, metaKey, altKey, target}, hasDialog) {
  if (ctrlKey || metaKey || altKey || hasDialog || target.matches?.(TYPED_INTO)) return undefined;
  return Object.hasOwn(SHORTCUTS, key) ? SHORTCUTS[key][0] : undefined;
}

/** Write the help's list. */
export function writeHelp(list) {
  const keys = [...Object.entries(SHORTCUTS).map(([key, [, words]]) => [key, words]), ...MORE];
  list.append(...keys.flatMap(([key, words]) => [element("dt", "", element("kbd", "", key)), element("dd", "", words)]));
}
