"""What the database itself does not let happen to orders, positions, balances and the rest."""

import uuid
from decimal import Decimal
from typing import Any, get_args

import pytest
from django.db import IntegrityError, connection, models, transaction

from accounts.models import User
from engine.commands import COMMANDS
from engine.events import LEDGER_ACCOUNTS, WIRE_NAMES, MovementKind, Reason
from engine.refusals import RefusalCode
from market.fields import MONEY_PLACES
from market.models import Product
from tests.market.products import given_products
from trading.models import AccountEvent, Balance, EngineLease, InboxCommand, JournalEntry, LedgerEntry, Order, Position

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    given_products()
    return User.objects.create_user("ann")


def given_trade(ann: User, **fields: Any) -> dict[str, Any]:
    return {
        "id": uuid.UUID(int=1), "user": ann, "environment": "demo", "product": Product.objects.get(name="EUR-USD"),
        "side": "buy", "price": Decimal("1.1"), "leverage": 100, "amount": 1_000, "margin": Decimal("0.01"),
        "liquidation_price": Decimal(1), "decay_rate": 0, "created_ms": 1, "price_places": 5500, "made_serial": 1,
        "changed_serial": 1, **fields,
    }  # fmt: skip


def given_order(ann, **fields):
    return Order(**given_trade(ann, **{"status": "open", **fields}))


def given_position(ann, **fields):
    return Position(**given_trade(ann, **{"status": "open", "opened_ms": 1, **fields}))


def given_entry(ann, **fields):
    usual = {
        "serial": 1, "journal_serial": 1, "time_ms": 1, "kind": "margin", "source": "user.cash",
        "target": "user.margin", "amount": Decimal("0.01"),
    }  # fmt: skip
    return LedgerEntry(user=ann, environment="demo", **{**usual, **fields})


def assert_refused(row: models.Model) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


CLOSED = {
    "status": "closed", "closed_ms": 2, "close_price": 1, "pnl": 0, "pnl_percent": 0, "decay": 0, "reason": "manual"
}  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 0}, {"amount": -1}, {"margin": 0}, {"ended_ms": 2}, {"status": "activated"}, {"status": "cancelled"},
    ],
)  # fmt: skip
def test_no_order_is_of_nothing_or_ends_halfway(ann, fields):
    assert_refused(given_order(ann, **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 0}, {"margin": 0}, {"closed_ms": 2}, {"pnl": 0}, {**CLOSED, "closed_ms": None},
        {**CLOSED, "pnl": None}, {**CLOSED, "decay": Decimal("-0.00000001")}, {"status": "split"},
        {"status": "split", "closed_ms": 2, "pnl": 0},
    ],
)  # fmt: skip
def test_no_position_is_of_nothing_or_ends_halfway(ann, fields):
    assert_refused(given_position(ann, **fields))


def test_orders_and_positions_that_can_be_are_stored(ann):
    given_order(ann).save(force_insert=True)
    given_order(ann, id=uuid.UUID(int=2), status="cancelled", ended_ms=2).save(force_insert=True)
    given_position(ann).save(force_insert=True)
    given_position(ann, id=uuid.UUID(int=2), **CLOSED).save(force_insert=True)
    given_position(ann, id=uuid.UUID(int=3), status="split", closed_ms=2).save(force_insert=True)
    assert [str(row) for row in (*Order.objects.all(), *Position.objects.all())] == ["buy 1000 EUR-USD"] * 5


@pytest.mark.parametrize("fields", [{"cash": Decimal("-0.00000001")}, {"margin": Decimal("-0.00000001")}])
def test_no_balance_goes_below_zero(ann, fields):
    assert_refused(Balance(user=ann, environment="demo", log_offset=1, **{"cash": 0, "margin": 0, **fields}))


def test_an_account_has_one_balance_and_a_user_two_accounts(ann):
    for environment in ("live", "demo"):
        Balance.objects.create(user=ann, environment=environment, cash=1, margin=0, log_offset=1)
    assert_refused(Balance(user=ann, environment="demo", cash=1, margin=0, log_offset=1))


@pytest.mark.parametrize("fields", [{"amount": 0}, {"amount": -1}, {"target": "user.cash"}])
def test_a_ledger_entry_moves_something_to_elsewhere(ann, fields):
    assert_refused(given_entry(ann, **fields))


def test_an_event_has_its_own_offset_from_one_on(ann):
    event = {"user": ann, "environment": "demo", "journal_serial": 1, "time_ms": 1, "name": "balance", "data": "{}"}
    AccountEvent.objects.create(offset=1, **event)
    AccountEvent.objects.create(offset=1, **{**event, "environment": "live"})
    assert_refused(AccountEvent(offset=1, **event))
    assert_refused(AccountEvent(offset=0, **event))


def test_a_client_order_id_is_answered_once_per_account(ann):
    bob = User.objects.create_user("bob")
    entry = {"user": ann, "environment": "demo", "kind": "place_order", "time_ms": 1, "entry": "{}"}
    named = {**entry, "client_order_id": "mine"}
    JournalEntry.objects.create(serial=1, **named)
    JournalEntry.objects.create(serial=2, **{**named, "environment": "live"})
    JournalEntry.objects.create(serial=3, **{**named, "user": bob})
    JournalEntry.objects.create(serial=4, **entry)
    JournalEntry.objects.create(serial=5, **entry)
    assert_refused(JournalEntry(serial=6, **named))
    assert_refused(JournalEntry(serial=5, **entry))


def test_there_is_one_lease():
    EngineLease.objects.create()
    assert_refused(EngineLease(pk=2))


def test_money_that_is_stored_is_a_whole_number_of_satoshis(ann):
    Balance.objects.create(user=ann, environment="demo", cash=Decimal("0.00000001"), margin=0, log_offset=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cash FROM trading_balance")
        assert cursor.fetchone() == (1,)
    assert MONEY_PLACES == 8


@pytest.mark.parametrize(
    ("model", "column", "values"),
    [
        (JournalEntry, "kind", list(COMMANDS)), (JournalEntry, "code", list(RefusalCode)),
        (AccountEvent, "name", list(WIRE_NAMES.values())), (LedgerEntry, "kind", get_args(MovementKind)),
        (LedgerEntry, "source", LEDGER_ACCOUNTS), (LedgerEntry, "target", LEDGER_ACCOUNTS),
        (Position, "reason", get_args(Reason)), (InboxCommand, "code", list(RefusalCode)),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)  # fmt: skip
def test_a_column_has_room_for_every_word_of_the_engine(model, column, values):
    """SQLite would store more and PostgreSQL refuse it, at the worst moment."""
    length = model._meta.get_field(column).max_length
    assert max(map(len, values)) <= length


@pytest.mark.parametrize(
    "row",
    [
        LedgerEntry(kind="deposit", amount=1, source="external", target="user.cash"), EngineLease(fence=3),
        InboxCommand(kind="halt"), JournalEntry(serial=2, kind="deposit"), AccountEvent(offset=4, name="balance"),
    ],
    ids=lambda row: type(row).__name__,
)  # fmt: skip
def test_a_row_is_shown_in_a_line(row):
    assert str(row) in ("deposit: 1 external → user.cash", "fence 3", "halt waiting", "2 deposit", "4 balance")


def test_a_balance_is_shown_in_a_line(ann):
    assert str(Balance(user=ann, environment="demo", cash=Decimal("1.5"), currency="BTC")) == "ann demo: 1.5 BTC"
