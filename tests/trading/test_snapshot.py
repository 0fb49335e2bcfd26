"""Reading as of one moment, beside a writer who does not wait."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.database import released
from accounts.models import User
from tests.threads import in_thread
from trading.snapshot import rows, snapshot

NAMES = "SELECT username FROM accounts_user ORDER BY id"


@pytest.fixture
def ann(transactional_db):
    return User.objects.create_user("ann")


async def test_what_is_written_meanwhile_is_not_seen_and_does_not_wait(ann):
    def read_while_somebody_writes():
        with snapshot():
            before = rows(NAMES)
            written = in_another_thread(lambda: User.objects.create_user("bob").username)
            return before, written, rows(NAMES)

    assert await in_thread(read_while_somebody_writes) == ([("ann",)], "bob", [("ann",)])
    assert await in_thread(rows, NAMES) == [("ann",), ("bob",)]


def in_another_thread(call):
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(released, call).result()


def test_a_stream_yields_all_rows_in_their_order(ann, monkeypatch):
    monkeypatch.setattr("trading.snapshot.CHUNK_ROWS", 3)
    for number in range(7):
        User.objects.create_user(f"user{number}")
    with snapshot() as stored:
        assert list(stored.stream(NAMES)) == [("ann",), *((f"user{number}",) for number in range(7))]


def test_streams_may_be_read_side_by_side_and_left(ann):
    for number in range(7):
        User.objects.create_user(f"user{number}")
    with snapshot() as stored:
        one, other = stored.stream(NAMES), stored.stream(f"{NAMES} DESC")
        assert [next(one), next(other), next(one)] == [("ann",), ("user6",), ("user0",)]
    assert rows(NAMES)[0] == ("ann",)
    User.objects.create_user("writing goes on")


@pytest.mark.django_db
def test_inside_a_transaction_it_is_that_ones():
    User.objects.create_user("ann")
    with snapshot() as stored:
        assert list(stored.stream(NAMES)) == [("ann",)]
    assert connection.in_atomic_block
