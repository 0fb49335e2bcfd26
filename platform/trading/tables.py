"""The tables that the engine's journal writes, as the database has them. Models are not needed: nor is all of Django.

A row is a tuple of what the database holds: scaled integers, ids as it writes them, None for NULL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

INBOX = Table("trading_inboxcommand", {
    "id": "bigint", "status": "text", "code": "text", "answer": "text", "done_at": "timestamptz",
}, changing=4)  # fmt: skip
"""An administrator's row, answered."""

LEASE_TABLE = "trading_enginelease"
"""It has one row, 1."""

LEASE = f"SELECT fence FROM {LEASE_TABLE} WHERE id = 1"  # noqa: S608  # our own name
