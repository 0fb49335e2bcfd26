"""The engine's state with its counters: an input becomes a record, complete for the journal and for the answer.

No I/O: `runner.py` keeps one, `replay.py` makes one from nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from engine.answers import answer_of
from engine.commands import Input
from engine.decide import Outcome, handle
from engine.events import (
    WIRE_NAMES,
    BalanceChanged,
    Event,
    MoneyMoved,
    OrderActivated,
    OrderCancelled,
    OrderPlaced,
    OrderUpdated,
    PositionClosed,
    PositionOpened,
    PositionSplit,
    PositionUpdated,
)
from engine.state import State
from engine.values import AccountId
from engine.wire import event_data
from trading.live import Answer


class LoggedEvent(NamedTuple):
    """An event of an account's log. `name` is the live one (`order:new`), `data` its JSON text."""

    account: AccountId
    offset: int
    name: str
    data: str


class AccountRow(NamedTuple):
    """An account's money and newest offset after a command."""

    cash: Decimal
    margin: Decimal
    offset: int


class Record(NamedTuple):
    """What one input came to. `serial` is 0 where nothing is to be kept: the answer may be given at once.

    The outcome's movements have the ledger's serials from `ledger_serial` on. `accounts` are those that it touched.
    """

    serial: int
    outcome: Outcome
    answer: Answer
    log: tuple[LoggedEvent, ...]
    accounts: Mapping[AccountId, AccountRow]
    ledger_serial: int


@dataclass(slots=True)
class Book:
    """`serial` and `ledger_serial` are the last ones given; `offsets`: account -> newest offset of its log."""

    state: State = field(default_factory=State)
    offsets: dict[AccountId, int] = field(default_factory=dict)
    serial: int = 0
    ledger_serial: int = 0

    def handle(self, entry: Input) -> Record:
        """Decide an input, change the state by it, and return what is to be written and said."""
        outcome = handle(self.state, entry)
        if not outcome.events:
            return Record(0, outcome, self._answer(outcome, ()), (), {}, 0)
        log = tuple([self._logged(event) for event in outcome.events if type(event) in WIRE_NAMES])
        self.serial += 1
        ledger_serial = self.ledger_serial + 1
        self.ledger_serial += sum([type(event) is MoneyMoved for event in outcome.events])
        return Record(self.serial, outcome, self._answer(outcome, log), log, self._touched(log), ledger_serial)

    def _answer(self, outcome: Outcome, log: tuple[LoggedEvent, ...]) -> Answer:
        refusal = outcome.refusal
        if refusal is not None:
            return Answer(code=str(refusal.code), message=refusal.message)
        return Answer(answer_of(self.state, outcome, [event.data for event in log]))

    def _logged(self, event: Event) -> LoggedEvent:
        account = OWNERS[type(event)](event)
        offset = self.offsets[account] = self.offsets.get(account, 0) + 1
        return LoggedEvent(account, offset, WIRE_NAMES[type(event)], event_data(event))

    def _touched(self, log: tuple[LoggedEvent, ...]) -> dict[AccountId, AccountRow]:
        """Return the accounts as they are now: whatever changes one is told to its owner."""
        rows: dict[AccountId, AccountRow] = {}
        for event in log:
            account = event.account
            if account not in rows:
                owner = self.state.accounts[account]
                rows[account] = AccountRow(owner.cash, owner.margin, self.offsets[account])
        return rows


OWNERS: Mapping[type[Event], Callable[[Any], AccountId]] = {
    BalanceChanged: attrgetter("account"),
    OrderPlaced: attrgetter("order.account"),
    OrderUpdated: attrgetter("order.account"),
    OrderActivated: attrgetter("order.account"),
    OrderCancelled: attrgetter("order.account"),
    PositionOpened: attrgetter("position.account"),
    PositionUpdated: attrgetter("position.account"),
    PositionClosed: attrgetter("position.account"),
    PositionSplit: attrgetter("parent.account"),
}
"""Whose log an event is told in; one for each of `WIRE_NAMES`."""
