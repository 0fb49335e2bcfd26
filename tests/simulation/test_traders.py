"""What the traders ask for: everything there is, and only what the engine may be asked."""

from random import Random

import pytest

from engine.commands import COMMANDS, Expire, PlaceOrder, SplitPosition, Trigger, UpdateTrade
from simulation.rounds import Round
from simulation.script import Do
from simulation.situations import Situations
from simulation.traders import Traders
from simulation.world import random_paths


@pytest.fixture(scope="module")
def asked():
    played = Round("traders", 0, target=100, naive=False, situations=Situations())
    played.run(3_000)
    return [step.command for step in played.script if isinstance(step, Do)]


def test_they_ask_for_everything(asked):
    # Triggers and expiries are the engine's own.
    assert {type(command) for command in asked} | {Trigger, Expire} == set(COMMANDS.values())


def test_ids_are_given_once(asked):
    orders = [command for command in asked if isinstance(command, PlaceOrder)]
    # A client that sends its order again after a crash sends the very same one.
    once = {id(order): order.id for order in orders}
    assert len(set(once.values())) > 0.95 * len(once)


def test_every_part_of_an_order_is_used(asked):
    orders = [command for command in asked if isinstance(command, PlaceOrder)]
    assert {order.type for order in orders} == {"market", "pending", "limit", "stop"}
    for name in ("price", "take_profit", "stop_loss", "valid_until_ms", "client_order_id"):
        assert {bool(getattr(order, name)) for order in orders} == {True, False}


def test_every_part_of_an_update_is_used(asked):
    updates = [command for command in asked if isinstance(command, UpdateTrade)]
    for name in ("price", "take_profit", "stop_loss", "leverage", "margin"):
        assert any(getattr(update, name) is not None for update in updates)


def test_a_split_is_of_the_shape_that_its_call_lets_through(asked):
    assert {5 <= command.first_percent <= 95 for command in asked if isinstance(command, SplitPosition)} == {True}


def test_they_strive_for_their_target():
    played = Round("target", 0, target=60, naive=False, situations=Situations())
    played.run(3_000)
    assert 30 < sum(played.open_trades) / len(played.open_trades) < 90


def test_the_same_chance_asks_for_the_same():
    def asked_with(seed):
        chance = Random(seed)
        traders = Traders(chance, random_paths(chance), 100)
        state = Round("state", 0, target=1, naive=False, situations=Situations()).driver.book.state
        return [traders.command(state, 0) for _ in range(100)]

    assert asked_with(1) == asked_with(1)
    assert asked_with(1) != asked_with(2)
