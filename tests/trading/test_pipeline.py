"""Transactions in one go, on a real PostgreSQL: all of one is there or nothing, and whatever is wrong has its name."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from trading.pipeline import Pipeline, demanding
from trading.sessions import own_session

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

INSERT = "INSERT INTO scratch VALUES ($1::bigint, $2)"
ENOUGH = demanding("count(*) >= 2", "'rows: ' || count(*)", "scratch")


@pytest.fixture
def session() -> Iterator[psycopg.Connection[Any]]:
    session = own_session("a test")
    session.execute("CREATE TEMPORARY TABLE scratch (id bigint PRIMARY KEY, note text)")
    yield session
    session.close()


def insert(pipeline: Pipeline, *rows: tuple[str, str], last: str = "") -> None:
    pipeline.begin()
    for row in rows:
        pipeline.send(INSERT, row)
    if last:
        pipeline.send(last)
    pipeline.commit()


def notes(session: psycopg.Connection[Any]) -> list[str]:
    return [note for (note,) in session.execute("SELECT note FROM scratch ORDER BY id")]


def test_transactions_follow_one_another(session):
    pipeline = Pipeline(session)
    insert(pipeline, ("1", "a"), ("2", "b"), last=ENOUGH)
    insert(pipeline)
    insert(pipeline, ("3", 'ä, "c"'), last=ENOUGH)
    assert notes(session) == ["a", "b", 'ä, "c"']


def test_a_statement_is_prepared_once(session):
    pipeline = Pipeline(session)
    for number in range(20):
        insert(pipeline, (str(number), "a"))
    prepared = session.execute("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'tickwire%'").fetchall()
    assert sorted(statement for (statement,) in prepared) == [
        "BEGIN", "COMMIT", INSERT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "last", "error", "words"),
    [
        ([("1", "a")], ENOUGH, psycopg.DataError, "rows: 1"),
        ([("1", "a"), ("1", "b")], "", psycopg.errors.UniqueViolation, "duplicate key"),
        ([("one", "a")], "", psycopg.DataError, "one"),
        ([("1", "a")], "SELECT nonsense", psycopg.errors.UndefinedColumn, "nonsense"),
    ],
    ids=["demanded", "unique", "number", "unknown"],
)
def test_what_is_refused_is_named_and_nothing_of_it_is_written(session, rows, last, error, words):
    session.execute("CREATE TABLE seen (id bigint)")
    try:
        pipeline = Pipeline(session)
        pipeline.begin()
        pipeline.send("INSERT INTO seen VALUES (1)")
        for row in rows:
            pipeline.send(INSERT, row)
        if last:
            pipeline.send(last)
        with pytest.raises(error, match=words):
            pipeline.commit()
        pipeline.close()
        with own_session("another") as other:
            assert other.execute("SELECT count(*) FROM seen").fetchone() == (0,)
    finally:
        with own_session("another") as other:
            other.execute("DROP TABLE seen")


def test_what_was_flushed_is_there_for_the_next_statement_and_not_for_others(session):
    session.execute("CREATE TABLE seen (id bigint)")
    try:
        with own_session("another") as other:
            pipeline = Pipeline(session)
            pipeline.begin()
            pipeline.send("INSERT INTO seen VALUES (1)")
            pipeline.flush()
            assert other.execute("SELECT count(*) FROM seen").fetchone() == (0,)
            pipeline.commit()
            assert other.execute("SELECT count(*) FROM seen").fetchone() == (1,)
    finally:
        session.execute("DROP TABLE seen")


def test_a_session_that_was_ended_is_an_error_of_its_own(session):
    pipeline = Pipeline(session)
    insert(pipeline, ("1", "a"))
    with own_session("another") as other:
        other.execute("SELECT pg_terminate_backend(%s)", [session.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        insert(pipeline, ("2", "b"))
