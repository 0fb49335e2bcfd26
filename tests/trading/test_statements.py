"""What goes into a row comes out of it, whatever the text: on the database that the tests run on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from trading.models import InboxCommand
from trading.pipeline import Pipeline
from trading.sessions import own_session
from trading.statements import Statement, on_postgres, on_sqlite
from trading.tables import INBOX, Row, Table

pytestmark = pytest.mark.django_db

SCRATCH = Table("scratch", {"id": "bigint", "offset": "text", "note": "text", "number": "bigint", "fixed": "text"})
CREATE = 'CREATE TEMPORARY TABLE scratch (id bigint PRIMARY KEY, "offset" text, note text, number bigint, fixed text)'
SELECT = 'SELECT id, "offset", note, number, fixed FROM scratch ORDER BY id'

# Everything that a text of either database can hold; what is special in an array or a literal comes often.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SPECIAL = st.sampled_from(["NULL", "null", " ", '"', "\\", '\\"', "{}", ",", "'", "%s", "%", "\n", "\r\n", "\t", "$1"])
TEXT = st.lists(st.one_of(SPECIAL, st.text(LETTERS))).map("".join)
INT64 = st.integers(-(2**63), 2**63 - 1)
CELLS = st.tuples(TEXT, st.none() | TEXT, st.none() | INT64, TEXT)


class OnSqlite:
    """A table for one test, written to as the journal does."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def write(self, statement: Statement) -> None:
        self._cursor.executemany(*on_sqlite(statement))

    def execute(self, sql: str) -> Any:
        return self._cursor.execute(sql)


class OnPostgres:
    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session = session
        self._pipeline = Pipeline(session)

    def write(self, statement: Statement) -> None:
        self._pipeline.begin()
        self._pipeline.send(*on_postgres(statement))
        self._pipeline.commit()

    def execute(self, sql: str) -> Any:
        return self._session.execute(sql)


@contextmanager
def written_to() -> Iterator[OnSqlite | OnPostgres]:
    if connection.vendor == "postgresql":
        with own_session("a test") as session:
            yield OnPostgres(session)
    else:
        with connection.cursor() as cursor:
            yield OnSqlite(cursor)


@contextmanager
def scratch() -> Iterator[OnSqlite | OnPostgres]:
    with written_to() as database:
        database.execute(CREATE)
        try:
            yield database
        finally:
            if connection.vendor != "postgresql":  # there, it goes with the session
                database.execute("DROP TABLE scratch")


def rows_of(database: OnSqlite | OnPostgres) -> list[Row]:
    return list(database.execute(SELECT).fetchall())


def numbered(cells: list[Row]) -> list[Row]:
    return [(number, *row) for number, row in enumerate(cells)]


def test_what_is_inserted_is_read_back():
    with scratch() as table:

        @given(st.lists(CELLS, min_size=1, max_size=5))
        def law(cells):
            rows = numbered(cells)
            table.execute("DELETE FROM scratch")
            table.write(Statement(SCRATCH, rows))
            assert rows_of(table) == rows

        law()


def test_what_is_changed_is_read_back_and_the_rest_is_as_it_was():
    with scratch() as table:

        @given(st.lists(st.tuples(CELLS, CELLS), min_size=2, max_size=5), st.integers(2, 5))
        def law(pairs, width):
            before, after = (numbered([pair[at] for pair in pairs]) for at in (0, 1))
            after = [row[:width] for row in after]
            table.execute("DELETE FROM scratch")
            table.write(Statement(SCRATCH, before))
            table.write(Statement(SCRATCH, after[1:], changes=True))
            changed = [SCRATCH.changed(old, new) for old, new in zip(before[1:], after[1:], strict=True)]
            assert rows_of(table) == before[:1] + changed

        law()


@pytest.mark.postgres
def test_postgres_refuses_to_change_a_row_that_is_not_there():
    row = (1, "a", None, None, "b")
    session = own_session("a test")
    session.execute(CREATE)
    table = OnPostgres(session)
    table.write(Statement(SCRATCH, [row]))
    with pytest.raises(psycopg.DataError, match="scratch: 2 rows to change, 1 are there"):
        table.write(Statement(SCRATCH, [(1, "c", None, None), (2, "c", None, None)], changes=True))
    session.close()


@pytest.mark.django_db(transaction=True)
def test_an_inbox_row_is_answered_with_its_time():
    row = InboxCommand.objects.create(kind="halt", params={})
    now = datetime(2026, 3, 1, 12, 30, 15, 123456, UTC)
    statement = Statement(INBOX, [(row.pk, "done", "", '{"a":"\\"b\\""}', now)], changes=True)
    with written_to() as database:
        database.write(statement)
    row.refresh_from_db()
    assert (row.status, row.code, row.answer, row.done_at) == ("done", "", '{"a":"\\"b\\""}', now)
