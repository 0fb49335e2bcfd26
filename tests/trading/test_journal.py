"""One transaction a batch: all of it or nothing, and nothing from whoever has lost the lease."""

import sqlite3
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase
from msgspec.structs import replace

from engine.commands import ClosePosition, Deposit, Input, OpenAccount, PlaceOrder, SetTerms
from engine.values import Market
from market.models import Product
from tests.threads import in_thread
from tests.trading.books import given_accounts, given_engine, shown
from tests.trading.histories import History, parts, terms
from trading import journal
from trading.book import Book
from trading.immutable import unguarded
from trading.journal import ClientIdsTaken, Fenced, Journal
from trading.live import Answer
from trading.load import load_book
from trading.models import AccountEvent, Balance, EngineLease, InboxCommand, JournalEntry, LedgerEntry, Order, Position
from trading.rows import rows_to_write
from trading.sessions import own_session

TABLES = (JournalEntry, AccountEvent, LedgerEntry, Order, Position, Balance)
POINTS = ["before_begin", "after_journal", "after_events", "after_rows", "before_commit", "after_commit"]
PRICES = {"EUR-USD": Market(Decimal("1.26630"), Decimal("1.26635"))}


class Crash(Exception):
    """What a test lets happen at a point of a transaction."""


def counts():
    return [table._default_manager.count() for table in TABLES]


class Trader:
    """A book, its journal and one demo account that trades; `write` is what the engine does with a batch."""

    def __init__(self, journal: Journal, fence: int) -> None:
        self.journal, self.fence = journal, fence
        self.account = given_accounts(1)[1]
        self.book = Book()
        self.write(SetTerms(terms=terms("EUR-USD")), OpenAccount(account=self.account))

    def records(self, *commands):
        return [self.book.handle(Input(command, 1_000, PRICES)) for command in commands]

    def write(self, *commands):
        self.journal.write(rows_to_write(self.records(*commands)), self.fence)

    def order(self, number, **fields):
        usual = PlaceOrder(
            account=self.account, id=str(UUID(int=number)), product="EUR-USD", side="buy", type="market",
            leverage=Decimal(10), amount=100,
        )  # fmt: skip
        return replace(usual, **fields)


@pytest.fixture
def trader(transactional_db):
    with given_engine() as (journal, fence):
        yield Trader(journal, fence)


class WrittenTables(TransactionTestCase):
    @settings(max_examples=5)
    @given(st.integers(0, 2**32), st.lists(st.integers(1, 80), min_size=1, max_size=4))
    def test_however_a_history_is_batched_the_tables_are_the_same(self, seed, sizes):
        history = History(seed, given_accounts(2))
        records = history.begin() + history.steps(60)
        with given_engine() as (journal, fence):
            for part in parts(records, tuple(sizes)):
                journal.write(rows_to_write(part), fence)
        batched = stored()
        clear()
        with given_engine() as (journal, fence):
            journal.write(rows_to_write(records), fence)
        assert stored() == batched
        assert shown(load_book()) == shown(history.book)


def stored():
    """Return all that was written, but for the keys that the database gives."""
    given = (AccountEvent, Balance)
    tables = [(table in given, table._default_manager.order_by("pk").values()) for table in TABLES]
    return [
        [{name: value for name, value in row.items() if name != "id" or not is_given} for row in rows]
        for is_given, rows in tables
    ]


def clear():
    with unguarded():
        for table in TABLES:
            table._default_manager.all().delete()


def test_a_row_is_as_the_models_read_it(trader):
    trader.write(
        trader.order(1, take_profit=Decimal("1.30")), ClosePosition(account=trader.account, id=str(UUID(int=1)))
    )
    position = Position.objects.get()
    assert (position.id, position.user_id, position.environment) == (UUID(int=1), trader.account.user_id, "demo")
    assert (position.price, position.take_profit, position.margin) == (
        Decimal("1.26635"), Decimal("1.3"), Decimal("0.01")
    )  # fmt: skip
    assert (position.status, position.reason, position.close_price) == ("closed", "manual", Decimal("1.2663"))
    assert (position.pnl, position.pnl_percent, position.decay) == (
        Decimal("-0.00000394"), Decimal("-0.0394"), Decimal(0)
    )  # fmt: skip
    assert position.product.name == "EUR-USD"
    assert Balance.objects.get().cash == Decimal("9.99999606")
    assert LedgerEntry.objects.get(kind="loss").amount == Decimal("0.00000394")
    assert AccountEvent.objects.get(name="position:new").data.startswith(f'{{"id":"{UUID(int=1)}"')


