"""The document's own events, byte for byte, and what comes behind its keys."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.events import (
    WIRE_NAMES,
    BalanceChanged,
    Closing,
    Order,
    OrderActivated,
    OrderCancelled,
    OrderPlaced,
    OrderUpdated,
    Position,
    PositionClosed,
    PositionOpened,
    PositionSplit,
    PositionUpdated,
)
from engine.wire import DATA, event_data, money, trade_object, trimmed
from tests.engine import documents
from tests.engine.documents import line
from tests.engine.worlds import DEMO

TRADE: dict[str, Any] = {
    "account": DEMO, "id": documents.TRADE_ID, "product": "EUR-USD", "side": "buy", "kind": "",
    "price": Decimal("1.26635"), "leverage": Decimal(300), "amount": 1_000_000, "margin": Decimal("3.33333333"),
    "liquidation_price": Decimal("1.26354"), "decay_rate": Decimal("0.0002"), "created_ms": documents.CREATED_MS,
}  # fmt: skip
ORDER = Order(**TRADE)
POSITION = Position(**TRADE, opened_ms=documents.OPENED_MS)
EXITS: dict[str, Any] = {"take_profit": Decimal("1.28898"), "stop_loss": Decimal("1.26477")}
CLOSING = Closing(
    Decimal("1.26995"), Decimal("2.84281590"), Decimal("85.2845"), "manual", Decimal("0E-8"), documents.CLOSED_MS
)
GOLDEN = [
    (OrderPlaced(ORDER), documents.ORDER_NEW),
    (OrderCancelled(ORDER), documents.ORDER_CANCEL),
    (OrderActivated(ORDER), documents.ORDER_ACTIVATE),
    (OrderUpdated(replace(ORDER, **EXITS, updated_ms=documents.ORDER_UPDATED_MS)), documents.ORDER_UPDATE),
    (PositionOpened(POSITION), documents.POSITION_NEW),
    (PositionUpdated(replace(POSITION, **EXITS, updated_ms=documents.POSITION_UPDATED_MS)), documents.POSITION_UPDATE),
    (PositionClosed(POSITION, CLOSING), documents.POSITION_CLOSE),
    (BalanceChanged(DEMO, Decimal("33.99388733")), documents.BALANCE),
]


@pytest.mark.parametrize(("event", "text"), GOLDEN, ids=[type(event).__name__ for event, _ in GOLDEN])
def test_the_documents_event_byte_for_byte(event, text):
    assert event_data(event) == line(text)


def test_a_split_shows_both_positions_in_full():
    first, second = replace(POSITION, id="a", parent_id=POSITION.id), replace(POSITION, id="b", parent_id=POSITION.id)
    parts = {"first_position": json.loads(line(documents.POSITION_NEW, id="a")),
             "second_position": json.loads(line(documents.POSITION_NEW, id="b"))}  # fmt: skip
    assert event_data(PositionSplit(POSITION, first, second)) == line(documents.POSITION_SPLIT, **parts)


def test_what_the_document_does_not_know_comes_behind_its_keys():
    pending = replace(ORDER, kind="limit", valid_until_ms=7, client_order_id="mine:1")
    more = {"order_type": "limit", "valid_until": 7, "client_order_id": "mine:1"}
    assert trade_object(pending) == line(documents.ORDER_NEW, type="pending", **more)


def test_a_position_that_was_pending_and_updated_says_so_behind_its_closing():
    position = replace(POSITION, kind="stop", updated_ms=9)
    expected = line(documents.POSITION_CLOSE, type="pending", updated_at=9, order_type="stop")
    assert trade_object(position, CLOSING) == expected


def test_a_liquidation_in_the_documents_words():
    lost = Closing(
        Decimal("1.26354"), Decimal("-3.33333333"), Decimal("-100.0000"), "liquidation", Decimal(0), CLOSING.time_ms
    )
    changes = {"close_price": "1.26354", "pnl": "-3.33333333", "pnl_percent": "-100.0000", "reason": "liquidation"}
    assert trade_object(POSITION, lost) == line(documents.POSITION_CLOSE, **changes)


def test_numbers_keep_the_places_that_the_page_names():
    trade = replace(
        POSITION, price=Decimal("1.20000"), leverage=Decimal("150.50"), amount=1, margin=Decimal("5"),
        decay_rate=Decimal("0.00030"),
    )  # fmt: skip
    shown = json.loads(trade_object(trade, replace(CLOSING, pnl=Decimal("0E-8"), decay=Decimal("0.00060000"))))
    assert (shown["price"], shown["leverage"], shown["base_size"]) == ("1.20000", "150.5", "0.001")
    assert (shown["margin"], shown["pnl"], shown["decay"]) == ("5.00000000", "0.00000000", "0.0006")
    assert (shown["amount"], shown["decay_rate"]) == (1, "0.0003")


def test_exactly_what_owners_are_told_has_words():
    assert DATA.keys() == WIRE_NAMES.keys()


@given(st.integers(-(10**18), 10**18).map(lambda satoshis: Decimal(satoshis).scaleb(-8)))
def test_money_is_written_with_eight_places_and_read_back_exactly(amount):
    text = money(amount)
    assert Decimal(text) == amount
    assert len(text.partition(".")[2]) == 8


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=10))
def test_a_trimmed_number_is_the_same_one_without_an_end_of_zeros(number):
    text = trimmed(number)
    assert Decimal(text) == number
    assert "e" not in text.lower()
    assert not ("." in text and text[-1] in "0.")


@pytest.mark.parametrize(("number", "text"), [("0", "0"), ("1E+3", "1000"), ("100", "100")])
def test_a_trimmed_number_at_its_edges(number, text):
    assert trimmed(Decimal(number)) == text
