"""A session's runs: what is said about them as a whole."""

from benchmarks.fanout.rounds import Session
from tests.benchmarks.fanout.runs import run


def test_it_says_how_many_runs_count():
    session = Session([run(), run(other_cpu=0.5), run()])
    assert session.lines() == ["- 3 runs, 1 of them disturbed by other work; medians of the others"]


def test_a_failure_is_said_once_however_often_it_came():
    session = Session(failures=["Starlette, W1: no room", "Starlette, W1: no room"])
    assert session.lines()[1:] == ["- **failed:** Starlette, W1: no room"]
