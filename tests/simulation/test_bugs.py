"""A planted fault is found, and is gone when it is taken out again. (All ten: python -m simulation --all-bugs.)"""

import pytest

from engine import checks, closing, decide, placing, state
from simulation.bugs import BUGS, planted
from simulation.driver import Driver
from simulation.laws import Violation
from simulation.run import Plan, shortest, simulate

FOUND_HERE = {
    "stop_before_liquidation": "naive: events",
    "split_remainder_lost": "law 4: a split conserves",
    "reset_in_a_sets_order": "naive: events",
}


def engine_now():
    """Return what the engine's modules are made of."""
    return [dict(vars(module)) for module in (checks, closing, placing, state)], dict(decide.RULES)


def test_there_are_ten():
    assert len(BUGS) == 10


@pytest.mark.parametrize("name", FOUND_HERE)
def test_it_is_found_and_its_script_is_short(name):
    plan = Plan(seed="bugs", commands=20_000, target=100, bug=name)
    failure = simulate(plan, workers=1).failure
    assert failure is not None, f"{name} was not found"
    assert failure.law == FOUND_HERE[name]
    script = shortest(plan, failure, lambda: False)
    assert len(script) <= 10
    with planted(name), pytest.raises(Violation):
        Driver().play_all(script)
    Driver().play_all(script)


@pytest.mark.parametrize("name", BUGS)
def test_it_is_gone_when_it_is_taken_out(name):
    before = engine_now()
    with planted(name):
        assert engine_now() != before
    assert engine_now() == before


def test_no_name_plants_nothing():
    before = engine_now()
    with planted(""):
        assert engine_now() == before
