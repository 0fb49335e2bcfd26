"""Whatever is changed behind the engine's back, `verify_ledger` sees it; what the engine wrote, it does not blame."""

from functools import partial
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase

from tests.trading.books import given_everything, given_history
from tests.trading.tampering import ROWS, change, is_seen
from trading.ledger import verify_ledger
from trading.models import AccountEvent, Balance, JournalEntry, LedgerEntry, Order, Position


class Histories(TransactionTestCase):
    @settings(max_examples=8)
    @given(st.integers(0, 2**32))
    def test_whatever_the_engine_wrote_is_in_order(self, seed):
        given_history(seed)
        assert verify_ledger() == []


@pytest.fixture
def everything(transactional_db):
    return given_everything()


@pytest.mark.django_db
def test_nothing_is_in_order():
    assert verify_ledger() == []


@pytest.mark.parametrize("what", ROWS)
def test_any_column_that_is_changed_is_refused_or_seen(everything, what):
    row = ROWS[what]().earliest("pk")
    columns = [field.name for field in row._meta.concrete_fields if not field.primary_key]
    assert columns
    assert [name for name in columns if not is_seen(partial(change, row, name), verify_ledger)] == []


@pytest.mark.parametrize("what", ROWS)
def test_a_row_that_is_gone_is_seen(everything, what):
    rows = ROWS[what]()
    assert is_seen(rows.filter(pk=rows.latest("pk").pk).delete, verify_ledger)


@pytest.mark.parametrize("model", [Order, Position, LedgerEntry, AccountEvent, JournalEntry, Balance])
def test_a_row_that_came_of_nothing_is_seen(everything, model):
    row = model._default_manager.latest("pk")
    if model is Balance:
        row.currency = "EUR"
    if model is AccountEvent:
        row.offset += 1_000
    if model in (LedgerEntry, JournalEntry):
        row.serial += 1
        if model is JournalEntry:
            row.client_order_id = None
    else:
        row.pk = UUID(int=7) if model in (Order, Position) else None
    row._state.adding = True
    row.save(force_insert=True)
    assert verify_ledger() != []


class TestCommand:
    def test_it_says_that_all_is_well(self, everything):
        out = StringIO()
        call_command("verify_ledger", stdout=out)
        assert out.getvalue() == "The ledger is in order.\n"

    def test_it_says_what_is_not_and_fails(self, everything):
        balance = Balance.objects.earliest("pk")
        Balance.objects.filter(pk=balance.pk).update(cash=balance.cash + 1)
        errors = StringIO()
        with pytest.raises(CommandError, match="1 violations"):
            call_command("verify_ledger", stderr=errors)
        assert errors.getvalue().startswith(f"live account of user {balance.user_id}: the balance is ")

    def test_it_tells_how_far_it_is(self, everything):
        told = []
        verify_ledger(lambda done, total: told.append((done, total)))
        total = JournalEntry.objects.count() + Balance.objects.count()
        assert told == [(done, total) for done in range(1, total + 1)]
