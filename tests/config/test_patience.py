"""A database that is not there is waited for, in words and not for ever."""

import psycopg
import pytest

from config import patience
from config.patience import DatabaseAway, database_wait, wait_for
from tests.plugins.services import free_port


def test_one_that_is_there_is_not_talked_of(transactional_db):
    said: list[str] = []
    database_wait(said.append)
    assert said == []


def test_one_that_comes_is_waited_for_with_the_reason(monkeypatch):
    monkeypatch.setattr(patience, "TRY_S", 0.001)
    said: list[str] = []
    answers = iter([psycopg.OperationalError("starting up\na hint"), psycopg.OperationalError("starting up"), None])

    def connect():
        if (trouble := next(answers)) is not None:
            raise trouble

    wait_for(connect, said.append)
    assert said == ["Waiting for the database, 0 of 60 s: starting up", "The database is there."]


def test_one_that_does_not_come_is_given_up_in_a_sentence(monkeypatch):
    monkeypatch.setattr(patience, "TRY_S", 0.01)
    monkeypatch.setattr(patience, "SAY_S", 0.02)
    nobody = f"host=127.0.0.1 port={free_port()} connect_timeout=3"
    said: list[str] = []
    with pytest.raises(DatabaseAway, match=r"has not answered for 0 s \(.*Connection refused\): see DATABASE_URL"):
        wait_for(lambda: psycopg.connect(nobody), said.append, wait_s=0.1)
    assert 1 < len(said) < 10
    assert all("Connection refused" in line for line in said)


def test_what_is_wrong_with_the_asking_is_no_reason_to_wait():
    with pytest.raises(psycopg.ProgrammingError):
        wait_for(lambda: psycopg.connect("nonsense"), print)
