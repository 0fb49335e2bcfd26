"""How is what the engine has decided kept? A batch of records in one transaction: all of it, or nothing has happened.

Written by hand, for speed: `executemany` on SQLite; on PostgreSQL one pipeline of statements, each with a whole column
as one array. A statement without rows is not sent. Whoever has lost the lease writes nothing: its fence is looked at
inside the transaction.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.database import released
from engine.values import AccountId
from market.models import Product
from trading.batch import BALANCES, EVENTS, JOURNAL, LEDGER, ORDERS, POSITIONS, STORED_ID, Batch, Row, Table
from trading.book import Record
from trading.live import Answer
from trading.models import JournalEntry
from trading.sessions import own_session
from trading.statements import INBOX, LEASE, Statement, on_postgres, on_sqlite

SESSION = "tickwire-journal"
"""The name of the journal's sessions on PostgreSQL, by which whoever takes over the lease ends those of before."""

_PLANS = {
    "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}  # fmt: skip
"""Plans are made once, on tables that may be empty then and are large later: they always go by the index."""

Inbox = Sequence[tuple[int, Answer]]
"""Administrators' rows that are answered with a batch, by key."""


class Fenced(Exception):
    """Another engine holds the lease now; nothing was written."""


class ClientIdsTaken(Exception):
    """Orders of the batch had been answered before, longer ago than the memory goes; nothing was written.

    `taken`: their accounts and `client_order_id`s.
    """

    def __init__(self, taken: Sequence[tuple[AccountId, str]]) -> None:
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
        self._session: psycopg.Connection[Any] | None = None
        self._products = _ProductKeys()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def write(self, records: Sequence[Record], fence: int, inbox: Inbox = ()) -> None:
        """Write a batch, and the answers to administrators that go with it.

        Raises `Fenced`, `ClientIdsTaken`, or what the database has to say. Nothing was written then, unless the
        connection was lost during the commit: what is in memory has to be loaded anew.
        """
        batch = Batch(records, self._products, STORED_ID[connection.vendor])
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
        if self._session is None:
            self._session = _connect()
        session = self._session
        changes = []
        with session.pipeline():
            # Shared: whoever takes over the lease waits for this commit, or this waits and sees that it was taken.
            lease = session.execute(f"{LEASE} FOR SHARE", prepare=True)
            for point, statements in _steps(batch, inbox):
                for statement in statements:
                    cursor = session.execute(*on_postgres(statement), prepare=True)
                    if statement.changes:
                        changes.append((cursor, statement))
                at_point(point)
        _check_fence(lease.fetchone(), fence)
        for cursor, statement in changes:
            _check_count(cursor.rowcount, statement)
        at_point("before_commit")
        session.commit()


class _ProductKeys(dict[str, int]):
    """Product's name -> its key; read again when there is a new one."""

    def __missing__(self, name: str) -> int:
        self.update(released(lambda: dict(Product.objects.values_list("name", "pk"))))
        if name not in self:
            raise KeyError(name)
        return self[name]


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
    session.autocommit = False
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
            *_new_and_changed(BALANCES, batch.balances, batch.new_accounts),
            Statement(INBOX, [_inbox_row(*answered) for answered in inbox], changes=True),
        ),
    )


def _filled(*statements: Statement) -> list[Statement]:
    return [statement for statement in statements if statement.rows]


def _new_and_changed(table: Table, rows: Mapping[Any, Row], new: Collection[Any]) -> tuple[Statement, Statement]:
    inserts = [row for key, row in rows.items() if key in new]
    changes = [row for key, row in rows.items() if key not in new]
    return Statement(table, inserts), Statement(table, changes, changes=True)


def _inbox_row(key: int, answer: Answer) -> Row:
    if answer.code:
        return (key, "refused", answer.code, answer.message, timezone.now())
    return (key, "done", "", answer.text, timezone.now())


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
        asked = [(AccountId(row[2], row[1]), row[6]) for row in batch.journal if row[6] is not None]
        taken = [key for key in asked if _is_taken(*key)]
        if taken:
            raise ClientIdsTaken(taken) from error


def _is_taken(account: AccountId, client_order_id: str) -> bool:
    return JournalEntry.objects.filter(
        user_id=account.user_id, environment=account.environment, client_order_id=client_order_id
    ).exists()
