"""The journal, the log and the ledger: the database itself refuses to change what is written."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import F

from tests.trading.books import given_history
from trading.immutable import IMMUTABLE, unguarded
from trading.models import AccountEvent, Balance, JournalEntry, LedgerEntry, Order, Position

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (JournalEntry, AccountEvent, LedgerEntry)


@pytest.fixture
def _written():
    given_history(1, steps=20)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("_written")
class TestGuards:
    def test_nobody_changes_a_row(self, table):
        before = list(table._default_manager.values())
        with pytest.raises(DatabaseError, match="never changed"):
            table._default_manager.update(time_ms=F("time_ms") + 1)
        with pytest.raises(DatabaseError, match="never changed"):
            table._default_manager.first().save()
        assert list(table._default_manager.values()) == before

    def test_nobody_deletes_a_row(self, table):
        before = list(table._default_manager.values())
        with pytest.raises(DatabaseError, match="never changed"):
            table._default_manager.all().delete()
        with pytest.raises(DatabaseError, match="never changed"), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table._meta.db_table} WHERE time_ms > 0")
        assert list(table._default_manager.values()) == before


def test_the_tables_are_these():
    assert tuple(table._meta.db_table for table in TABLES) == IMMUTABLE


@pytest.mark.usefixtures("_written")
def test_after_a_while_without_them_the_guards_are_back():
    with unguarded():
        LedgerEntry.objects.all().delete()
        JournalEntry.objects.update(time_ms=0)
    with pytest.raises(DatabaseError, match="never changed"):
        JournalEntry.objects.update(time_ms=1)


@pytest.mark.usefixtures("_written")
def test_what_fails_without_them_is_undone_and_the_guards_are_back():
    count = LedgerEntry.objects.count()
    with pytest.raises(ZeroDivisionError):
        delete_and_fail()
    assert LedgerEntry.objects.count() == count
    with pytest.raises(DatabaseError, match="never changed"):
        LedgerEntry.objects.all().delete()


@pytest.mark.usefixtures("_written")
def test_a_flush_empties_everything_and_the_guards_are_back():
    call_command("flush", interactive=False, verbosity=0)
    assert [table._default_manager.count() for table in (*TABLES, Order, Position, Balance)] == [0] * 6
    given_history(1, steps=5)
    with pytest.raises(DatabaseError, match="never changed"):
        AccountEvent.objects.all().delete()


def delete_and_fail():
    with unguarded():
        LedgerEntry.objects.all().delete()
        1 / 0  # noqa: B018  # whatever fails
