"""Do an account's balance, ledger entries, events and trades agree? Each is added up anew from the one before.

The laws' numbers are those of the trading rules, "Ledger".
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from engine.events import BalanceChanged, Closing, LedgerAccount, MovementKind, Position
from engine.values import AccountId
from engine.wire import CURRENCY, event_data, trade_object
from trading.lives import Flow, Life, Lives
from trading.rows import price_places
from trading.snapshot import rows
from trading.tables import Row
from trading.trades import (
    CHANGED,
    ENDED,
    ENDING,
    MADE,
    PART,
    PRICE_PLACES,
    STATUS,
    closing_of,
    dashed,
    id_column,
    money,
    orders_sql,
    positions_sql,
    trade_of,
)

_OF_ACCOUNT = "user_id = %s AND environment = %s"
_BALANCES = "SELECT currency, cash, margin, log_offset FROM trading_balance WHERE user_id = %s AND environment = %s"
_EVENTS = """SELECT "offset", journal_serial, time_ms, name, data FROM trading_accountevent
WHERE user_id = %s AND environment = %s ORDER BY "offset" """
_ENTRIES = """SELECT serial, journal_serial, currency, kind, source, target, amount, {reference}
FROM trading_ledgerentry WHERE user_id = %s AND environment = %s ORDER BY serial"""

WAYS: Mapping[MovementKind, Sequence[tuple[LedgerAccount, LedgerAccount]]] = {
    "opening": [("external", "user.cash")],
    "deposit": [("external", "user.cash")],
    "withdrawal": [("user.cash", "external")],
    "reset": [("external", "user.cash"), ("user.cash", "external")],
    "margin": [("user.cash", "user.margin")],
    "release": [("user.margin", "user.cash")],
    "profit": [("house.pnl", "user.margin")],
    "loss": [("user.margin", "house.pnl")],
    "decay": [("user.margin", "house.decay")],
    "shortfall": [("house.insurance", "house.pnl"), ("house.insurance", "house.decay")],
}
"""From where to where money goes by a movement of a kind."""

NOT_ENDED = (None, None, None, None, "")

OF_NO_TRADE = ("opening", "deposit", "withdrawal", "reset")


def account_problems(account: AccountId, products: Mapping[int, str]) -> list[str]:
    """Return in words what does not agree; `products`: key -> name."""
    audit = _Audit(account)
    audit.add_up()
    audit.compare(orders_sql(_OF_ACCOUNT), audit.lives.orders, "order", products)
    audit.compare(positions_sql(_OF_ACCOUNT), audit.lives.positions, "position", products)
    audit.check_balance()
    return audit.wrong


class _Audit:
    """One account. `cash` and `margin` are satoshis by the ledger; `locked` is what open trades hold."""

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self.wrong: list[str] = []
        self.lives = Lives()
        self.cash = self.margin = self.locked = 0
        self.offset = 0
        self._moved: Flow = Counter()
        self._owner = (account.user_id, account.environment)

    def add_up(self) -> None:
        """Walk through events and ledger entries, side by side, in the order of the journal (laws 1, 2, 3, 4, 7)."""
        entries = rows(_ENTRIES.format(reference=id_column("reference")), *self._owner)
        at = 0
        for offset, serial, time_ms, name, data in rows(_EVENTS, *self._owner):
            self.offset += 1
            if offset != self.offset:
                self.wrong.append(f"event {offset} stands where {self.offset} should")
            while at < len(entries) and entries[at][1] <= serial:
                self._move(entries[at])
                at += 1
            if name == "balance" and data != event_data(BalanceChanged(self.account, money(self.cash))):
                self.wrong.append(f"event {offset} tells another balance than the ledger has")
            self.lives.add(serial, time_ms, name, data)
        for entry in entries[at:]:
            self._move(entry)
        self.lives.finish()
        self.wrong += self.lives.wrong
        self.wrong += self._flow_problems()

    def _move(self, entry: Row) -> None:
        serial, journal_serial, currency, kind, source, target, amount, reference = entry
        if (source, target) not in WAYS.get(kind, ()) or currency != CURRENCY or amount <= 0:
            self.wrong.append(f"ledger entry {serial} is no movement: {kind} of {amount} from {source} to {target}")
        if (kind in OF_NO_TRADE) != (reference is None):
            self.wrong.append(f"ledger entry {serial} refers to the wrong thing")
        for place, change in ((source, -amount), (target, amount)):
            self.cash += change if place == "user.cash" else 0
            self.margin += change if place == "user.margin" else 0
            if reference is not None:
                self._moved[journal_serial, dashed(reference), place] += change
        if self.cash < 0 or self.margin < 0:
            self.wrong.append(f"ledger entry {serial} takes more than there is")

    def _flow_problems(self) -> Iterator[str]:
        for key in self._moved.keys() | self.lives.expected.keys():
            serial, identifier, place = key
            moved, expected = self._moved[key], self.lives.expected[key]
            if moved != expected:
                came = f"{money(moved)} came to {place} for {identifier}"
                yield f"journal entry {serial}: {came}, and not {money(expected)}"

    def compare(self, sql: str, lives: dict[str, Life], what: str, products: Mapping[int, str]) -> None:
        """Compare the rows of orders or positions with what was told of them (law 3)."""
        for row in rows(sql, *self._owner):
            trade = trade_of(row, products)
            life = lives.pop(trade.id, None)
            if life is None:
                self.wrong.append(f"{what} {trade.id} is in no event")
                continue
            told = Life(
                row[STATUS], trade_object(trade, _closing(row, life)), row[MADE], row[CHANGED],
                trade.parent_id if isinstance(trade, Position) else "", row[PART], row[ENDED],
            )  # fmt: skip
            as_told = told == life and row[PRICE_PLACES] == price_places(trade)
            if not as_told or (isinstance(trade, Position) and row[STATUS] != "closed" and row[ENDING] != NOT_ENDED):
                self.wrong.append(f"{what} {trade.id} is not what its owner was told: {told} and {life}")
            if row[STATUS] == "open":
                self.locked += int(trade.margin.scaleb(8))
        self.wrong += [f"{what} {identifier} has no row" for identifier in lives]

    def check_balance(self) -> None:
        """Compare the balance with the ledger, the open trades and the log (laws 2 and 7)."""
        expected = (CURRENCY, self.cash, self.margin, self.offset)
        stored = rows(_BALANCES, *self._owner)
        if stored != [expected]:
            self.wrong.append(f"the balance is {stored}, and the ledger and the events say {expected}")
        if self.margin != self.locked:
            self.wrong.append(f"{money(self.margin)} is locked, and what is open needs {money(self.locked)}")


def _closing(row: Row, life: Life) -> Closing | None:
    """Return how a position ended; the price with the places that were told, if it is that price."""
    if row[STATUS] != "closed":
        return None
    closing = closing_of(row)
    told = Decimal(json.loads(life.told).get("close_price", "0"))
    return replace(closing, price=told) if closing.price == told else closing
