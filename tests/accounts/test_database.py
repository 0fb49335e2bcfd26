"""Threads of our own and the database's connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import InterfaceError, OperationalError, connection

from accounts.database import answered, released
from accounts.errors import Code, Refused
from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def connected():
    return connection.connection is not None


def test_a_thread_keeps_no_connection_whether_the_call_succeeds_or_fails(monkeypatch):
    # On SQLite threads may keep theirs: there is no pool that could run dry.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(released, User.objects.count).result() == 0
        assert not thread.submit(connected).result()
        with pytest.raises(User.DoesNotExist):
            thread.submit(released, lambda: User.objects.get(pk=1)).result()
        assert not thread.submit(connected).result()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_client_is_told_to_come_back_to_a_database_that_is_away(error):
    def ask():
        raise error("server closed the connection unexpectedly")

    with pytest.raises(Refused) as refused:
        answered(ask)
    assert (refused.value.code, refused.value.details) == (Code.UNAVAILABLE, {"retry_after_ms": 1_000})


def test_a_database_that_is_there_answers():
    assert answered(User.objects.count) == 0
