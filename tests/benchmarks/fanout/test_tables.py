"""Tables: the columns of each question, and what is compared with what."""

import pytest

from benchmarks.fanout.figures import by_workload
from benchmarks.fanout.tables import COLUMNS, tables
from benchmarks.fanout.workloads import W1, WORKLOADS
from tests.benchmarks.fanout.runs import run


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def row_of(server, lines):
    return dict(zip(cells(lines[2]), next(cells(line) for line in lines if server in line), strict=True))


def test_a_server_stands_beside_both_that_it_is_compared_with():
    runs = [run("tickwire", messages=90_000), run("plain", messages=1_500), run("ceiling", messages=100_000)]
    lines = tables([W1], by_workload(runs))
    tickwire = row_of("Tickwire", lines)
    assert tickwire["per CPU second"] == "60,000"
    assert (tickwire["of A"], tickwire["of H"]) == ("60 ×", "90 %")  # noqa: RUF001
    assert (tickwire["p50 ms"], tickwire["p99 ms"]) == ("0.50", "1.25")


def test_where_the_other_was_not_measured_nothing_is_compared():
    tickwire = row_of("Tickwire", tables([W1], by_workload([run("tickwire")])))
    assert (tickwire["of A"], tickwire["of H"]) == ("-", "-")


def test_what_was_disturbed_is_said():
    assert row_of("Tickwire", tables([W1], by_workload([run(other_cpu=0.9)])))["runs"] == "1 (disturbed)"


def test_what_was_not_measured_has_no_table():
    lines = tables(WORKLOADS, by_workload([run(workload="W1")]))
    assert [line for line in lines if line.startswith("## ")] == [f"## W1: {W1.title}"]


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_question_has_a_workload_and_its_server(kind):
    assert any(workload.kind == kind and "tickwire" in workload.peers for workload in WORKLOADS)
    assert COLUMNS[kind][0][0] == "server"


def test_memory_is_said_per_connection():
    memory = next(workload for workload in WORKLOADS if workload.kind == "memory")
    lines = tables([memory], by_workload([run(workload=memory.name, memory_kib=48_000.0)]))
    assert row_of("Tickwire", lines)["KiB per connection"] == "24.0"


def test_the_event_stream_stands_beside_what_was_measured_on_the_tick_stream():
    runs = [run("plain", messages=1_500), run("ceiling", messages=50_000), run(workload="E1", messages=45_000)]
    lines = tables(WORKLOADS, by_workload(runs))
    tickwire = row_of("Tickwire", lines[lines.index(next(line for line in lines if line.startswith("## E1:"))) :])
    assert (tickwire["of A"], tickwire["of H"]) == ("30 ×", "90 %")  # noqa: RUF001


def test_lateness_is_compared_with_the_c_servers():
    late = next(workload for workload in WORKLOADS if workload.name == "W2")
    runs = [run(workload="W2"), run("ceiling", "W2", latency_us={"p50": 400.0, "p99": 1_000.0, "p999": 1_000.0})]
    tickwire = row_of("Tickwire", tables([late], by_workload(runs)))
    assert (tickwire["p50 of H"], tickwire["p99 of H"]) == ("1.25 ×", "1.25 ×")  # noqa: RUF001


def test_connections_count_for_each_second_that_the_server_worked():
    connect = next(workload for workload in WORKLOADS if workload.kind == "connect")
    runs = [run(workload="connect", per_s=600.0), run("plain", "connect", per_s=150.0, server_cpu=0.25)]
    tickwire = row_of("Tickwire", tables([connect], by_workload(runs)))
    assert (tickwire["per CPU second"], tickwire["of A"]) == ("1,200", "2.00 ×")  # noqa: RUF001


def test_what_is_compared_elsewhere_is_measured_there():
    names = {workload.name: workload for workload in WORKLOADS}
    assert all("plain" in names[workload.plain].peers for workload in WORKLOADS if workload.plain)
    assert all("ceiling" in names[workload.ceiling].peers for workload in WORKLOADS if workload.ceiling)
