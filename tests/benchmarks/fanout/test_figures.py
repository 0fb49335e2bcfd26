"""From runs to figures: what counts, what is left out, what is compared."""

import doctest

import pytest

from benchmarks.fanout import figures
from benchmarks.fanout.figures import by_workload, median, ratio
from tests.benchmarks.fanout.runs import run


def test_the_examples_are_true():
    assert doctest.testmod(figures).failed == 0


def test_runs_beside_other_work_are_left_out():
    found = median("tickwire", [run(messages=3_000), run(messages=9_000, other_cpu=0.3), run(messages=3_300)])
    assert found.per_s == 1_050
    assert (found.left_out, found.disturbed) == (1, False)


def test_where_all_runs_were_disturbed_they_count_and_it_is_said():
    found = median("tickwire", [run(messages=3_000, other_cpu=0.3), run(messages=6_000, other_cpu=0.9)])
    assert found.per_s == 1_500
    assert (found.left_out, found.disturbed) == (0, True)


def test_deliveries_count_for_each_second_that_the_server_worked():
    assert median("tickwire", [run(messages=3_000, seconds=3.0, server_cpu=0.5)]).per_cpu_s == 2_000


def test_a_server_too_idle_to_be_measured_divides_nothing_by_zero():
    assert median("ceiling", [run(server_cpu=0.0)]).per_cpu_s == 0


def test_a_median_is_taken_of_each_figure_by_itself():
    runs = [run(missing=at, latency_us={"p50": 100.0 - at}) for at in range(3)]
    assert median("tickwire", runs).value("missing") == 1
    assert median("tickwire", runs).value("latency_us.p50") == 99


def test_runs_are_grouped_in_the_order_in_which_they_came():
    medians = by_workload([run("tickwire"), run("plain"), run("plain", "W2"), run("tickwire")])
    assert {workload: list(peers) for workload, peers in medians.items()} == {
        "W1": ["tickwire", "plain"],
        "W2": ["plain"],
    }
    assert len(medians["W1"]["tickwire"].runs) == 2


@pytest.mark.parametrize("to", [None, 0.0])
def test_nothing_is_compared_with_nothing(to):
    assert ratio(5.0, to) is None
