/** Which messages are there to begin with, for each address of this server? */

const ORDER = {product: "EUR-USD", side: "buy", type: "market", leverage: "100", amount: 1000};
const PENDING = {...ORDER, type: "pending", price: "1.00000"};
const ACCOUNT = ["trading:orders_demo", "trading:positions_demo", "trading:balances_demo"];

const TICKS = [
  ["Authenticate", {type: "auth", apiKey: "tk_demo_…"}],
  ["Subscribe", {type: "subscribe", symbols: ["EURUSD", "GBPUSD", "XAUUSD"]}],
  ["Subscribe, 4 a second", {type: "subscribe", symbol: "BTCUSD", interval: 250}],
  ["List", {type: "list"}],
  ["Unsubscribe", {type: "unsubscribe", symbol: "EURUSD"}],
];

const EVENTS = [
  ["Quotes", {type: "subscribe", channels: ["trading:quotes:EUR-USD", "trading:quotes:BTC-USD"]}],
  ["Quotes, 4 a second", {type: "subscribe", channels: ["trading:quotes:EUR-USD@250ms"]}],
  ["Candles", {type: "subscribe", channels: ["trading:candles:EUR-USD:1"]}],
  ["Unsubscribe all", {type: "unsubscribe"}],
];

const PRIVATE = [
  ["My demo account", {type: "subscribe", channels: ACCOUNT, snapshot: true}],
  ["Buy (demo)", {type: "trade", id: "t-1", action: "new", demo: true, params: ORDER}],
  ["Limit order (demo)", {type: "trade", id: "t-2", action: "new", demo: true, params: PENDING}],
  ["Close (demo)", {type: "trade", id: "t-3", action: "close", demo: true, params: {id: "…"}}],
  ["Cancel on disconnect", {type: "session", cancelOnDisconnect: true}],
];

const PING = [["Ping", {type: "ping", id: 1}]];

const OF_ADDRESS = {
  "/ws/app": [...EVENTS, ...PRIVATE, ...PING],
  "/ws/events": [...EVENTS, ...PRIVATE, ...PING],
  "/ws/ticks": [...TICKS, ...PING],
  "/": [...TICKS, ...EVENTS, ...PRIVATE, ...PING],
};

/** Return `{name, text}` for each, the text ready to be sent or changed. */
export function preparedFor(address) {
  return OF_ADDRESS[address].map(([name, message]) => ({name, text: JSON.stringify(message, null, 2)}));
}

/** A signed subscribe to the demo account; `auth` is what signing.js makes. */
export function signedSubscribe(auth) {
  return JSON.stringify({type: "subscribe", channels: ACCOUNT, snapshot: true, auth}, null, 2);
}
