"""Deciding reads, evolving writes; each command has its rule and gets the prices that it needs."""

import gc
import weakref
from decimal import Decimal
from typing import Any, get_args

import pytest

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    Expire,
    Input,
    OpenAccount,
    ResetAccount,
    SetTerms,
    SplitPosition,
    Trigger,
    UpdateTrade,
    Withdraw,
)
from engine.decide import RULES, decide, handle, products_needed
from engine.events import TermsSet
from engine.state import State, evolve
from tests.engine.worlds import DEMO, EUR, OTHER, World, picture, place_order, terms


def test_every_command_has_its_rule():
    assert set(RULES) == set(get_args(Command))


PARTS: dict[str, Any] = {"first_percent": 50, "first_id": "t1a", "second_id": "t1b"}
COMMANDS = [
    place_order("t9"),
    place_order("t9", client_order_id="mine", leverage=0),
    place_order("t9", type="pending", price="1.2", client_order_id="mine"),
    CancelOrder(account=DEMO, id="t2"),
    ClosePosition(account=DEMO, id="t1"),
    UpdateTrade(account=DEMO, id="t1", margin=Decimal(4)),
    UpdateTrade(account=DEMO, id="t2", price=Decimal("1.21")),
    SplitPosition(account=DEMO, id="t1", **PARTS),
    Trigger(account=DEMO, id="t3"),
    Expire(account=DEMO, id="t2"),
    OpenAccount(account=DEMO._replace(user_id=9)),
    Deposit(account=DEMO, amount=Decimal(1)),
    Withdraw(account=DEMO, amount=Decimal(1)),
    ResetAccount(account=DEMO),
    SetTerms(terms=terms(halted=True)),
]


@pytest.fixture
def world():
    """Return a world with a position t1, an order t2 that is over its time, and a position t3 to be liquidated."""
    world = World()
    world.given_position(amount=100_000)
    world.given_order(amount=100_000, price="1.2", valid_until_ms=world.now_ms + 1)
    world.given_position(amount=100_000, side="sell")
    world.later(1)
    world.markets[EUR] = World(bid="1.26980", ask="1.26985").markets[EUR]
    return world


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_deciding_changes_nothing_and_evolving_by_its_events_does_all(world, number):
    entry = Input(COMMANDS[number], world.now_ms, world.markets)
    before = picture(world.state)
    outcome = decide(world.state, entry)
    assert picture(world.state) == before
    assert outcome.events == decide(world.state, entry).events != ()
    assert handle(world.state, entry).events == outcome.events
    assert picture(world.state) != before
    rebuilt = State()
    for event in [*world.events, *outcome.events]:
        evolve(rebuilt, event)
    assert picture(rebuilt) == picture(world.state)


@pytest.mark.parametrize(
    ("command", "products"),
    [
        (place_order("t9"), (EUR,)), (place_order("t9", product="NO-SUCH"), ("NO-SUCH",)),
        (UpdateTrade(account=DEMO, id="t1"), (EUR,)), (UpdateTrade(account=DEMO, id="t2"), (EUR,)),
        (ClosePosition(account=DEMO, id="t1"), (EUR,)), (ClosePosition(account=DEMO, id="t9"), ()),
        (Trigger(account=DEMO, id="t2"), (EUR,)), (ResetAccount(account=DEMO), (EUR,)),
        (ResetAccount(account=OTHER), ()), (ResetAccount(account=OTHER._replace(user_id=9)), ()),
        (CancelOrder(account=DEMO, id="t2"), ()), (Deposit(account=DEMO, amount=Decimal(1)), ()),
        (SplitPosition(account=DEMO, id="t1", **PARTS), ()),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_command_gets_the_prices_of_the_products_that_it_touches(world, command, products):
    assert products_needed(world.state, command) == products


def test_terms_are_made_known_once(world):
    changed = SetTerms(terms=terms(max_leverage=Decimal(100)))
    assert world.do(SetTerms(terms=terms())).events == ()
    assert world.do(changed).events == (TermsSet(changed.terms),)
    assert world.do(changed).events == ()


def test_new_terms_leave_what_is_open_as_it_is(world):
    before = world.state.trade("t1")
    world.do(SetTerms(terms=terms(liquidation_fraction=(1, 3), decay_rate=Decimal(1), max_leverage=Decimal(2))))
    assert world.state.trade("t1") is before
    assert world.close("t1").refusal is None


def test_a_refused_outcome_is_gone_with_its_last_reader(world):
    class Seen:
        """Something of the caller's, to be seen going."""

    def refused():
        mine = Seen()
        outcome = decide(world.state, Input(CancelOrder(account=DEMO, id="nobody's"), world.now_ms))
        assert outcome.refusal is not None
        return weakref.ref(mine)

    gc.disable()
    try:
        assert refused()() is None
    finally:
        gc.enable()
