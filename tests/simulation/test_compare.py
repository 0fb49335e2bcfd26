"""An engine that is of another mind than the naive model is noticed: each test changes one thing in the model."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.commands import CancelOrder, ClosePosition
from simulation.laws import Violation
from tests.simulation.helpers import DEMO, do, given_world, order, quoted


@pytest.fixture
def world():
    pending = order("t2", type="pending", price=Decimal("1.05"), valid_until_ms=1_700_000_060_000)
    return given_world(do(order("t1")), do(pending))


def model(world):
    return world.comparison.naive.accounts[DEMO]


def test_two_of_one_mind_are_left_alone(world):
    world.check_all()


@pytest.mark.parametrize(
    ("field", "law"),
    [
        ("price", "prices"), ("liquidation", "prices"), ("margin", "margin"), ("leverage", "leverage"),
        ("decay_rate", "decay rate"), ("amount", "words"), ("created", "words"), ("opened", "opened"),
    ],
)  # fmt: skip
def test_every_number_of_a_trade_counts(world, field, law):
    trade = model(world).trades["t1"]
    model(world).trades["t1"] = replace(trade, **{field: getattr(trade, field) + 1})
    with pytest.raises(Violation, match=f"naive: {law}"):
        world.check_all()


def test_another_balance(world):
    model(world).cash += 1
    with pytest.raises(Violation, match="naive: balance"):
        world.check_all()


def test_a_trade_that_only_one_knows(world):
    del model(world).trades["t2"]
    with pytest.raises(Violation, match="naive: open trades"):
        world.check_all()


def test_another_refusal(world):
    del model(world).trades["t2"]
    with pytest.raises(Violation, match="naive: refusal"):
        world.play(do(CancelOrder(account=DEMO, id="t2"), 1))


def test_other_events(world):
    model(world).trades["t1"] = replace(model(world).trades["t1"], price=100_000)
    with pytest.raises(Violation, match="naive: events"):
        world.play(do(ClosePosition(account=DEMO, id="t1"), 1))


def test_a_quote_that_reaches_something_else(world):
    model(world).trades["t1"] = replace(model(world).trades["t1"], stop_loss=109_990)
    with pytest.raises(Violation, match="naive: what a quote reaches"):
        world.play(quoted("1.09980", "1.09982", 1))


def test_an_order_that_expires_at_another_time(world):
    model(world).trades["t2"] = replace(model(world).trades["t2"], valid_until=1_700_000_000_001)
    with pytest.raises(Violation, match="naive: what has expired"):
        world.play(quoted("1.10000", "1.10002", 1))


def test_the_place_in_the_order_counts(world):
    world.play(do(order("t3"), 1))
    trades = model(world).trades
    trades["t1"] = trades.pop("t1")
    with pytest.raises(Violation, match="naive: order of the positions"):
        world.check_all()
