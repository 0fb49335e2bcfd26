"""A state that breaks a law is noticed, by the law's name: each test breaks one."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.commands import CancelOrder, ClosePosition, Input, SplitPosition
from engine.events import BalanceChanged, MoneyMoved, PositionOpened, PositionSplit
from simulation.laws import Violation
from tests.simulation.helpers import DEMO, LIVE, NOW_MS, do, given_world, market, order
from trading.live import Answer

PRICE = market("1.10000", "1.10002")


@pytest.fixture
def world():
    """A world with an open position `t1` and a pending order `t2`."""
    pending = order("t2", type="pending", price=Decimal("1.05"), client_order_id="mine")
    return given_world(do(order("t1")), do(pending), naive=False)


def record_of(world, command):
    return world.book.handle(Input(command, NOW_MS, PRICE))


def without(record, kind):
    """Return the record as if one kind of event had been forgotten."""
    kept = tuple(event for event in record.outcome.events if not isinstance(event, kind))
    return record._replace(outcome=record.outcome._replace(events=kept))


def changed(record, event_type, /, **changes):
    events = tuple(
        replace(event, **changes) if isinstance(event, event_type) else event for event in record.outcome.events
    )
    return record._replace(outcome=record.outcome._replace(events=events))


def test_a_good_world_breaks_none(world):
    world.check_all()


def test_cash_that_came_from_nowhere(world):
    world.book.state.accounts[DEMO].cash += 1
    with pytest.raises(Violation, match="law 2: a balance is the sum"):
        world.check_all()


def test_margin_of_a_trade_that_is_gone(world):
    del world.book.state.accounts[DEMO].orders["t2"]
    with pytest.raises(Violation, match="law 2: margin is that of the open trades"):
        world.check_all()


def test_the_houses_money_that_came_from_nowhere(world):
    world.book.state.house["demo", "house.pnl"] = Decimal(1)
    with pytest.raises(Violation, match="law 2: a balance is the sum"):
        world.check_all()


def test_a_profit_that_the_house_does_not_know(world):
    world.laws.gained["demo"] += 1
    with pytest.raises(Violation, match="law 4"):
        world.check_all()


def test_a_trigger_that_nothing_waits_for(world):
    world.book.state.triggers["EUR-USD"].add("bid", "above", Decimal(2), "t9")
    with pytest.raises(Violation, match="index: triggers differ"):
        world.check_all()


def test_a_trigger_that_is_gone(world):
    world.book.state.triggers["EUR-USD"].remove("ask", "below", Decimal("1.05"), "t2")
    with pytest.raises(Violation, match="index: triggers differ"):
        world.check_all()


def test_an_order_that_ends_twice(world):
    record = record_of(world, CancelOrder(account=DEMO, id="t2"))
    world.laws.check(world.book, record)
    with pytest.raises(Violation, match="law 3: one end per order"):
        world.laws.check(world.book, record)


def test_a_position_that_ends_twice(world):
    record = record_of(world, ClosePosition(account=DEMO, id="t1"))
    world.laws.check(world.book, record)
    with pytest.raises(Violation, match="law 3: one end per position"):
        world.laws.check(world.book, record)


def test_an_activation_without_a_position(world):
    record = without(record_of(world, order("t3")), PositionOpened)
    with pytest.raises(Violation, match="law 3: an activation has its position"):
        world.laws.check(world.book, record)


def test_a_margin_that_is_not_given_back(world):
    record = without(record_of(world, CancelOrder(account=DEMO, id="t2")), MoneyMoved)
    with pytest.raises(Violation, match="kept of an ended one"):
        world.laws.check(world.book, record)


def test_a_loss_that_is_taken_from_the_cash(world):
    record = record_of(world, ClosePosition(account=DEMO, id="t1"))
    with pytest.raises(Violation, match="law 4: a position loses at most its margin"):
        world.laws.check(world.book, changed(record, MoneyMoved, source="user.cash", target="house.pnl", kind="loss"))


def test_a_movement_of_less_than_nothing(world):
    record = record_of(world, CancelOrder(account=DEMO, id="t2"))
    with pytest.raises(Violation, match="law 1: every transfer balances"):
        world.laws.check(world.book, changed(record, MoneyMoved, amount=Decimal(-1)))


def test_a_split_that_loses_something(world):
    record = record_of(world, SplitPosition(account=DEMO, id="t1", first_percent=40, first_id="a", second_id="b"))
    (event,) = record.outcome.events
    assert isinstance(event, PositionSplit)
    less = replace(event.first, margin=event.first.margin - Decimal("0.00000001"))
    with pytest.raises(Violation, match="law 4: a split conserves"):
        world.laws.check(world.book, changed(record, PositionSplit, first=less))


def test_a_change_of_the_cash_that_is_not_told(world):
    record = record_of(world, CancelOrder(account=DEMO, id="t2"))
    silent = without(record._replace(log=record.log[:-1]), BalanceChanged)
    with pytest.raises(Violation, match="each change of the cash is told"):
        world.laws.check(world.book, silent)


def test_an_event_that_is_missing_in_the_log(world):
    record = record_of(world, CancelOrder(account=DEMO, id="t2"))
    with pytest.raises(Violation, match="law 7"):
        world.laws.check(world.book, record._replace(log=record.log[:1]))


def test_a_hole_in_the_log(world):
    record = record_of(world, CancelOrder(account=DEMO, id="t2"))
    with pytest.raises(Violation, match="law 7"):
        world.laws.check(world.book, record._replace(log=record.log[1:]))


def test_an_event_that_another_account_is_told(world):
    record = record_of(world, CancelOrder(account=DEMO, id="t2"))
    astray = tuple(logged._replace(account=LIVE) for logged in record.log)
    with pytest.raises(Violation, match="environments never mix"):
        world.laws.check(world.book, record._replace(log=astray))


def test_a_duplicate_that_is_done_again(world):
    del world.book.state.requests[DEMO, "mine"]
    again = order("t5", type="pending", price=Decimal("1.05"), client_order_id="mine")
    with pytest.raises(Violation, match="law 6: duplicates change nothing: events"):
        world.laws.check(world.book, record_of(world, again))


def test_a_duplicate_that_is_answered_otherwise(world):
    again = order("t5", type="pending", price=Decimal("1.05"), client_order_id="mine")
    record = record_of(world, again)._replace(answer=Answer("{}"))
    with pytest.raises(Violation, match="law 6: duplicates change nothing: answer"):
        world.laws.check(world.book, record)


def test_another_order_of_the_same_name_that_is_taken_for_it(world):
    other = order("t5", type="pending", price=Decimal("1.06"), client_order_id="mine")
    record = record_of(world, other)._replace(answer=Answer("{}"))
    with pytest.raises(Violation, match="law 6: duplicates change nothing: another body"):
        world.laws.check(world.book, record)
