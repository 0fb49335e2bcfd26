"""Which rows a record comes to: one order's in full, and how each database spells them."""

from decimal import Decimal

import pytest

from engine.commands import ClosePosition
from tests.trading.written import ANN, ID, ORDER, batch_of, given_records, named
from trading.rows import STORED_ID, price_places
from trading.tables import BALANCES, EVENTS, JOURNAL, LEDGER, ORDERS, POSITIONS


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


def test_an_end_changes_nothing_else_of_a_trade():
    closed = given_records(ORDER, ClosePosition(account=ANN, id=ID))[3]
    batch = batch_of([closed])
    [position] = batch.positions.values()
    assert list(zip(POSITIONS.columns, position, strict=False)) == [
        ("id", ID), ("changed_serial", 4), ("status", "closed"), ("closed_ms", 1_003), ("close_price", 12_663_000_000),
        ("pnl", -3_948_350), ("pnl_percent", -3_948), ("decay", 0), ("reason", "manual"),
    ]  # fmt: skip


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
