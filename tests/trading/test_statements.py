"""What goes into a row comes out of it, whatever the text: on the database that the tests run on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from trading.models import InboxCommand
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


class Scratch:
    """A table for one test, written to as the journal does."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def write(self, statement: Statement) -> int:
        if connection.vendor == "postgresql":
            self._cursor.execute(*on_postgres(statement))
        else:
            self._cursor.executemany(*on_sqlite(statement))
        count: int = self._cursor.rowcount
        return count

    def rows(self) -> list[Row]:
        self._cursor.execute(SELECT)
        return list(self._cursor.fetchall())


@contextmanager
def scratch() -> Iterator[Scratch]:
    if connection.vendor == "postgresql":
        with own_session("a test") as session, session.cursor() as cursor:
            cursor.execute(CREATE)
            yield Scratch(cursor)
    else:
        with connection.cursor() as cursor:
            cursor.execute(CREATE)
            try:
                yield Scratch(cursor)
            finally:
                cursor.execute("DROP TABLE scratch")


def numbered(cells: list[Row]) -> list[Row]:
    return [(number, *row) for number, row in enumerate(cells)]


def test_what_is_inserted_is_read_back():
    with scratch() as table:

        @given(st.lists(CELLS, min_size=1, max_size=5))
        def law(cells):
            rows = numbered(cells)
            table._cursor.execute("DELETE FROM scratch")
            assert table.write(Statement(SCRATCH, rows)) == len(rows)
            assert table.rows() == rows

        law()


def test_what_is_changed_is_read_back_and_the_rest_is_as_it_was():
    with scratch() as table:

        @given(st.lists(st.tuples(CELLS, CELLS), min_size=2, max_size=5), st.integers(2, 5))
        def law(pairs, width):
            before, after = (numbered([pair[at] for pair in pairs]) for at in (0, 1))
            after = [row[:width] for row in after]
            table._cursor.execute("DELETE FROM scratch")
            table.write(Statement(SCRATCH, before))
            assert table.write(Statement(SCRATCH, after[1:], changes=True)) == len(after) - 1
            changed = [SCRATCH.changed(old, new) for old, new in zip(before[1:], after[1:], strict=True)]
            assert table.rows() == before[:1] + changed

        law()


def test_a_row_that_is_not_there_is_not_counted():
    with scratch() as table:
        table.write(Statement(SCRATCH, [(1, "a", None, None, "b")]))
        changes = [(1, "c", None, None), (2, "c", None, None)]
        assert table.write(Statement(SCRATCH, changes, changes=True)) == 1
        assert table.rows() == [(1, "c", None, None, "b")]


def test_an_inbox_row_is_answered_with_its_time():
    row = InboxCommand.objects.create(kind="halt", params={})
    now = datetime(2026, 3, 1, 12, 30, 15, 123456, UTC)
    statement = Statement(INBOX, [(row.pk, "done", "", '{"a":"\\"b\\""}', now)], changes=True)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(*on_postgres(statement))
        else:
            cursor.executemany(*on_sqlite(statement))
    row.refresh_from_db()
    assert (row.status, row.code, row.answer, row.done_at) == ("done", "", '{"a":"\\"b\\""}', now)
