"""One account against itself; that every column counts is shown in test_ledger.py."""

from decimal import Decimal
from typing import get_args

import pytest

from engine.events import MovementKind
from tests.trading.books import given_everything
from trading.audit import WAYS, account_problems
from trading.immutable import unguarded
from trading.models import AccountEvent, Balance, LedgerEntry, Position
from trading.trades import product_names

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def accounts():
    return list(given_everything().book.state.accounts)


def problems(account):
    return account_problems(account, product_names())


def test_accounts_that_the_engine_wrote_agree_with_themselves(accounts):
    assert [problems(account) for account in accounts] == [[]] * len(accounts)


def test_every_kind_of_movement_has_its_way(accounts):
    assert set(WAYS) == set(get_args(MovementKind))
    used = set(LedgerEntry.objects.values_list("kind", "source", "target"))
    assert used <= {(kind, *way) for kind, ways in WAYS.items() for way in ways}


def test_only_the_account_that_is_wrong_is_blamed(accounts):
    position = Position.objects.filter(status="open").latest("pk")
    Position.objects.filter(pk=position.pk).update(margin=position.margin + Decimal("0.00000001"))
    blamed = [account for account in accounts if problems(account)]
    assert blamed == [(position.environment, position.user_id)]
    [trade, total] = problems(blamed[0])
    assert trade.startswith(f"position {position.pk} is not what its owner was told")
    assert "is locked, and what is open needs" in total


def test_a_gap_in_the_log_is_named(accounts):
    event = AccountEvent.objects.filter(name="balance").earliest("pk")
    with unguarded():
        AccountEvent.objects.filter(pk=event.pk).delete()
    [account] = [account for account in accounts if account == (event.environment, event.user_id)]
    assert problems(account)[0] == f"event {event.offset + 1} stands where {event.offset} should"


def test_an_account_without_a_balance_is_wrong(accounts):
    Balance.objects.filter(user_id=accounts[0].user_id, environment=accounts[0].environment).delete()
    [problem] = problems(accounts[0])
    assert problem.startswith("the balance is [], and the ledger and the events say ('BTC', ")
