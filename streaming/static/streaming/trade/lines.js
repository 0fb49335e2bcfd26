/** Which levels of an account belong on a product's chart? No DOM in here. */

import {CURRENCY} from "./money.js";

/** Levels on one chart: beyond that nobody can read it. */
export const LINES_MAX = 60;

/**
 * Return `[{key, price, title, kind}]` of an account's orders and positions in a product; `kind` is buy, sell, profit,
 * loss or liquidation.
 */
export function linesOf({orders, positions}, product) {
  const ours = (trade) => trade.product === product;
  const lines = [...positions.filter(ours).flatMap(ofPosition), ...orders.filter(ours).flatMap(ofOrder)];
  return lines.slice(0, LINES_MAX);
}

function ofPosition(position) {
  const title = `${position.side === "buy" ? "Long" : "Short"} ${position.base_size} ${CURRENCY}`;
  return [line(position, "entry", position.price, title, position.side), ...exits(position),
    line(position, "liquidation", position.liquidation_price, "Liquidation", "liquidation")];
}

function ofOrder(order) {
  const title = `${order.order_type === "stop" ? "Stop" : "Limit"} ${order.side} ${order.base_size} ${CURRENCY}`;
  return [{...line(order, "order", order.price, title, order.side), isPending: true}, ...exits(order)];
}

function exits(trade) {
  return [
    ...(trade.take_profit ? [line(trade, "profit", trade.take_profit, "Take profit", "profit")] : []),
    ...(trade.stop_loss ? [line(trade, "loss", trade.stop_loss, "Stop loss", "loss")] : []),
  ];
}

function line({id}, part, price, title, kind) {
  return {key: `${id}:${part}`, price, title, kind};
}
