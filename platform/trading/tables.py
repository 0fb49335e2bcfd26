"""The tables that the engine's journal writes, as the database has them. Models are not needed: nor is all of Django.

A row is a tuple of what the database holds: scaled integers, ids as it writes them, None for NULL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns and their PostgreSQL types: the first `key` say which row.

    A change is the beginning of a row, as far as it goes; what changes most often stands first.
    """

    name: str
    columns: Mapping[str, str]
    key: int = 1

    @staticmethod
    def changed(before: Row | None, after: Row) -> Row:
        """Return a row after a change: what that does not reach is as it was."""
        return after if before is None else after + before[len(after) :]


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
}, key=3)  # fmt: skip
_STATUS = {"changed_serial": "bigint", "status": "text"}
_ASKED = {
    "price": "bigint", "leverage": "bigint", "margin": "bigint", "liquidation_price": "bigint",
    "take_profit": "bigint", "stop_loss": "bigint", "price_places": "smallint", "updated_ms": "bigint",
}  # fmt: skip
"""What an update may change; an end does not."""
_FIXED = {
    "user_id": "bigint", "environment": "text", "product_id": "bigint", "side": "text", "kind": "text",
    "amount": "bigint", "decay_rate": "bigint", "created_ms": "bigint", "client_order_id": "text",
    "made_serial": "bigint",
}  # fmt: skip
ORDERS = Table("trading_order", {
    "id": "uuid", **_STATUS, "ended_ms": "bigint", **_ASKED, **_FIXED, "valid_until_ms": "bigint",
})  # fmt: skip
POSITIONS = Table("trading_position", {
    "id": "uuid", **_STATUS, "closed_ms": "bigint", "close_price": "bigint", "pnl": "bigint",
    "pnl_percent": "bigint", "decay": "bigint", "reason": "text",
    **_ASKED, **_FIXED, "opened_ms": "bigint", "parent_id": "uuid", "part": "smallint",
})  # fmt: skip

INBOX = Table("trading_inboxcommand", {
    "id": "bigint", "status": "text", "code": "text", "answer": "text", "done_at": "timestamptz",
})  # fmt: skip
"""An administrator's row, answered."""

LEASE_TABLE = "trading_enginelease"
"""It has one row, 1."""

LEASE = f"SELECT fence FROM {LEASE_TABLE} WHERE id = 1"  # noqa: S608  # our own name
