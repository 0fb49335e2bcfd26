"""The state after a start: the same as in the memory of who wrote it."""

import time
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase
from msgspec.structs import replace

from engine.commands import Command, Input, OpenAccount, PlaceOrder, SetTerms, UpdateTrade
from engine.values import AccountId, Market
from engine.wire import trade_object
from tests.trading.books import given_accounts, given_engine, given_history, shown
from tests.trading.histories import History, terms
from trading.book import Book, Record
from trading.load import load_book
from trading.models import Position
from trading.rows import rows_to_write

PRICES = {"EUR-USD": Market(Decimal("1.08500"), Decimal("1.08502"))}


def said(records: list[Record]) -> list[object]:
    return [(record.serial, record.answer, record.outcome.events, record.log, record.accounts) for record in records]


class LoadedBooks(TransactionTestCase):
    """Laws that need committed rows."""

    @settings(max_examples=8)
    @given(st.integers(0, 2**32))
    @example(511)  # an order with an end is a position in the last state: its end no longer counts
    def test_the_loaded_book_is_the_book_that_was_written(self, seed):
        history = given_history(seed)
        assert shown(load_book()) == shown(history.book)

    @settings(max_examples=5)
    @given(st.integers(0, 2**32))
    def test_a_book_goes_on_after_a_start_as_if_there_had_been_none(self, seed):
        history = given_history(seed, steps=100)
        accounts = list(history.book.state.accounts)
        started, unbroken = History(seed + 1, accounts, load_book()), History(seed + 1, accounts, history.book)
        started.now_ms = unbroken.now_ms = history.now_ms
        assert said(started.steps(100)) == said(unbroken.steps(100))
        assert shown(started.book) == shown(unbroken.book)


@pytest.mark.django_db
def test_without_rows_there_is_an_empty_book():
    assert shown(load_book()) == shown(Book())


def given_orders(*orders: PlaceOrder, then: tuple[UpdateTrade, ...] = ()) -> Book:
    """Return a book in which these were placed by one account, all of it stored."""
    book = Book()
    accounts = dict.fromkeys(order.account for order in orders)
    commands: list[Command] = [SetTerms(terms=terms("EUR-USD"))]
    commands += [OpenAccount(account=account) for account in accounts]
    records = [book.handle(Input(command, 1_000, PRICES)) for command in (*commands, *orders, *then)]
    with given_engine() as (journal, fence):
        journal.write(rows_to_write(records), fence)
    return book


def order(account: AccountId, number: int, **fields) -> PlaceOrder:
    usual = PlaceOrder(
        account=account, id=str(UUID(int=number)), product="EUR-USD", side="buy", type="market",
        leverage=Decimal(10), amount=100, client_order_id=f"c{number}",
    )  # fmt: skip
    return replace(usual, **fields)


@pytest.mark.django_db(transaction=True)
class TestRequests:
    def test_an_order_that_was_changed_since_is_answered_as_it_was_placed(self):
        [account, *_] = given_accounts(1)[1:]
        pending = order(account, 1, type="pending", price=Decimal("1.05000"))
        change = UpdateTrade(account=account, id=pending.id, price=Decimal("1.04000"), leverage=Decimal(20))
        given_orders(pending, then=(change,))
        book = load_book()
        again = book.handle(Input(replace(pending, id=str(UUID(int=2))), 2_000, PRICES))
        assert '"price":"1.05000"' in again.answer.text
        assert '"leverage":"10"' in again.answer.text
        assert f'"id":"{pending.id}"' in again.answer.text
        assert again.serial == 0

    def test_a_refusal_is_remembered_with_its_words(self):
        [account, *_] = given_accounts(1)[1:]
        refused = order(account, 1, amount=10**9)
        given_orders(refused)
        again = load_book().handle(Input(refused, 2_000, PRICES))
        assert (again.answer.code, again.answer.message) == ("size_out_of_bounds", "The size is at most 10000 BTC")

    def test_only_the_newest_are_loaded(self, monkeypatch):
        monkeypatch.setattr("trading.load.MAX_REQUESTS", 2)
        [account, *_] = given_accounts(1)[1:]
        given_orders(*(order(account, number) for number in (1, 2, 3)))
        assert list(load_book().state.requests) == [(account, "c2"), (account, "c3")]


@pytest.mark.django_db(transaction=True)
def test_prices_keep_the_places_of_a_product_whose_digits_were_changed():
    [account, *_] = given_accounts(1)[1:]
    pending = order(account, 1, type="pending", price=Decimal("1.05000"), stop_loss=Decimal("1.00000"))
    book = given_orders(pending)
    coarse = replace(terms("EUR-USD"), digits=2)
    with given_engine() as (journal, fence):
        changes: list[Command] = [
            SetTerms(terms=coarse),
            UpdateTrade(account=account, id=pending.id, take_profit=Decimal("1.20"), leverage=Decimal(9)),
        ]
        journal.write(rows_to_write(book.handle(Input(command, 2_000, PRICES)) for command in changes), fence)
    assert shown(load_book()) == shown(book)
    assert '"price":"1.05000"' in trade_object(load_book().state.accounts[account].orders[pending.id])


@pytest.mark.django_db(transaction=True)
def test_100_000_open_positions_are_loaded_in_time():
    """Measured as this process's own time, so that others on the machine do not count."""
    [account, *_] = given_accounts(1)[1:]
    given_orders(order(account, 1))
    copy_position(100_000 - 1)
    began_s = time.process_time()
    book = load_book()
    taken_s = time.process_time() - began_s
    assert len(book.state.accounts[account].positions) == len(book.state.owners) == 100_000
    assert taken_s < 5


def copy_position(times: int) -> None:
    """Store as many more positions that differ from the one there is in their ids only."""
    columns = ", ".join(field.column for field in Position._meta.concrete_fields if field.column != "id")
    new_id = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE copies(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copies WHERE number < %s) "
            f"INSERT INTO trading_position (id, {columns}) SELECT {new_id}, {columns} FROM trading_position, copies",
            [times],
        )
