"""The growth curves: what is measured, and which points that gives."""

from benchmarks.fanout import growth
from benchmarks.fanout.figures import by_workload
from tests.benchmarks.fanout.runs import run


def test_the_same_work_is_spread_over_ever_more_connections():
    late = [workload for workload in growth.connections() if workload.name.startswith("late")]
    asked = [workload.connections * int(workload.command.split()[1]) for workload in late]
    assert [workload.connections for workload in late] == list(growth.CONNECTIONS)
    assert all(0.9 * growth.DELIVERIES_PER_S < per_s <= growth.DELIVERIES_PER_S for per_s in asked)


def test_a_curve_has_a_point_for_every_count_that_was_measured():
    medians = by_workload([run(workload="most 100", messages=1_500), run(workload="most 1000", messages=4_500)])
    found = growth.curves(medians, "most", growth.CONNECTIONS, lambda median, _: median.per_cpu_s)
    assert found == {"Tickwire": [(100, 1_000), (1_000, 3_000)]}


def test_a_table_leaves_out_what_was_not_measured():
    lines = growth.table("connections", {"a": [(100, 5.0), (1_000, 7.0)], "b": [(100, 2_000.0)]})
    assert lines[2:] == ["| 100 | 5 | 2 k |", "| 1,000 | 7 | - |"]


def test_names_of_workloads_are_told_apart():
    names = [workload.name for workload in (*growth.connections(), *growth.products(), *growth.workers())]
    assert len(names) == len(set(names))
