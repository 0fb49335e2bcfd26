"""Do the laws hold over everything that is stored? Journal, events, ledger, trades and balances against each other.

What this cannot see is whether the engine decided rightly: that is `replay.py`.
"""

import itertools
from collections.abc import Callable, Iterator
from operator import itemgetter

from engine.commands import (
    KINDS,
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
    SplitPosition,
    UpdateTrade,
    Withdraw,
)
from engine.refusals import RefusalCode
from engine.values import AccountId
from trading.audit import account_problems
from trading.entries import entry_read
from trading.snapshot import Snapshot, rows, snapshot
from trading.tables import Row
from trading.trades import product_names

MAX_PROBLEMS = 1_000
"""More than anybody reads: something is wrong with all of it then."""

CODES = frozenset(map(str, RefusalCode))

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

_COUNT = "SELECT COUNT(*), COALESCE(MIN(serial), 1), COALESCE(MAX(serial), 0) FROM {table}"
_ACCOUNTS = " UNION ".join(
    f"SELECT environment, user_id FROM trading_{table}"  # noqa: S608  # our own names
    for table in ("balance", "accountevent", "ledgerentry", "order", "position")
)
_STRAYS = """SELECT {key} FROM {table} AS one LEFT JOIN trading_journalentry AS journal
ON journal.serial = one.journal_serial WHERE journal.serial IS NULL OR journal.user_id IS NULL
OR journal.user_id <> one.user_id OR journal.environment <> one.environment OR journal.time_ms <> one.time_ms"""
_JOURNAL = """SELECT journal.serial, kind, journal.time_ms, journal.user_id, journal.environment, entry,
client_order_id, code, answer, data FROM trading_journalentry AS journal
LEFT JOIN trading_accountevent AS event ON event.journal_serial = journal.serial
ORDER BY journal.serial, event."offset" """
_HOUSE = """SELECT environment, SUM(CASE WHEN target = {place} THEN amount ELSE 0 END)
- SUM(CASE WHEN source = {place} THEN amount ELSE 0 END) FROM trading_ledgerentry GROUP BY environment"""
_CLOSED = "SELECT environment, SUM({column}) FROM trading_position WHERE status = 'closed' GROUP BY environment"


def verify_ledger(progress: Progress = lambda _done, _total: None) -> list[str]:
    """Return every law that is broken, in words; an empty list is the good answer. As of one moment.

    `progress` counts journal entries, then accounts.
    """
    with snapshot() as stored:
        return list(itertools.islice(_problems(stored, progress), MAX_PROBLEMS))


def _problems(stored: Snapshot, progress: Progress) -> Iterator[str]:
    accounts = [AccountId(*row) for row in rows(f"{_ACCOUNTS} ORDER BY 1, 2")]
    [(entries, _, _)] = rows(_COUNT.format(table="trading_journalentry"))
    total = entries + len(accounts)
    yield from _gaps("trading_journalentry", "journal entry")
    yield from _gaps("trading_ledgerentry", "ledger entry")
    yield from _strays(stored)
    yield from _house_problems()
    for done, (serial, group) in enumerate(itertools.groupby(stored.stream(_JOURNAL), itemgetter(0)), 1):
        yield from (f"journal entry {serial}: {problem}" for problem in _entry_problems(list(group)))
        progress(done, total)
    products = product_names()
    for done, account in enumerate(accounts, entries + 1):
        whose = f"{account.environment} account of user {account.user_id}"
        yield from (f"{whose}: {problem}" for problem in account_problems(account, products))
        progress(done, total)


def _gaps(table: str, what: str) -> Iterator[str]:
    """Serials are 1, 2, 3, …: nothing is missing."""
    [(count, first, last)] = rows(_COUNT.format(table=table))
    if first != 1 or last != count:
        yield f"there are {count} rows of {what}, from {first} to {last}"


def _strays(stored: Snapshot) -> Iterator[str]:
    """What came of a journal entry is of its account and its time: environments never mix (law 1)."""
    for table, key in (("trading_accountevent", "id"), ("trading_ledgerentry", "one.serial")):
        for (number,) in stored.stream(_STRAYS.format(table=table, key=f"one.{key}" if key == "id" else key)):
            yield f"{table} {number} is not of the journal entry that it names"


def _house_problems() -> Iterator[str]:
    """What users gained the house lost, and what they paid for holding it has (law 4)."""
    for place, column, sign in (("house.pnl", "pnl", -1), ("house.decay", "decay", 1)):
        held = {environment: int(total) for environment, total in rows(_HOUSE.format(place=f"'{place}'"))}
        closed = {environment: sign * int(total) for environment, total in rows(_CLOSED.format(column=column))}
        for environment in sorted(held | closed):
            if held.get(environment, 0) != closed.get(environment, 0):
                yield f"{environment}: {place} is not what closed positions came to"


def _entry_problems(group: list[Row]) -> Iterator[str]:
    """Return what does not agree within a journal entry, and with the events that came of it."""
    _, kind, time_ms, user, environment, text, client_order_id, code, answer, _ = group[0]
    told = [row[-1] for row in group if row[-1] is not None]
    try:
        entry = entry_read(text)
    except ValueError:
        yield "its text is no input"
        return
    command = entry.command
    owner = ("", None) if isinstance(command, SetTerms) else command.account
    name = command.client_order_id if isinstance(command, PlaceOrder) else ""
    if (kind, time_ms, (environment, user), client_order_id) != (
        KINDS[type(command)], entry.time_ms, owner, name or None
    ):  # fmt: skip
        yield "its columns are not those of its text"
    if code:
        if code not in CODES or not name or told:
            yield "it is refused, and should not be here or have come to something"
    elif answer != _answer(command, told):
        yield "it was answered something else than what was told"


def _answer(command: Command, told: list[str]) -> str:
    """Return what an asker has to have been answered, by what the owner was told."""
    match command:
        case PlaceOrder() | UpdateTrade() | ClosePosition():
            return told[0] if told else "an event"
        case CancelOrder(id=identifier):
            return f'{{"id":"{identifier}"}}'
        case SplitPosition():
            return f'{{"success":true,"data":{told[0] if told else "an event"}}}'
        case OpenAccount() | Deposit() | Withdraw() | ResetAccount():
            return told[-1] if told else "a balance"
        case _:
            return ""
