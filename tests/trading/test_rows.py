"""Which rows a record comes to: one order's in full, and how each database spells them."""

import marshal
from decimal import Decimal

import pytest

from engine.commands import Input, OpenAccount, PlaceOrder, SetTerms
from engine.values import AccountId, Market
from tests.trading.histories import DIGITS, terms
from trading.batch import Batch
from trading.book import Book
from trading.rows import STORED_ID, packed, price_places, rows_of
from trading.tables import BALANCES, EVENTS, JOURNAL, LEDGER, ORDERS, POSITIONS

ANN = AccountId("demo", 7)
ACCOUNTS = [account for user in (1, 2) for account in (AccountId("live", user), AccountId("demo", user))]
KEYS = {name: number for number, name in enumerate(DIGITS, 1)}
PRICES = {"EUR-USD": Market(Decimal("1.26630"), Decimal("1.26635"))}
ID = "0a1b2c3d-0000-4000-8000-00000000000a"
ORDER = PlaceOrder(
    account=ANN, id=ID, product="EUR-USD", side="buy", type="market", leverage=Decimal(100), amount=1_000_000,
    take_profit=Decimal("1.3"), client_order_id="mine",
)  # fmt: skip


def batch_of(records, stored_id=STORED_ID["postgresql"]):
    """Return what records come to, by way of the bytes that go to the journal's process."""
    return Batch(marshal.loads(packed(rows_of(record, KEYS, stored_id))) for record in records)


def given_records(*commands):
    book = Book()
    first = [SetTerms(terms=terms("EUR-USD")), OpenAccount(account=ANN)]
    return [book.handle(Input(command, 1_000 + at, PRICES)) for at, command in enumerate((*first, *commands))]


def named(table, row):
    return dict(zip(table.columns, row, strict=True))


def test_the_rows_of_a_market_order():
    record = given_records(ORDER)[2]
    batch = batch_of([record])
    [order], [position] = batch.orders.values(), batch.positions.values()
    shared = {
        "id": ID, "price": 12_663_500_000, "leverage": 1_000_000_000_000, "margin": 1_000_000_000,
        "liquidation_price": 12_579_100_000, "take_profit": 13_000_000_000, "stop_loss": None, "price_places": 5550,
        "updated_ms": None, "changed_serial": 3, "user_id": 7, "environment": "demo", "product_id": 1, "side": "buy",
        "kind": "", "amount": 1_000_000, "decay_rate": 200_000, "created_ms": 1_002, "client_order_id": "mine",
        "made_serial": 3,
    }  # fmt: skip
    assert named(ORDERS, order) == {**shared, "status": "activated", "ended_ms": 1_002, "valid_until_ms": None}
    assert named(POSITIONS, position) == {
        **shared, "status": "open", "closed_ms": None, "close_price": None, "pnl": None, "pnl_percent": None,
        "decay": None, "reason": "", "opened_ms": 1_002, "parent_id": None, "part": 0,
    }  # fmt: skip
    assert [named(LEDGER, row) for row in batch.ledger] == [
        {
            "serial": 2, "journal_serial": 3, "time_ms": 1_002, "currency": "BTC", "kind": "margin",
            "source": "user.cash", "target": "user.margin", "amount": 1_000_000_000, "reference": ID, "user_id": 7,
            "environment": "demo",
        }
    ]  # fmt: skip
    assert [named(BALANCES, row) for row in batch.balances.values()] == [
        {"user_id": 7, "environment": "demo", "currency": "BTC", "cash": 0, "margin": 1_000_000_000, "log_offset": 5}
    ]
    assert [named(EVENTS, row)["name"] for row in batch.events] == [
        "order:new", "order:activate", "position:new", "balance"
    ]  # fmt: skip
    [entry] = [named(JOURNAL, row) for row in batch.journal]
    assert (entry["serial"], entry["user_id"], entry["environment"], entry["kind"]) == (3, 7, "demo", "place_order")
    assert (entry["client_order_id"], entry["code"], entry["answer"]) == ("mine", "", record.answer.text)


def test_terms_are_nobodys():
    [entry] = batch_of(given_records()[:1]).journal
    assert named(JOURNAL, entry) | {"entry": ""} == {
        "serial": 1, "user_id": None, "environment": "", "kind": "set_terms", "time_ms": 1_000, "entry": "",
        "client_order_id": None, "code": "", "answer": "",
    }  # fmt: skip


def test_sqlite_spells_ids_without_dashes():
    batch = batch_of(given_records(ORDER)[2:], STORED_ID["sqlite"])
    assert [*batch.positions, *batch.orders] == [("0a1b2c3d000040008000" + "00000000000a",)] * 2


@pytest.mark.parametrize("price", ["1E+2", "1.0000000001"])
def test_a_price_with_places_that_no_product_has_is_refused(price):
    order = given_records(ORDER)[2].outcome.events[0].order
    with pytest.raises(ValueError, match="places"):
        price_places(
            type(order)(**{**{name: getattr(order, name) for name in order.__slots__}, "price": Decimal(price)})
        )
