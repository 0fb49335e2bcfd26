"""How is what the engine has decided kept? A batch of records in one transaction: all of it, or nothing has happened.

Written by hand, for speed: `executemany` on SQLite; on PostgreSQL one pipeline of statements, each with a whole column
as one array. A statement without rows is not sent. Whoever has lost the lease writes nothing: its fence is looked at
inside the transaction.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.database import released
from trading.batch import Batch
from trading.pipeline import Pipeline, demanding
from trading.sessions import own_session
from trading.statements import Statement, on_postgres, on_sqlite
from trading.tables import BALANCES, EVENTS, INBOX, JOURNAL, LEASE, LEASE_TABLE, LEDGER, ORDERS, POSITIONS, Row, Table

SESSION = "tickwire-journal"
"""The name of the journal's sessions on PostgreSQL, by which whoever takes over the lease ends those of before."""

_PLANS = {
    "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}  # fmt: skip
"""Plans are made once, on tables that may be empty then and are large later: they always go by the index."""

_CLIENT_ID_NAMES = ("user_id", "environment", "client_order_id")
_CLIENT_ID = [list(JOURNAL.columns).index(name) for name in _CLIENT_ID_NAMES]
"""Where a row of the journal says whose order it is."""

# Shared: whoever takes over the lease waits for this commit, or this waits and sees that it was taken.
_LEASE_HELD = demanding(
    "count(*) = 1", "'leases with this fence: ' || count(*)",
    f"(SELECT 1 FROM {LEASE_TABLE} WHERE id = 1 AND fence = $1::bigint FOR SHARE) AS lease",  # noqa: S608  # our own name
)  # fmt: skip

Inbox = Sequence[tuple[int, str, str]]
"""Administrators' rows that are answered with a batch: the key, an error's code or none, and the words."""


class Fenced(Exception):
    """Another engine holds the lease now; nothing was written."""


class ClientIdsTaken(Exception):
    """Orders of the batch had been answered before, longer ago than the memory goes; nothing was written.

    `taken`: user, environment and `client_order_id` of each.
    """

    def __init__(self, taken: Sequence[Row]) -> None:
        super().__init__(f"{len(taken)} orders of the batch had been answered before")
        self.taken = taken


def _nothing(_point: str) -> None:
    pass


at_point: Callable[[str], None] = _nothing
"""Called at each named point of a transaction; crash trials put something here that kills the process."""


class Journal:
    """Writes batches, one at a time, from one thread. On PostgreSQL it has a session of its own: close it.

    Django's connections are not for this: they prepare no statements, and the pool's dozen are for requests.
    """

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.close()

    def write(self, records: Iterable[tuple[Any, ...]], fence: int, inbox: Inbox = ()) -> None:
        """Write a batch (the rows of each record, `rows.Rows`), and the answers to administrators that go with it.

        Raises `Fenced`, `ClientIdsTaken`, or what the database has to say. Nothing was written then, unless the
        connection was lost during the commit: what is in memory has to be loaded anew.
        """
        batch = Batch(records)
        at_point("before_begin")
        try:
            if connection.vendor == "postgresql":
                with connection.wrap_database_errors:
                    self._write_postgres(batch, fence, inbox)
            else:
                _write_sqlite(batch, fence, inbox)
        except BaseException as error:
            self.close()
            if isinstance(error, DatabaseError):
                released(partial(_explain, error, batch, fence))
            raise
        at_point("after_commit")

    def _write_postgres(self, batch: Batch, fence: int, inbox: Inbox) -> None:
        if self._pipeline is None:
            self._pipeline = Pipeline(_connect())
        pipeline = self._pipeline
        pipeline.begin()
        pipeline.send(_LEASE_HELD, [str(fence)])
        for point, statements in _steps(batch, inbox):
            for statement in statements:
                pipeline.send(*on_postgres(statement))
            pipeline.flush()
            at_point(point)
        at_point("before_commit")
        pipeline.commit()


def _write_sqlite(batch: Batch, fence: int, inbox: Inbox) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LEASE)
        _check_fence(cursor.fetchone(), fence)
        for point, statements in _steps(batch, inbox):
            for statement in statements:
                cursor.executemany(*on_sqlite(statement))
                if statement.changes:
                    _check_count(cursor.rowcount, statement)
            at_point(point)
        at_point("before_commit")


def _connect() -> psycopg.Connection[Any]:
    session = own_session(SESSION)
    for name, value in _PLANS.items():
        session.execute("SELECT set_config(%s, %s, false)", (name, value))
    return session


def _steps(batch: Batch, inbox: Inbox) -> Iterator[tuple[str, list[Statement]]]:
    """Yield what is to be written, none of it empty, and the point that is come to with it."""
    yield "after_journal", _filled(Statement(JOURNAL, batch.journal))
    yield "after_events", _filled(Statement(EVENTS, batch.events))
    yield (
        "after_rows",
        _filled(
            *_new_and_changed(ORDERS, batch.orders, batch.new_orders),
            *_new_and_changed(POSITIONS, batch.positions, batch.new_positions),
            Statement(LEDGER, batch.ledger),
            *_new_and_changed(BALANCES, batch.balances, batch.new_balances),
            Statement(INBOX, [_inbox_row(*answered) for answered in inbox], changes=True),
        ),
    )


def _filled(*statements: Statement) -> list[Statement]:
    return [statement for statement in statements if statement.rows]


def _new_and_changed(table: Table, rows: Mapping[Any, Row], new: Collection[Any]) -> Iterator[Statement]:
    yield Statement(table, [row for key, row in rows.items() if key in new])
    changes: dict[int, list[Row]] = {}
    for key, row in rows.items():
        if key not in new:
            changes.setdefault(len(row), []).append(row)
    for alike in changes.values():
        yield Statement(table, alike, changes=True)


def _inbox_row(key: int, code: str, words: str) -> Row:
    return (key, "refused" if code else "done", code, words, timezone.now())


def _check_fence(found: Row | None, fence: int) -> None:
    if found != (fence,):
        raise Fenced


def _check_count(changed: int, statement: Statement) -> None:
    if changed != len(statement.rows):
        raise RuntimeError(f"{statement.table.name}: {len(statement.rows)} rows to change, {changed} are there")


def _explain(error: DatabaseError, batch: Batch, fence: int) -> None:
    """Raise what it means that the database refuses a batch, if it is one of the two things that may happen."""
    with connection.cursor() as cursor:
        cursor.execute(LEASE)
        if cursor.fetchone() != (fence,):
            raise Fenced from error
    if isinstance(error, IntegrityError):
        asked = [tuple(row[at] for at in _CLIENT_ID) for row in batch.journal]
        taken = [key for key in asked if key[-1] is not None and _is_taken(key)]
        if taken:
            raise ClientIdsTaken(taken) from error


def _is_taken(key: Row) -> bool:
    which = " AND ".join(f"{name} = %s" for name in _CLIENT_ID_NAMES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {JOURNAL.name} WHERE {which} LIMIT 1", key)  # noqa: S608  # our own names
        return cursor.fetchone() is not None
