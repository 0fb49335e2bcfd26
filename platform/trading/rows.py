"""Which rows does a record come to? Computed where commands are decided, so that whoever writes them has only to write.

The rows are plain values that `marshal` can carry to another process. A row is a tuple as of `tables.py`.
"""

import marshal
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from engine.commands import KINDS, PlaceOrder, SetTerms
from engine.events import (
    AccountOpened,
    Closing,
    Event,
    MoneyMoved,
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
from engine.values import AccountId
from engine.wire import CURRENCY
from market.fields import MONEY_PLACES, to_scaled
from market.models import Product
from trading.book import AccountRow, Record
from trading.entries import entry_text
from trading.tables import Row

OPEN: Row = (None, None, None, None, None, "")
"""The columns of a position from `closed_ms` to `reason` as long as it is open."""


class Rows(NamedTuple):
    """What one record comes to. Of orders, positions and balances: is it new, and its row.

    A new trade's row is whole, another one's ends with what changes; a balance's is always whole.
    """

    journal: Row
    events: list[Row]
    ledger: list[Row]
    orders: list[tuple[bool, Row]]
    positions: list[tuple[bool, Row]]
    balances: list[tuple[bool, Row]]


def rows_of(record: Record, products: Mapping[str, int], stored_id: Callable[[str], str]) -> Rows:
    """Return a record's rows. `products`: name -> key; `stored_id` spells an id as the database does."""
    drawn = _Drawing(record, products, stored_id)
    return Rows(_journal_row(record), drawn.events(), drawn.ledger, drawn.orders(), drawn.positions(), drawn.balances())


def packed(rows: Rows) -> bytes:
    """Return a record's rows as the journal's process reads them."""
    return marshal.dumps(tuple(rows))


def rows_to_write(records: Iterable[Record]) -> list[Rows]:
    """Return the rows of those records that leave any, with the products' keys as they are stored now."""
    products = dict(Product.objects.values_list("name", "pk"))
    stored_id = STORED_ID[connection.vendor]
    return [rows_of(record, products, stored_id) for record in records if record.serial]


class _Drawing:
    """A record's events, gone through once: of a trade only what it is in the end becomes a row."""

    def __init__(self, record: Record, products: Mapping[str, int], stored_id: Callable[[str], str]) -> None:
        self.ledger: list[Row] = []
        self._record = record
        self._serial, self._time_ms = record.serial, record.outcome.entry.time_ms
        self._products, self._id = products, stored_id
        self._orders: dict[str, tuple[Order, str, int | None]] = {}
        self._positions: dict[str, tuple[Position, str, Row]] = {}
        # Those that are new; of a position, which part of another one it is, or 0.
        self._new_orders: set[str] = set()
        self._new_positions: dict[str, int] = {}
        self._updated: set[str] = set()
        self._opened: set[AccountId] = set()
        ledger_serial = record.ledger_serial
        for event in record.outcome.events:
            if type(event) is MoneyMoved:
                self.ledger.append(self._ledger_row(event, ledger_serial))
                ledger_serial += 1
            elif (draw := _DRAW.get(type(event))) is not None:
                draw(self, event)

    def events(self) -> list[Row]:
        serial, time_ms = self._serial, self._time_ms
        return [
            (told.account.user_id, told.account.environment, told.offset, serial, time_ms, told.name, told.data)
            for told in self._record.log
        ]

    def orders(self) -> list[tuple[bool, Row]]:
        rows = []
        for identifier, (order, status, ended_ms) in self._orders.items():
            row: Row = (self._id(identifier), self._serial, status, ended_ms)
            new = identifier in self._new_orders
            if new:
                row = (*row, *_asked(order), *self._fixed(order), order.valid_until_ms)
            elif identifier in self._updated:
                row = (*row, *_asked(order))
            rows.append((new, row))
        return rows

    def positions(self) -> list[tuple[bool, Row]]:
        rows = []
        for identifier, (position, status, ending) in self._positions.items():
            row: Row = (self._id(identifier), self._serial, status, *ending)
            part = self._new_positions.get(identifier)
            if part is not None:
                parent = self._id(position.parent_id) or None
                row = (*row, *_asked(position), *self._fixed(position), position.opened_ms, parent, part)
            elif identifier in self._updated:
                row = (*row, *_asked(position))
            rows.append((part is not None, row))
        return rows

    def balances(self) -> list[tuple[bool, Row]]:
        accounts = self._record.accounts.items()
        return [(account in self._opened, _balance_row(account, row)) for account, row in accounts]

    def _order_placed(self, event: OrderPlaced) -> None:
        self._new_orders.add(event.order.id)
        self._orders[event.order.id] = (event.order, "open", None)

    def _order_updated(self, event: OrderUpdated) -> None:
        self._updated.add(event.order.id)
        self._orders[event.order.id] = (event.order, "open", None)

    def _order_activated(self, event: OrderActivated) -> None:
        self._orders[event.order.id] = (event.order, "activated", self._time_ms)

    def _order_cancelled(self, event: OrderCancelled) -> None:
        self._orders[event.order.id] = (event.order, "cancelled", self._time_ms)

    def _position_opened(self, event: PositionOpened) -> None:
        self._new_positions[event.position.id] = 0
        self._positions[event.position.id] = (event.position, "open", OPEN)

    def _position_updated(self, event: PositionUpdated) -> None:
        self._updated.add(event.position.id)
        self._positions[event.position.id] = (event.position, "open", OPEN)

    def _position_closed(self, event: PositionClosed) -> None:
        self._positions[event.position.id] = (event.position, "closed", _ending(event.closing))

    def _position_split(self, event: PositionSplit) -> None:
        self._positions[event.parent.id] = (event.parent, "split", (self._time_ms, *OPEN[1:]))
        for number, part in enumerate((event.first, event.second), 1):
            self._new_positions[part.id] = number
            self._positions[part.id] = (part, "open", OPEN)

    def _account_opened(self, event: AccountOpened) -> None:
        self._opened.add(event.account)

    def _fixed(self, trade: Order) -> Row:
        environment, user = trade.account
        return (
            user, environment, self._products[trade.product], trade.side, trade.kind, trade.amount,
            to_scaled(trade.decay_rate), trade.created_ms, trade.client_order_id, self._serial,
        )  # fmt: skip

    def _ledger_row(self, event: MoneyMoved, ledger_serial: int) -> Row:
        environment, user = event.account
        return (
            ledger_serial, self._serial, self._time_ms, CURRENCY, event.kind, event.source, event.target,
            to_scaled(event.amount, MONEY_PLACES), self._id(event.reference) or None, user, environment,
        )  # fmt: skip


_DRAW: Mapping[type[Event], Callable[[_Drawing, Any], None]] = {
    OrderPlaced: _Drawing._order_placed, OrderUpdated: _Drawing._order_updated,
    OrderActivated: _Drawing._order_activated, OrderCancelled: _Drawing._order_cancelled,
    PositionOpened: _Drawing._position_opened, PositionUpdated: _Drawing._position_updated,
    PositionClosed: _Drawing._position_closed, PositionSplit: _Drawing._position_split,
    AccountOpened: _Drawing._account_opened,
}  # fmt: skip
"""Money has rows of its own; of the rest nothing is kept."""


def _asked(trade: Order) -> Row:
    take_profit, stop_loss = trade.take_profit, trade.stop_loss
    return (
        to_scaled(trade.price), to_scaled(trade.leverage), to_scaled(trade.margin, MONEY_PLACES),
        to_scaled(trade.liquidation_price),
        None if take_profit is None else to_scaled(take_profit),
        None if stop_loss is None else to_scaled(stop_loss),
        price_places(trade), trade.updated_ms,
    )  # fmt: skip


def price_places(trade: Order) -> int:
    """Return how many decimal places a trade's prices have, a digit each: they go out again with just these."""
    places = first = _places(trade.price)
    for price in (trade.liquidation_price, trade.take_profit, trade.stop_loss):
        # Mostly all have the product's digits, and to ask for that is quicker.
        alike = price is not None and price.same_quantum(trade.price)
        places = places * 10 + (first if alike else 0 if price is None else _places(price))
    return places


def _places(price: Decimal) -> int:
    places = -price.as_tuple().exponent  # type: ignore[operator]  # a price is finite
    if not 0 <= places <= 9:
        raise ValueError(f"no price has such decimal places: {price}")
    return places


def _ending(closing: Closing) -> Row:
    return (
        closing.time_ms, to_scaled(closing.price), to_scaled(closing.pnl, MONEY_PLACES),
        to_scaled(closing.pnl_percent, 4), to_scaled(closing.decay, MONEY_PLACES), closing.reason,
    )  # fmt: skip


def _journal_row(record: Record) -> Row:
    entry, answer = record.outcome.entry, record.answer
    command = entry.command
    environment, user = ("", None) if isinstance(command, SetTerms) else command.account
    name = command.client_order_id if isinstance(command, PlaceOrder) else ""
    return (
        record.serial, user, environment, KINDS[type(command)], entry.time_ms, entry_text(entry), name or None,
        answer.code, answer.words,
    )  # fmt: skip


def _balance_row(account: AccountId, row: AccountRow) -> Row:
    cash, margin = to_scaled(row.cash, MONEY_PLACES), to_scaled(row.margin, MONEY_PLACES)
    return (account.user_id, account.environment, CURRENCY, cash, margin, row.offset)


def _dashed(identifier: str) -> str:
    return identifier


def _undashed(identifier: str) -> str:
    return identifier.replace("-", "")


STORED_ID: Mapping[str, Callable[[str], str]] = {"postgresql": _dashed, "sqlite": _undashed}
"""How each database spells an id."""
