"""A planted fault is found, and is gone when it is taken out again. (All ten: python -m simulation --all-bugs.)"""

import pytest

from engine import checks, closing, decide, placing, state
from simulation.bugs import BUGS, planted
from simulation.driver import Driver
from simulation.laws import Violation
from simulation.run import Plan, shortest, simulate

FOUND_HERE = {
    "stop_before_liquidation": ("naive: events", 10),
    "split_remainder_lost": ("law 4: a split conserves", 10),
    # A set of two keeps their order by chance, one of three or four rarely, and each order is three steps: the terms of
    # its product, a quote, the order itself. Account and reset are one step each.
    "reset_in_a_sets_order": ("naive: events", 4 * 3 + 2),
}
"""A fault's name -> the law that notices it, and how many steps suffice to show it, whatever PYTHONHASHSEED is."""


def engine_now():
    """Return what the engine's modules are made of."""
    return [dict(vars(module)) for module in (checks, closing, placing, state)], dict(decide.RULES)


def test_there_are_ten():
    assert len(BUGS) == 10


def law_broken_by(script):
    """Return the law that a script breaks, or ""."""
    try:
        Driver().play_all(script)
    except Violation as violation:
        return violation.law
    return ""


@pytest.mark.parametrize("name", FOUND_HERE)
def test_it_is_found_and_its_script_is_short(name):
    law, steps_max = FOUND_HERE[name]
    plan = Plan(seed="bugs", commands=20_000, target=100, bug=name)
    failure = simulate(plan, workers=1).failure
    assert failure is not None, f"{name} was not found"
    assert failure.law == law
    script = shortest(plan, failure, lambda: False)
    assert len(script) <= steps_max
    with planted(name):
        assert law_broken_by(script) == law
        assert not [step for place, step in enumerate(script) if law_broken_by(without(script, place)) == law]
    assert law_broken_by(script) == ""


def without(script, place):
    return script[:place] + script[place + 1 :]


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
