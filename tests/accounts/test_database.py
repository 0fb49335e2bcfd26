"""Threads of our own and the database's connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.database import released
from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def connected():
    return connection.connection is not None


def test_a_thread_keeps_no_connection_whether_the_call_succeeds_or_fails():
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(released, User.objects.count).result() == 0
        assert not thread.submit(connected).result()
        with pytest.raises(User.DoesNotExist):
            thread.submit(released, lambda: User.objects.get(pk=1)).result()
        assert not thread.submit(connected).result()
