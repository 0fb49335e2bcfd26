"""Which rows records come to: one order's in full, and merged as a batch would have them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.commands import ClosePosition, Input, OpenAccount, PlaceOrder, SetTerms
from engine.values import AccountId, Market
from tests.trading.histories import DIGITS, History, parts, terms
from trading.batch import BALANCES, EVENTS, JOURNAL, LEDGER, ORDERS, POSITIONS, STORED_ID, Batch, Row, price_places
from trading.book import Book

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
    return Batch(records, KEYS, stored_id)


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


def test_a_position_that_was_opened_and_closed_in_one_batch_is_one_new_row():
    opened, closed = given_records(ORDER, ClosePosition(account=ANN, id=ID))[2:]
    batch = batch_of([opened, closed])
    row = named(POSITIONS, batch.positions[ID])
    assert (row["status"], row["made_serial"], row["changed_serial"]) == ("closed", 3, 4)
    assert batch.new_positions == batch.new_orders == {ID}
    assert not batch_of([closed]).new_positions


def test_sqlite_spells_ids_without_dashes():
    batch = batch_of(given_records(ORDER)[2:], STORED_ID["sqlite"])
    assert [batch.positions[ID][0], batch.orders[ID][0]] == ["0a1b2c3d000040008000" + "00000000000a"] * 2


@pytest.mark.parametrize("price", ["1E+2", "1.0000000001"])
def test_a_price_with_places_that_no_product_has_is_refused(price):
    order = given_records(ORDER)[2].outcome.events[0].order
    with pytest.raises(ValueError, match="places"):
        price_places(
            type(order)(**{**{name: getattr(order, name) for name in order.__slots__}, "price": Decimal(price)})
        )


@given(st.integers(0, 2**32), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_however_records_are_batched_the_rows_come_to_the_same(seed, sizes):
    history = History(seed, ACCOUNTS)
    records = history.begin() + history.steps(60)
    whole = batch_of(records)
    orders: dict[str, Row] = {}
    positions: dict[str, Row] = {}
    balances: dict[AccountId, Row] = {}
    lists: tuple[list[Row], ...] = ([], [], [])
    for part in parts(records, tuple(sizes)):
        batch = batch_of(part)
        for changed, new, table, rows in (
            (batch.orders, batch.new_orders, ORDERS, orders),
            (batch.positions, batch.new_positions, POSITIONS, positions),
        ):
            assert new == changed.keys() - rows.keys()
            rows |= {key: table.changed(rows.get(key), row) for key, row in changed.items()}
        balances |= batch.balances
        for kept, added in zip(lists, (batch.journal, batch.events, batch.ledger), strict=True):
            kept.extend(added)
    assert (orders, positions, balances) == (whole.orders, whole.positions, whole.balances)
    assert lists == (whole.journal, whole.events, whole.ledger)
