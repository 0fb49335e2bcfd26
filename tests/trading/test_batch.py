"""What records come to together: each trade and each account once, however they are batched."""

import marshal
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.commands import ClosePosition, Input, OpenAccount, PlaceOrder, SetTerms
from engine.values import AccountId, Market
from tests.trading.histories import DIGITS, History, parts, terms
from trading.batch import Batch
from trading.book import Book
from trading.rows import STORED_ID, packed, rows_of
from trading.tables import ORDERS, POSITIONS, Row

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


def test_a_position_that_was_opened_and_closed_in_one_batch_is_one_new_row():
    opened, closed = given_records(ORDER, ClosePosition(account=ANN, id=ID))[2:]
    batch = batch_of([opened, closed])
    row = named(POSITIONS, batch.positions[(ID,)])
    assert (row["status"], row["made_serial"], row["changed_serial"]) == ("closed", 3, 4)
    assert batch.new_positions == batch.new_orders == {(ID,)}
    assert not batch_of([closed]).new_positions


@given(st.integers(0, 2**32), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_however_records_are_batched_the_rows_come_to_the_same(seed, sizes):
    history = History(seed, ACCOUNTS)
    records = history.begin() + history.steps(60)
    whole = batch_of(records)
    orders: dict[Row, Row] = {}
    positions: dict[Row, Row] = {}
    balances: dict[Row, Row] = {}
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
