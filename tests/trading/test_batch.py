"""What records come to together: each trade and each account once, however they are batched."""

from hypothesis import given
from hypothesis import strategies as st

from engine.commands import ClosePosition
from engine.values import AccountId
from tests.trading.histories import History, parts
from tests.trading.written import ANN, ID, ORDER, batch_of, given_records, named
from trading.tables import ORDERS, POSITIONS, Row

ACCOUNTS = [account for user in (1, 2) for account in (AccountId("live", user), AccountId("demo", user))]


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
