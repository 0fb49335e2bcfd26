"""What the asker is told: the object that the events tell too; to the same order again, the same text again."""

import json
from decimal import Decimal

import pytest

from engine.answers import answer_of
from engine.commands import Deposit, Expire, OpenAccount, ResetAccount, SetTerms, Trigger, Withdraw
from engine.events import WIRE_NAMES
from engine.wire import event_data
from tests.engine.worlds import DEMO, LIVE, START_MS, World, terms


def answer(world, outcome) -> str:
    assert outcome.refusal is None
    return answer_of(world.state, outcome, words(outcome))


def words(outcome) -> list[str]:
    return [event_data(event) for event in outcome.events if type(event) in WIRE_NAMES]


@pytest.fixture
def world():
    """Return a world with a position t1 and a pending order t2."""
    world = World()
    world.given_position(amount=100_000)
    world.given_order(amount=100_000, price="1.2", valid_until_ms=START_MS + 1)
    return world


@pytest.mark.parametrize("params", [{}, {"type": "pending", "price": "1.2"}], ids=["market", "pending"])
def test_a_new_order_is_answered_with_the_order(world, params):
    outcome = world.place(amount=100_000, **params)
    assert answer(world, outcome) == event_data(outcome.events[0])
    assert json.loads(answer(world, outcome))["id"] == "t3"


def test_the_same_order_again_is_answered_alike_whatever_has_become_of_it(world):
    params = {"amount": 100_000, "type": "pending", "price": "1.21", "client_order_id": "mine"}
    first = answer(world, world.place(**params))
    world.update("t3", price="1.22", leverage="100")
    world.cancel("t3")
    assert answer(world, world.place(**params)) == first


@pytest.mark.parametrize("identifier", ["t1", "t2"])
def test_an_update_is_answered_with_the_whole_object(world, identifier):
    outcome = world.update(identifier, leverage="200")
    assert answer(world, outcome) == event_data(outcome.events[0])
    assert json.loads(answer(world, outcome))["leverage"] == "200"


def test_a_close_is_answered_with_the_position_and_how_it_ended(world):
    outcome = world.close("t1")
    assert answer(world, outcome) == event_data(outcome.events[0])
    assert json.loads(answer(world, outcome))["reason"] == "manual"


def test_a_cancel_is_answered_with_the_id(world):
    assert answer(world, world.cancel("t2")) == '{"id":"t2"}'


def test_a_split_is_answered_with_both_parts(world):
    outcome = world.split("t1", 40)
    assert answer(world, outcome) == f'{{"success":true,"data":{event_data(outcome.events[0])}}}'


@pytest.mark.parametrize(
    ("command", "cash"),
    [
        (Deposit(account=LIVE, amount=Decimal(1)), "11.00000000"),
        (Withdraw(account=LIVE, amount=Decimal(1)), "9.00000000"),
        (ResetAccount(account=DEMO), "10.00000000"),
        (OpenAccount(account=DEMO._replace(user_id=9)), "10.00000000"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whoever_moves_money_is_answered_with_the_balance(world, command, cash):
    assert answer(world, world.do(command)) == f'{{"BTC":"{cash}"}}'


def test_nobody_waits_for_the_rest(world):
    world.later(1)
    assert answer(world, world.do(SetTerms(terms=terms(halted=True)))) == ""
    assert answer(world, world.do(OpenAccount(account=DEMO))) == ""
    assert answer(world, world.do(Expire(account=DEMO, id="t2"))) == ""
    world.do(SetTerms(terms=terms()))
    world.markets = World(bid="1.2").markets
    assert answer(world, world.do(Trigger(account=DEMO, id="t1"))) == ""
