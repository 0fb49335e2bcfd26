"""100,000 commands without a violated law; and that what comes out depends on the plan alone."""

import os
import subprocess
import sys

import pytest

from simulation.run import ENOUGH_COMMANDS, Outcome, Plan, shortest, simulate
from simulation.script import as_test
from simulation.situations import SITUATIONS
from tests.plugins.services import ROOT

FAULT_SHRINK_TRIES = 200


def assert_all_laws_hold(plan) -> Outcome:
    """Play the plan; when a law does not hold, fail with a short script."""
    outcome = simulate(plan, workers=1)
    if outcome.failure is not None:
        tries = iter(range(FAULT_SHRINK_TRIES))
        script = shortest(plan, outcome.failure, lambda: next(tries, None) is None)
        pytest.fail(f"{outcome.failure.says}\n{as_test('again', outcome.failure.law, script)}")
    return outcome


@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_all_laws_hold_and_the_naive_model_agrees(seed):
    outcome = assert_all_laws_hold(Plan(seed=seed, commands=10_000))
    assert outcome.commands >= 10_000


def test_all_laws_hold_in_a_full_house():
    assert_all_laws_hold(Plan(seed="5", commands=20_000, target=400, naive=False))


def test_all_laws_hold_and_every_situation_occurs():
    outcome = assert_all_laws_hold(Plan(seed="6", commands=40_000, target=150, naive=False))
    assert not [name for name in SITUATIONS if not outcome.counts[name]]


def test_the_number_of_cores_changes_nothing():
    plan = Plan(seed="cores", commands=6_000, target=20, naive=False)
    alone, together = simulate(plan, workers=1), simulate(plan, workers=2)
    assert (alone.digest, alone.counts, alone.commands) == (together.digest, together.counts, together.commands)


def test_another_process_hash_seed_and_time_zone_change_nothing():
    code = "from simulation.run import *; print(simulate(Plan(seed='7', commands=1_500), workers=1).digest)"
    digests = set()
    for hash_seed, time_zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": time_zone}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1
    assert digests != {""}


def test_another_seed_is_another_run():
    one, other = (simulate(Plan(seed=seed, commands=500, naive=False), workers=1) for seed in ("1", "2"))
    assert one.digest != other.digest


def test_a_run_that_is_long_enough_misses_what_never_occurred():
    assert Outcome(commands=ENOUGH_COMMANDS).missing() == list(SITUATIONS)
    assert not Outcome(commands=ENOUGH_COMMANDS - 1).missing()


def test_a_failure_ends_the_run():
    told = []
    plan = Plan(seed="fails", commands=50_000, bug="duplicate_executed", naive=False)
    outcome = simulate(plan, workers=1, advance=lambda so_far: told.append(so_far.commands))
    assert outcome.failure is not None
    assert outcome.failure.number == 0
    assert len(told) == 1
