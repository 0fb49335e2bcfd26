"""Beside each measurement stands how fast the machine was."""

from benchmarks.pace import Pace


def test_the_slower_moment_counts():
    pace = Pace(sample=iter([1.0, 2.0, 2.5, 1.25]).__next__)
    assert pace.beside(lambda: "first") == ("first", 2.0)
    assert pace.beside(lambda: "second") == ("second", 2.5)
    assert (pace.best_s, pace.part(2.5)) == (1.0, 0.4)


def test_the_machines_own_speed_is_measured():
    pace = Pace()
    assert 0 < pace.now_s() < 10
    assert pace.part(pace.best_s) == 1
