"""Which rows do records come to? The journal writes them, a replay compares them with what is stored.

A row is a tuple of what the database holds: scaled integers, ids as it writes them, None for NULL.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

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
from market.fields import MONEY_PLACES, to_scaled
from trading.book import AccountRow, Record
from trading.entries import entry_text
from trading.models import CURRENCY

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns and their PostgreSQL types: the first `key` say which row, the next `changing` may change."""

    name: str
    columns: Mapping[str, str]
    key: int = 1
    changing: int = 0

    def changed(self, before: Row | None, after: Row) -> Row:
        """Return a row after a change: what may not change is as it was."""
        width = self.key + self.changing
        return after if before is None else after[:width] + before[width:]


JOURNAL = Table("trading_journalentry", {
    "serial": "bigint", "user_id": "bigint", "environment": "text", "kind": "text", "time_ms": "bigint",
    "entry": "text", "client_order_id": "text", "code": "text", "answer": "text",
})  # fmt: skip
EVENTS = Table("trading_accountevent", {
    "user_id": "bigint", "environment": "text", "offset": "bigint", "journal_serial": "bigint", "time_ms": "bigint",
    "name": "text", "data": "text",
}, key=3)  # fmt: skip
LEDGER = Table("trading_ledgerentry", {
    "serial": "bigint", "journal_serial": "bigint", "time_ms": "bigint", "currency": "text", "kind": "text",
    "source": "text", "target": "text", "amount": "bigint", "reference": "uuid", "user_id": "bigint",
    "environment": "text",
})  # fmt: skip
BALANCES = Table("trading_balance", {
    "user_id": "bigint", "environment": "text", "currency": "text",
    "cash": "bigint", "margin": "bigint", "log_offset": "bigint",
}, key=3, changing=3)  # fmt: skip
_CHANGING = {
    "price": "bigint", "leverage": "bigint", "margin": "bigint", "liquidation_price": "bigint",
    "take_profit": "bigint", "stop_loss": "bigint", "price_places": "smallint", "updated_ms": "bigint",
    "changed_serial": "bigint", "status": "text",
}  # fmt: skip
_FIXED = {
    "user_id": "bigint", "environment": "text", "product_id": "bigint", "side": "text", "kind": "text",
    "amount": "bigint", "decay_rate": "bigint", "created_ms": "bigint", "client_order_id": "text",
    "made_serial": "bigint",
}  # fmt: skip
ORDERS = Table("trading_order", {
    "id": "uuid", **_CHANGING, "ended_ms": "bigint", **_FIXED, "valid_until_ms": "bigint",
}, changing=len(_CHANGING) + 1)  # fmt: skip
POSITIONS = Table("trading_position", {
    "id": "uuid", **_CHANGING, "closed_ms": "bigint", "close_price": "bigint", "pnl": "bigint",
    "pnl_percent": "bigint", "decay": "bigint", "reason": "text",
    **_FIXED, "opened_ms": "bigint", "parent_id": "uuid", "part": "smallint",
}, changing=len(_CHANGING) + 6)  # fmt: skip

OPEN: Row = (None, None, None, None, None, "")
"""The columns of a position from `closed_ms` to `reason` as long as it is open."""


