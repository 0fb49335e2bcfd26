/** What does the page know of an account? A snapshot, and every event behind it; no DOM in here. */

/** Lines of the event log that are kept. */
export const LOG_LINES = 500;
/** Closed positions that are kept: one page of REST, and what has been closed since. */
export const CLOSED_KEPT = 500;
/** What a list says until it is known what is in it. */
export const LOADING = "Loading …";

export class Account {
  /** Whether its snapshot has come: before that nothing is known, and nothing can be traded. */
  isKnown = false;
  /** Why it cannot be had, in words; "" where it can. */
  refusal = "";
  /** Why its past is not shown, in words: it is being read, or could not be; "" once it is known. */
  pastWords = LOADING;
  balance = null;
  offset = 0;
  closed = []; // the latest first
  log = []; // {offset, name, data}, the newest first
  #orders = new Map();
  #positions = new Map();
  #handlers = {
    "order:new": (order) => this.#pending(order),
    "order:update": (order) => this.#pending(order),
    "order:activate": ({id}) => this.#orders.delete(id),
    "order:cancel": ({id}) => this.#orders.delete(id),
    "position:new": (position) => this.#positions.set(position.id, position),
    "position:update": (position) => this.#positions.set(position.id, position),
    "position:split": (split) => this.#split(split),
    "position:close": (position) => this.#close(position),
    balance: ({BTC}) => (this.balance = BTC),
    snapshot: (data) => this.#begin(data),
  };

  constructor(environment) {
    this.environment = environment;
  }

  /** Pending orders, the newest first. */
  get orders() {
    return [...this.#orders.values()].sort((one, other) => other.created_at - one.created_at);
  }

  /** Open positions, the latest opened first. */
  get positions() {
    return [...this.#positions.values()].sort((one, other) => other.opened_at - one.opened_at);
  }

  /** Whether anything is open in a product: asked for every quote. */
  holds(product) {
    for (const trades of [this.#positions, this.#orders]) for (const trade of trades.values()) if (trade.product === product) return true;
    return false;
  }

  order(id) {
    return this.#orders.get(id);
  }

  position(id) {
    return this.#positions.get(id);
  }

  /** Take an event of the stream; return its name without the environment, or undefined when it is another account's. */
  take({event, data, offset}) {
    const name = nameIn(event, this.environment);
    if (name === undefined) return undefined;
    this.#handlers[name](data);
    this.offset = offset;
    if (name !== "snapshot") this.#note([{name, data, offset}]);
    return name;
  }

  /** Take what REST has of the past; what the stream has told already stays. */
  pastClosed(positions) {
    const known = new Set(this.closed.map(({id}) => id));
    const all = [...this.closed, ...positions.filter(({id}) => !known.has(id))];
    this.closed = all.sort((one, other) => other.closed_at - one.closed_at).slice(0, CLOSED_KEPT);
    this.pastWords = "";
  }

  pastLog(events) {
    const ours = events.map(({event, data, offset}) => ({name: nameIn(event, this.environment), data, offset}));
    this.#note(ours.filter(({name}) => name !== undefined));
  }

  #note(lines) {
    const known = new Set(this.log.map(({offset}) => offset));
    const all = [...lines.filter(({offset}) => !known.has(offset)), ...this.log];
    this.log = all.sort((one, other) => other.offset - one.offset).slice(0, LOG_LINES);
  }

  #begin({orders, positions, balances}) {
    this.isKnown = true;
    this.pastWords = LOADING;
    this.log = []; // REST tells the past of this history; another's is none of it
    this.closed = [];
    this.#orders = new Map(orders.map((order) => [order.id, order]));
    this.#positions = new Map(positions.map((position) => [position.id, position]));
    this.balance = balances.BTC;
  }

  #pending(order) {
    // A market order is filled at once: its position comes with it.
    if (order.type === "pending") this.#orders.set(order.id, order);
  }

  #split({parent_id: parent, first_position: first, second_position: second}) {
    this.#positions.delete(parent);
    for (const part of [first, second]) this.#positions.set(part.id, part);
  }

  #close(position) {
    this.#positions.delete(position.id);
    this.closed = [position, ...this.closed].slice(0, CLOSED_KEPT);
  }
}

const PRIVATE = /^(order|position|balance|snapshot)(_demo)?(:\w+)?$/;

/** "order_demo:new" -> "order:new" for the demo account; undefined for another's, and for what is nobody's. */
export function nameIn(event, environment) {
  const found = PRIVATE.exec(event);
  if (found === null || (found[2] ? "demo" : "live") !== environment) return undefined;
  return found[1] + (found[3] ?? "");
}
