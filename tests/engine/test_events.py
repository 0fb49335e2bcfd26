"""The words of what has happened: those of the wire, and those of the ledger."""

from typing import get_args

import pytest

from engine.events import (
    LEDGER_ACCOUNTS,
    WIRE_NAMES,
    AccountOpened,
    Event,
    LedgerAccount,
    MoneyMoved,
    MovementKind,
    OrderRefused,
    Reason,
    TermsSet,
)
from tests.engine.worlds import World


def test_the_owner_is_told_everything_but_what_is_of_no_account_or_told_otherwise():
    assert set(get_args(Event)) - set(WIRE_NAMES) == {TermsSet, AccountOpened, MoneyMoved, OrderRefused}


def test_the_names_are_the_documents():
    assert set(WIRE_NAMES.values()) == {
        "order:new", "order:update", "order:cancel", "order:activate", "position:new", "position:update",
        "position:close", "position:split", "balance",
    }  # fmt: skip


def test_the_words_of_the_database_are_these_and_fit_their_columns():
    assert get_args(LedgerAccount) == LEDGER_ACCOUNTS
    assert max(map(len, LEDGER_ACCOUNTS)) <= 15
    assert max(map(len, get_args(MovementKind))) <= 10
    assert max(map(len, get_args(Reason))) <= 11


@pytest.mark.parametrize(("amount", "size"), [(1_000_000, "1000.000"), (1, "0.001")])
def test_a_trades_size_is_that_of_its_contracts(amount, size):
    assert str(World().given_position(amount=amount).size) == size