class Batch:
    """What some records in their order come to: lists of what is only added, one row for each trade and account.

    `new_orders`, `new_positions` and `new_accounts` are to be inserted; the others are there, and their rows end with
    what may change. `products`: name -> key; `stored_id` spells an id as the database does.
    """

    def __init__(self, records: Iterable[Record], products: Mapping[str, int], stored_id: Callable[[str], str]) -> None:
        self.journal: list[Row] = []
        self.events: list[Row] = []
        self.ledger: list[Row] = []
        self.orders: dict[str, Row] = {}
        self.positions: dict[str, Row] = {}
        self.balances: dict[AccountId, Row] = {}
        self.new_orders: set[str] = set()
        self.new_positions: set[str] = set()
        self.new_accounts: set[AccountId] = set()
        self._products = products
        self._id = stored_id
        for record in records:
            self._add(record)

    def _add(self, record: Record) -> None:
        serial, time_ms = record.serial, record.outcome.entry.time_ms
        self.journal.append(_journal_row(record))
        for told in record.log:
            environment, user = told.account
            self.events.append((user, environment, told.offset, serial, time_ms, told.name, told.data))
        ledger_serial = record.ledger_serial
        for event in record.outcome.events:
            if isinstance(event, MoneyMoved):
                self.ledger.append(self._ledger_row(event, ledger_serial, serial, time_ms))
                ledger_serial += 1
            else:
                self._apply(event, serial, time_ms)
        for account, row in record.accounts.items():
            self.balances[account] = _balance_row(account, row)

    def _apply(self, event: Event, serial: int, time_ms: int) -> None:
        match event:
            case OrderPlaced(order):
                self.new_orders.add(order.id)
                self._order(order, serial, "open", None)
            case OrderUpdated(order):
                self._order(order, serial, "open", None)
            case OrderActivated(order):
                self._order(order, serial, "activated", time_ms)
            case OrderCancelled(order):
                self._order(order, serial, "cancelled", time_ms)
            case PositionOpened(position):
                self.new_positions.add(position.id)
                self._position(position, serial, "open", OPEN)
            case PositionUpdated(position):
                self._position(position, serial, "open", OPEN)
            case PositionClosed(position, closing):
                self._position(position, serial, "closed", _ending(closing))
            case PositionSplit(parent, first, second):
                self._position(parent, serial, "split", (time_ms, *OPEN[1:]))
                self.new_positions |= {first.id, second.id}
                self._position(first, serial, "open", OPEN, part=1)
                self._position(second, serial, "open", OPEN, part=2)
            case AccountOpened(account):
                self.new_accounts.add(account)

    def _order(self, order: Order, serial: int, status: str, ended_ms: int | None) -> None:
        row: Row = (self._id(order.id), *_changing(order, serial, status), ended_ms)
        if order.id in self.orders:
            row = ORDERS.changed(self.orders[order.id], row)
        elif order.id in self.new_orders:
            row += (*self._fixed(order, serial), order.valid_until_ms)
        self.orders[order.id] = row

    def _position(self, position: Position, serial: int, status: str, ending: Row, *, part: int = 0) -> None:
        row: Row = (self._id(position.id), *_changing(position, serial, status), *ending)
        if position.id in self.positions:
            row = POSITIONS.changed(self.positions[position.id], row)
        elif position.id in self.new_positions:
            parent = self._id(position.parent_id) or None
            row += (*self._fixed(position, serial), position.opened_ms, parent, part)
        self.positions[position.id] = row

    def _fixed(self, trade: Order, serial: int) -> Row:
        environment, user = trade.account
        return (
            user, environment, self._products[trade.product], trade.side, trade.kind, trade.amount,
            to_scaled(trade.decay_rate), trade.created_ms, trade.client_order_id, serial,
        )  # fmt: skip

    def _ledger_row(self, event: MoneyMoved, ledger_serial: int, serial: int, time_ms: int) -> Row:
        environment, user = event.account
        return (
            ledger_serial, serial, time_ms, CURRENCY, event.kind, event.source, event.target,
            to_scaled(event.amount, MONEY_PLACES), self._id(event.reference) or None, user, environment,
        )  # fmt: skip


def _changing(trade: Order, serial: int, status: str) -> Row:
    take_profit, stop_loss = trade.take_profit, trade.stop_loss
    return (
        to_scaled(trade.price), to_scaled(trade.leverage), to_scaled(trade.margin, MONEY_PLACES),
        to_scaled(trade.liquidation_price),
        None if take_profit is None else to_scaled(take_profit),
        None if stop_loss is None else to_scaled(stop_loss),
        price_places(trade), trade.updated_ms, serial, status,
    )  # fmt: skip


def price_places(trade: Order) -> int:
    """Return how many decimal places a trade's prices have, a digit each: they go out again with just these."""
    places = 0
    for price in (trade.price, trade.liquidation_price, trade.take_profit, trade.stop_loss):
        places = places * 10 + (0 if price is None else _places(price))
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
        answer.code, answer.message if answer.code else answer.text,
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
