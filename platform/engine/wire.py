"""How an account's events are spelled: the `data` of the document's private events, as JSON text.

Written once: the journal keeps this text and every socket sends it. Values need no escaping: ids, product names and
`client_order_id` are of letters, digits and `._:-` by their own rules.

Source: event stream, trading:orders, trading:positions, trading:balances.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.events import (
    BalanceChanged,
    Closing,
    Event,
    Order,
    OrderActivated,
    OrderCancelled,
    OrderPlaced,
    OrderUpdated,
    Position,
    PositionClosed,
    PositionOpened,
    PositionSplit,
    PositionUpdated,
)
from engine.margin import SATOSHI
from engine.values import plain

CURRENCY = "BTC"


def event_data(event: Event) -> str:
    """Return the `data` of an event that the account's owner is told (those of `WIRE_NAMES`)."""
    return DATA[type(event)](event)


def trade_object(trade: Order, closing: Closing | None = None) -> str:
    """Return an order or a position: the document's keys in its order, then what it does not know; unset ones left out.

    `price` and `liquidation_price` have the product's digits, money 8, the rest no trailing zeros.
    """
    text = (
        f'{{"id":"{trade.id}","product":"{trade.product}","price":"{plain(trade.price)}","side":"{trade.side}",'
        f'"leverage":"{trimmed(trade.leverage)}","amount":{trade.amount},"margin":"{money(trade.margin)}",'
        f'"base_size":"{trimmed(trade.size)}","base_currency":"{CURRENCY}",'
        f'"type":"{"pending" if trade.kind else "market"}","liquidation_price":"{plain(trade.liquidation_price)}"'
    )
    if trade.take_profit is not None:
        text += f',"take_profit":"{plain(trade.take_profit)}"'
    if trade.stop_loss is not None:
        text += f',"stop_loss":"{plain(trade.stop_loss)}"'
    text += f',"decay_rate":"{trimmed(trade.decay_rate)}"'
    if closing is not None:
        text += (
            f',"close_price":"{plain(closing.price)}","pnl":"{money(closing.pnl)}",'
            f'"pnl_percent":"{plain(closing.pnl_percent)}","reason":"{closing.reason}","decay":"{trimmed(closing.decay)}"'
        )
    text += f',"created_at":{trade.created_ms}'
    if isinstance(trade, Position):
        text += f',"opened_at":{trade.opened_ms}'
    if closing is not None:
        text += f',"closed_at":{closing.time_ms}'
    if trade.updated_ms is not None:
        text += f',"updated_at":{trade.updated_ms}'
    if trade.kind:
        text += f',"order_type":"{trade.kind}"'
    if trade.valid_until_ms is not None:
        text += f',"valid_until":{trade.valid_until_ms}'
    if trade.client_order_id:
        text += f',"client_order_id":"{trade.client_order_id}"'
    return text + "}"


def _ended_order(event: OrderActivated | OrderCancelled) -> str:
    return f'{{"id":"{event.order.id}","product":"{event.order.product}"}}'


def split_object(parent: Position, first: Position, second: Position) -> str:
    parts = f'"first_position":{trade_object(first)},"second_position":{trade_object(second)}'
    return f'{{"parent_id":"{parent.id}",{parts}}}'


def money(amount: Decimal) -> str:
    """Return an amount of money with its 8 places.

    >>> money(Decimal("2.8428159"))
    '2.84281590'
    """
    return plain(amount.quantize(SATOSHI))


@lru_cache(maxsize=4096)
def trimmed(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros. Sizes, leverages and rates are few, and equal ones alike.

    >>> trimmed(Decimal("1000.000")), trimmed(Decimal("0E-8")), trimmed(Decimal("0.00060000"))
    ('1000', '0', '0.0006')
    """
    text = plain(number)
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".") or "0"


DATA: Mapping[type[Event], Callable[[Any], str]] = {
    OrderPlaced: lambda event: trade_object(event.order),
    OrderUpdated: lambda event: trade_object(event.order),
    OrderActivated: _ended_order,
    OrderCancelled: _ended_order,
    PositionOpened: lambda event: trade_object(event.position),
    PositionUpdated: lambda event: trade_object(event.position),
    PositionClosed: lambda event: trade_object(event.position, event.closing),
    PositionSplit: lambda event: split_object(event.parent, event.first, event.second),
    BalanceChanged: lambda event: f'{{"{CURRENCY}":"{money(event.cash)}"}}',
}
