"""Every reason for a refusal has a way to it. When exactly, and when not, is in the tests of each rule."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.checks import MAX_TRADES
from engine.commands import Deposit, ResetAccount
from engine.refusals import Refusal, RefusalCode
from tests.engine.worlds import LIVE, START_MS, World


def in_a_market_that_is(state):
    world = World()
    world.market_is(state)
    return world.place()


def of_a_position(**changes):
    world = World()
    world.given_position()
    return world.update("t1", **changes)


def another_with_the_same_name():
    world = World()
    world.place(client_order_id="mine")
    return world.place(client_order_id="mine", side="sell")


def one_too_many():
    world = World()
    for _ in range(MAX_TRADES):
        world.place(amount=1)
    return world.place(amount=1)


def a_split_of_one_contract():
    world = World()
    world.given_position(amount=1)
    return world.split("t1")


WAYS: dict[RefusalCode, Callable[[], Any]] = {
    RefusalCode.UNKNOWN_PRODUCT: lambda: World().place(product="NO-SUCH"),
    RefusalCode.NOT_FOUND: lambda: World().close("t1"),
    RefusalCode.INVALID_PRICE: lambda: World().place(type="limit"),
    RefusalCode.PRICE_OFF_TICK: lambda: World().place(type="pending", price="1.266351"),
    RefusalCode.PRICE_WRONG_SIDE: lambda: World().place(type="limit", price="1.3"),
    RefusalCode.SIZE_OUT_OF_BOUNDS: lambda: World().place(amount=1_000_001),
    RefusalCode.LEVERAGE_NOT_ALLOWED: lambda: World().place(leverage=301),
    RefusalCode.MARGIN_NOT_ALLOWED: lambda: of_a_position(margin="3"),
    RefusalCode.INVALID_TAKE_PROFIT: lambda: of_a_position(take_profit="1.2"),
    RefusalCode.INVALID_STOP_LOSS: lambda: of_a_position(stop_loss="1.3"),
    RefusalCode.CANNOT_SPLIT: a_split_of_one_contract,
    RefusalCode.NOTHING_TO_UPDATE: of_a_position,
    RefusalCode.INVALID_AMOUNT: lambda: World().do(Deposit(account=LIVE, amount=Decimal(0))),
    RefusalCode.INSUFFICIENT_BALANCE: lambda: World().place(leverage=50),
    RefusalCode.MARKET_CLOSED: lambda: in_a_market_that_is("closed"),
    RefusalCode.PRICE_OUTDATED: lambda: in_a_market_that_is("stale"),
    RefusalCode.HALTED: lambda: in_a_market_that_is("halted"),
    RefusalCode.VALID_UNTIL_PAST: lambda: World().place(valid_until_ms=START_MS),
    RefusalCode.CLIENT_ORDER_ID_REUSED: another_with_the_same_name,
    RefusalCode.TOO_MANY_TRADES: one_too_many,
    RefusalCode.NOT_DEMO: lambda: World().do(ResetAccount(account=LIVE)),
}


@pytest.mark.parametrize("code", RefusalCode)
def test_every_code_is_the_answer_to_something_and_nothing_comes_of_it(code):
    outcome = WAYS[code]()
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.events) == (code, ())


def test_a_refusal_says_its_code_and_may_say_more():
    refusal = Refusal(RefusalCode.HALTED)
    assert (str(refusal), refusal.message) == ("halted", "")
    assert Refusal(RefusalCode.HALTED, "until noon").message == "until noon"
