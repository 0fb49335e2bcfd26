"""A measurement counts when the machine was at full speed before and after it."""

from itertools import count

from benchmarks.pace import ATTEMPTS, Pace


def paced(*took_s: float) -> Pace:
    return Pace(sample=iter(took_s).__next__)


def test_a_measurement_at_full_speed_is_made_once():
    assert paced(1.0, 1.1).at_full_speed(count(1).__next__) == (1, 1.1)


def test_one_beside_which_the_machine_was_slow_is_made_again():
    pace = paced(1.0, 2.0, 1.9, 1.0, 1.0, 1.05)
    assert pace.at_full_speed(count(1).__next__) == (3, 1.05)


def test_what_is_slow_all_the_time_is_the_attempt_at_the_best_speed():
    pace = paced(1.0, *[2.0, 3.0] * (ATTEMPTS - 2), 1.8, 1.7, 2.0, 2.0)
    pace.now_s()
    result, took_s = pace.at_full_speed(count(1).__next__)
    assert (result, took_s) == (ATTEMPTS - 1, 1.8)
    assert round(pace.part(took_s), 2) == 0.56


def test_the_machines_own_speed_is_measured():
    pace = Pace()
    assert 0 < pace.now_s() < 10
    assert pace.part(pace.best_s) == 1
