"""What some records in their order come to together: whoever writes them writes each trade and each account once."""

from collections.abc import Iterable
from typing import Any

from trading.tables import BALANCES, ORDERS, POSITIONS, Row, Table


class Batch:
    """The rows of records, each as `rows.Rows` or the plain tuple that `marshal` makes of it.

    `journal`, `events` and `ledger` are only added. Of orders, positions and balances there is one row each: those in
    `new_orders`, `new_positions` and `new_balances` are to be inserted; the others are there, and their rows end with
    what changes. Their keys are as in the rows: of a trade its id, of a balance the account and its currency.
    """

    def __init__(self, records: Iterable[tuple[Any, ...]]) -> None:
        self.journal: list[Row] = []
        self.events: list[Row] = []
        self.ledger: list[Row] = []
        self.orders: dict[Row, Row] = {}
        self.positions: dict[Row, Row] = {}
        self.balances: dict[Row, Row] = {}
        self.new_orders: set[Row] = set()
        self.new_positions: set[Row] = set()
        self.new_balances: set[Row] = set()
        for journal, events, ledger, orders, positions, balances in records:
            self.journal.append(journal)
            self.events += events
            self.ledger += ledger
            _merge(ORDERS, orders, self.orders, self.new_orders)
            _merge(POSITIONS, positions, self.positions, self.new_positions)
            _merge(BALANCES, balances, self.balances, self.new_balances)


def _merge(table: Table, rows: Iterable[tuple[bool, Row]], merged: dict[Row, Row], fresh: set[Row]) -> None:
    for new, row in rows:
        key = row[: table.key]
        if new:
            fresh.add(key)
        merged[key] = table.changed(merged.get(key), row)