class TestLease:
    def test_whoever_was_deposed_writes_nothing(self, trader):
        before = counts()
        EngineLease.objects.update(fence=trader.fence + 1)
        with pytest.raises(Fenced):
            trader.write(trader.order(1))
        assert counts() == before

    def test_a_deposed_engine_is_told_so_also_where_its_rows_are_in_the_way(self, trader):
        """Its serials are taken by then: that is no matter for the database alone."""
        zombie = load_book()
        trader.write(trader.order(1))
        EngineLease.objects.update(fence=trader.fence + 1)
        records = [zombie.handle(Input(trader.order(2), 1_000, PRICES))]
        with pytest.raises(Fenced):
            trader.journal.write(rows_to_write(records), trader.fence)

    def test_without_a_lease_nothing_is_written(self, trader):
        EngineLease.objects.all().delete()
        with pytest.raises(Fenced):
            trader.write(trader.order(1))

    async def test_a_take_over_waits_for_the_commit_that_is_on_its_way(self, trader, monkeypatch):
        refused = []

        def at_point(point):
            if point == "before_commit":
                refused.append(take_over_without_waiting())

        monkeypatch.setattr(journal, "at_point", at_point)
        await in_thread(trader.write, trader.order(1))
        assert refused == [True]
        monkeypatch.undo()
        assert await in_thread(take_over_without_waiting) is False


def take_over_without_waiting() -> bool:
    """Raise the fence in another session; return whether something was in the way."""
    raise_fence = "UPDATE trading_enginelease SET fence = fence + 1"
    try:
        if connection.vendor == "postgresql":
            with own_session("a test") as session:
                session.execute("SET lock_timeout = '1ms'")
                session.execute(raise_fence)
        else:
            with sqlite3.connect(connection.settings_dict["NAME"], timeout=0) as other:
                other.execute(raise_fence)
    except (psycopg.errors.LockNotAvailable, sqlite3.OperationalError):
        return True
    return False


