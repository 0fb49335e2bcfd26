"""Does deciding again give the same? Every input of the journal, from nothing, compared with all that is stored.

Same answers, same bytes of events, same ledger entries, same orders, positions and balances: whatever the process, the
hash seed and the time zone. What is in memory meanwhile is the engine's state, and a part of the rows at a time.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping

from django.db import connection

from market.models import Product
from trading.batch import Batch
from trading.book import Book, Record
from trading.entries import entry_read
from trading.ledger import MAX_PROBLEMS, Progress
from trading.rows import STORED_ID, rows_of
from trading.snapshot import Snapshot, rows, snapshot
from trading.tables import BALANCES, EVENTS, JOURNAL, LEDGER, ORDERS, POSITIONS, Row, Table

PART_ENTRIES = 1_000


def replay_journal(progress: Progress = lambda _done, _total: None) -> list[str]:
    """Return in words what comes out differently; an empty list is the good answer. As of one moment."""
    with snapshot() as stored:
        return list(itertools.islice(_Replay(stored).differences(progress), MAX_PROBLEMS))


class _Replay:
    def __init__(self, stored: Snapshot) -> None:
        self._journal = stored.stream(_select(JOURNAL, "ORDER BY serial"))
        self._book = Book()
        self._products = dict(Product.objects.values_list("name", "pk"))
        self._events = _Queue(stored, EVENTS, "journal_serial, id")
        self._ledger = _Queue(stored, LEDGER, "serial")
        self._trades = (_Trades(ORDERS), _Trades(POSITIONS))
        self._balances: dict[Row, Row] = {}

    def differences(self, progress: Progress) -> Iterator[str]:
        [(total,)] = rows("SELECT COUNT(*) FROM trading_journalentry")
        done = 0
        while part := list(itertools.islice(self._journal, PART_ENTRIES)):
            try:
                records = [self._book.handle(entry_read(row[_ENTRY])) for row in part]
            except Exception as error:  # whatever an input that was changed leads to
                yield f"journal entries {part[0][0]} to {part[-1][0]} cannot be decided again: {error!r}"
                return
            yield from self._part(part, [record for record in records if record.serial])
            done += len(part)
            progress(done, total)
        yield from self._events.left()
        yield from self._ledger.left()
        for trades in self._trades:
            yield from trades.finish()
        yield from _compared(BALANCES, self._balances.values(), rows(_select(BALANCES, "")))

    def _part(self, part: list[Row], records: list[Record]) -> Iterator[str]:
        """Compare what came of some entries with what is stored."""
        stored_id = STORED_ID[connection.vendor]
        batch = Batch(rows_of(record, self._products, stored_id) for record in records)
        yield from _compared(JOURNAL, map(_without_entry, batch.journal), map(_without_entry, part))
        until = part[-1][0]
        yield from self._events.compare(batch.events, until)
        yield from self._ledger.compare(batch.ledger, until)
        for trades, changed in zip(self._trades, (batch.orders, batch.positions), strict=True):
            yield from trades.compare(changed)
        self._balances |= batch.balances


class _Queue:
    """A table that only grows, read along with the journal."""

    def __init__(self, stored: Snapshot, table: Table, order: str) -> None:
        self._table = table
        self._at = list(table.columns).index("journal_serial")
        self._rows = stored.stream(_select(table, f"ORDER BY {order}"))
        self._next = next(self._rows, None)

    def compare(self, expected: list[Row], until: int) -> Iterator[str]:
        """Compare the rows that came of the journal's entries up to one with what is expected of them."""
        stored = []
        while self._next is not None and self._next[self._at] <= until:
            stored.append(self._next)
            self._next = next(self._rows, None)
        return _compared(self._table, expected, stored)

    def left(self) -> Iterator[str]:
        return _compared(
            self._table, [], self._rows if self._next is None else itertools.chain([self._next], self._rows)
        )


class _Trades:
    """Orders or positions: compared when they have ended, the open ones at the end."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._status = list(table.columns).index("status")
        self._open: dict[Row, Row] = {}
        self._count = 0

    def compare(self, changed: Mapping[Row, Row]) -> Iterator[str]:
        ended = []
        for key, row in changed.items():
            before = self._open.pop(key, None)
            self._count += before is None
            after = self._table.changed(before, row)
            if row[self._status] == "open":
                self._open[key] = after
            else:
                ended.append(after)
        return self._compared(ended)

    def finish(self) -> Iterator[str]:
        yield from self._compared(list(self._open.values()))
        [(count,)] = rows(f"SELECT COUNT(*) FROM {self._table.name}")  # noqa: S608  # our own name
        if count != self._count:
            yield f"{self._table.name} has {count} rows, and {self._count} came of the journal"

    def _compared(self, expected: list[Row]) -> Iterator[str]:
        for at in range(0, len(expected), PART_ENTRIES):
            part = expected[at : at + PART_ENTRIES]
            places = ", ".join(["%s"] * len(part))
            stored = rows(_select(self._table, f"WHERE id IN ({places})"), *(row[0] for row in part))
            yield from _compared(self._table, part, stored)


_ENTRY = list(JOURNAL.columns).index("entry")


def _without_entry(row: Row) -> Row:
    """Return a journal entry without its text: an old one may lack a field that was added since."""
    return row[:_ENTRY] + row[_ENTRY + 1 :]


def _compared(table: Table, expected: Iterable[Row], stored: Iterable[Row]) -> Iterator[str]:
    """Yield where rows differ; a table's own order does not matter, its first columns say which row is which."""
    wanted, found = ({row[: table.key]: row for row in some} for some in (expected, stored))
    for key in sorted(wanted.keys() | found.keys(), key=str):
        if wanted.get(key) != found.get(key):
            yield f"{table.name} {key}: {found.get(key)} is stored, and {wanted.get(key)} comes of the journal"


def _select(table: Table, rest: str) -> str:
    as_text = "::text" if connection.vendor == "postgresql" else ""
    columns = (f'"{name}"{as_text if kind == "uuid" else ""}' for name, kind in table.columns.items())
    return f"SELECT {', '.join(columns)} FROM {table.name} {rest}"  # noqa: S608  # our own names
