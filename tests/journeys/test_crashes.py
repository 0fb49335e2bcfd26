"""Twenty kills under load, at any moment and at every point of a transaction, and nothing is lost (docs/crashes.md)."""

import random

import pytest

from tests.crashes.doom import JOURNAL, POINTS
from tests.crashes.places import PostgresPlace, SqlitePlace
from tests.crashes.trial import run_trial

KILLS = 20


def trial(place):
    """Run a trial with a seed of its own; a failure says which."""
    with place:
        return run_trial(place, kills=KILLS, seed=random.randrange(10**6))


def assert_it_was_one(course):
    """A trial in which nothing was at stake has shown nothing."""
    assert course.tally.kills.total() == KILLS
    assert {point for _, point in course.tally.kills} >= set(POINTS)
    assert course.tally.acknowledged > 50
    assert course.tally.unknown
    assert course.tally.resumes > KILLS


@pytest.mark.once
def test_a_killed_process_on_sqlite_loses_nothing(tmp_path):
    assert_it_was_one(trial(SqlitePlace(tmp_path)))


@pytest.mark.cluster
def test_killed_processes_valkey_and_postgresql_lose_nothing(tmp_path):
    course = trial(PostgresPlace(tmp_path))
    assert_it_was_one(course)
    assert {target for target, _ in course.tally.kills} - {JOURNAL} == set(PostgresPlace.weights)