class TestFailures:
    @pytest.mark.parametrize("point", POINTS)
    def test_what_fails_at_a_point_was_written_as_a_whole_or_not_at_all(self, trader, monkeypatch, point):
        def crash(reached):
            if reached == point:
                raise Crash

        before = shown(load_book())
        records = trader.records(trader.order(1), Deposit(account=trader.account, amount=Decimal(1)))
        after = shown(trader.book)
        monkeypatch.setattr(journal, "at_point", crash)
        with pytest.raises(Crash):
            trader.journal.write(rows_to_write(records), trader.fence)
        monkeypatch.undo()
        assert shown(load_book()) == (after if point == "after_commit" else before)
        if point != "after_commit":
            trader.journal.write(rows_to_write(records), trader.fence)
            assert shown(load_book()) == after

    def test_the_points_come_in_their_order(self, trader, monkeypatch):
        reached: list[str] = []
        monkeypatch.setattr(journal, "at_point", reached.append)
        trader.write(trader.order(1))
        assert reached == POINTS

    def test_an_order_that_was_answered_long_ago_is_named(self, trader):
        trader.write(trader.order(1, client_order_id="old"))
        trader.book.state.requests.clear()
        records = trader.records(
            trader.order(2, client_order_id="new"), trader.order(3, client_order_id="old"), trader.order(4)
        )
        before = counts()
        with pytest.raises(ClientIdsTaken) as raised:
            trader.journal.write(rows_to_write(records), trader.fence)
        assert raised.value.taken == [(trader.account.user_id, trader.account.environment, "old")]
        assert counts() == before

    def test_the_same_name_in_another_account_or_of_another_user_is_another(self, trader):
        live = trader.account._replace(environment="live")
        trader.write(OpenAccount(account=live), Deposit(account=live, amount=Decimal(1)))
        trader.write(
            *(trader.order(n, account=a, client_order_id="c") for n, a in enumerate((trader.account, live), 1))
        )
        assert Order.objects.filter(client_order_id="c").count() == 2

    def test_a_row_that_is_gone_is_noticed(self, trader):
        before = counts()
        records = trader.records(trader.order(1))
        Balance.objects.all().delete()
        with pytest.raises((RuntimeError, DatabaseError), match="trading_balance: 1 rows to change, 0 are there"):
            trader.journal.write(rows_to_write(records), trader.fence)
        assert counts() == [*before[:-1], 0]

    def test_a_number_that_does_not_fit_is_refused_before_anything_is_written(self, trader):
        [record] = trader.records(trader.order(1))
        row = record.accounts[trader.account]
        too_much = record._replace(accounts={trader.account: row._replace(cash=Decimal(10**12))})
        before = counts()
        with pytest.raises(ValueError, match="does not fit"):
            trader.journal.write(rows_to_write([too_much]), trader.fence)
        assert counts() == before

    def test_a_constraint_is_a_second_judge(self, trader):
        [record] = trader.records(trader.order(1))
        row = record.accounts[trader.account]
        below_zero = record._replace(accounts={trader.account: row._replace(cash=Decimal("-0.00000001"))})
        before = counts()
        with pytest.raises(DatabaseError):
            trader.journal.write(rows_to_write([below_zero]), trader.fence)
        assert counts() == before

    def test_it_goes_on_when_its_session_was_ended(self, trader):
        records = trader.records(trader.order(1))
        if end_journal_sessions():
            with pytest.raises(DatabaseError):
                trader.journal.write(rows_to_write(records), trader.fence)
        trader.journal.write(rows_to_write(records), trader.fence)
        assert shown(load_book()) == shown(trader.book)


def end_journal_sessions() -> bool:
    """End the journal's sessions with this test's database, as a restart does; return whether there were any."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            [journal.SESSION],
        )
        return bool(cursor.fetchall())


class TestInbox:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (Answer('{"BTC":"1"}'), ("done", "", '{"BTC":"1"}')),
            (Answer(code="not_found", message="No such"), ("refused", "not_found", "No such")),
        ],
        ids=["done", "refused"],
    )
    def test_an_administrators_row_is_answered_with_the_batch(self, trader, answer, expected):
        row = InboxCommand.objects.create(kind="deposit", params={})
        rows = rows_to_write(trader.records(trader.order(1)))
        trader.journal.write(rows, trader.fence, [(row.pk, answer.code, answer.words)])
        row.refresh_from_db()
        assert (row.status, row.code, row.answer) == expected
        assert row.done_at is not None

    def test_a_row_may_be_answered_without_anything_else_to_write(self, trader):
        row = InboxCommand.objects.create(kind="halt", params={})
        trader.journal.write([], trader.fence, [(row.pk, "not_found", "")])
        row.refresh_from_db()
        assert row.status == "refused"

    def test_it_is_not_answered_by_who_was_deposed(self, trader):
        row = InboxCommand.objects.create(kind="halt", params={})
        EngineLease.objects.update(fence=F("fence") + 1)
        with pytest.raises(Fenced):
            trader.journal.write([], trader.fence, [(row.pk, "", "")])
        row.refresh_from_db()
        assert row.status == "waiting"


def test_a_product_that_was_added_since_is_known(trader):
    trader.write(trader.order(1))
    product = Product.objects.get(name="EUR-USD")
    product.pk, product.name, product.symbol = None, "NEW-USD", "NEWUSD"
    product.save()
    later = {"NEW-USD": Market(Decimal("1.00000"), Decimal("1.00002"))}
    commands = [SetTerms(terms=replace(terms("EUR-USD"), product="NEW-USD")), trader.order(2, product="NEW-USD")]
    records = [trader.book.handle(Input(command, 2_000, later)) for command in commands]
    trader.journal.write(rows_to_write(records), trader.fence)
    assert Position.objects.get(product__name="NEW-USD").id == UUID(int=2)
