"""How is everything read as of one moment, however much it is, while the engine goes on writing?"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import cast

from django.db import connection, transaction

from trading.tables import Row

CHUNK_ROWS = 2_000


class Snapshot:
    """All that is stored, as of one moment."""

    def __init__(self, cursors: ExitStack) -> None:
        self._cursors = cursors

    def stream(self, sql: str) -> Iterator[Row]:
        """Return the rows of a query, of which only a part is held at a time."""
        # Closed at the snapshot's end, also if nobody reads it to its own: left to the garbage collection, a cursor of
        # PostgreSQL may be closed in the midst of another one's work, and both wait for ever.
        cursor = self._cursors.enter_context(connection.chunked_cursor())
        cursor.execute(sql)
        return (row for part in iter(lambda: cursor.fetchmany(CHUNK_ROWS), []) for row in cast(list[Row], part))


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Let all that is read inside be of one moment. Nobody waits for it, unlike for Django's transactions on SQLite."""
    with _moment(), ExitStack() as cursors:
        yield Snapshot(cursors)


def rows(sql: str, *parameters: int | str) -> list[Row]:
    """Return all rows of a query at once."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cast(list[Row], cursor.fetchall())


@contextmanager
def _moment() -> Iterator[None]:
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        _execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            _execute("ROLLBACK")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
