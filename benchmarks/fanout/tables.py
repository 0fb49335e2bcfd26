"""The figures as tables: one per workload, a row per server, the columns that its question is about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import report
from benchmarks.fanout.figures import Median, ratio
from benchmarks.fanout.servers import TITLES
from benchmarks.fanout.workloads import Kind, Workload

PLAIN, CEILING = "plain", "ceiling"
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One server under a workload, beside the two it is compared with (None when they were not measured)."""

    median: Median
    workload: Workload
    plain: Median | None
    ceiling: Median | None

    def number(self, name: str, digits: int = 0) -> str:
        return f"{self.median.value(name):,.{digits}f}"

    def ms(self, name: str) -> str:
        """Return a time that the load gives in µs."""
        return f"{self.median.value(name) / 1000:,.2f}"

    def per_connection(self, name: str, connections: int) -> str:
        return f"{self.median.value(name) / connections:,.1f}" if connections else NOTHING

    def times(self, figure: Callable[[Median], float], to: Median | None, unit: str = "times") -> str:
        """Return how many times as much (or which part) it is of what it is compared with."""
        found = ratio(figure(self.median), figure(to) if to is not None else None)
        if found is None:
            return NOTHING
        return f"{found * 100:,.0f} %" if unit == "%" else f"{found:,.{0 if found >= 10 else 2}f} ×"  # noqa: RUF001


Column = tuple[str, Callable[[Row], str]]

SERVER: Column = ("server", lambda row: TITLES[row.median.peer])
RATE: tuple[Column, ...] = (
    ("deliveries/s", lambda row: f"{row.median.per_s:,.0f}"),
    ("per CPU second", lambda row: f"{row.median.per_cpu_s:,.0f}"),
    ("of A", lambda row: row.times(lambda median: median.per_cpu_s, row.plain)),
    ("of H", lambda row: row.times(lambda median: median.per_cpu_s, row.ceiling, "%")),
    ("missing", lambda row: row.number("missing")),
)
LATENCY: tuple[Column, ...] = (
    ("p50 ms", lambda row: row.ms("latency_us.p50")),
    ("p99 ms", lambda row: row.ms("latency_us.p99")),
    ("p99.9 ms", lambda row: row.ms("latency_us.p999")),
)
CORES: tuple[Column, ...] = (
    ("server's core", lambda row: row.number("server_cpu", 2)),
    ("load busy", lambda row: row.number("client_busy", 2)),
)
RUNS: Column = (
    "runs",
    lambda row: f"{len(row.median.runs)}{' (disturbed)' if row.median.disturbed else ''}",
)

COLUMNS: Mapping[Kind, Sequence[Column]] = {
    "flow": (SERVER, *RATE, ("gaps", lambda row: row.number("sequence_gaps")), *LATENCY, *CORES, RUNS),
    "late": (
        SERVER,
        *RATE[:1],
        RATE[-1],
        *LATENCY,
        ("p50 of H", lambda row: row.times(lambda median: median.value("latency_us.p50"), row.ceiling)),
        ("p99 of H", lambda row: row.times(lambda median: median.value("latency_us.p99"), row.ceiling)),
        *CORES,
        RUNS,
    ),
    "burst": (
        SERVER,
        ("missing", lambda row: row.number("missing")),
        ("until the last ms", lambda row: row.number("burst_ms", 1)),
        *LATENCY,
        RUNS,
    ),
    "stalled": (
        SERVER,
        *RATE[:2],
        RATE[-1],
        *LATENCY,
        ("KiB per stalled client", lambda row: row.per_connection("grown_kib", row.workload.stalled)),
        ("behind after resuming", lambda row: row.number("behind")),
        *CORES,
        RUNS,
    ),
    "private": (
        SERVER,
        *RATE[:2],
        RATE[-1],
        ("private p50 ms", lambda row: row.ms("private_us.p50")),
        ("private p99 ms", lambda row: row.ms("private_us.p99")),
        ("private events", lambda row: row.number("private_us.count")),
        *LATENCY,
        *CORES,
        RUNS,
    ),
    "connect": (
        SERVER,
        ("connections/s", lambda row: row.number("per_s")),
        ("per CPU second", lambda row: f"{row.median.connections_per_cpu_s:,.0f}"),
        ("of A", lambda row: row.times(lambda median: median.connections_per_cpu_s, row.plain)),
        ("ready p50 ms", lambda row: row.ms("connect_us.p50")),
        ("ready p99 ms", lambda row: row.ms("connect_us.p99")),
        RUNS,
    ),
    "at once": (
        SERVER,
        ("all ready after s", lambda row: row.number("connect_s", 2)),
        ("ready p50 ms", lambda row: row.ms("connect_us.p50")),
        ("ready p99 ms", lambda row: row.ms("connect_us.p99")),
        RUNS,
    ),
    "memory": (
        SERVER,
        ("KiB per connection", lambda row: row.per_connection("memory_kib", row.workload.connections)),
        RUNS,
    ),
}


def tables(workloads: Sequence[Workload], medians: Mapping[str, Mapping[str, Median]]) -> list[str]:
    """Return the lines of all tables, for the workloads that were measured."""
    lines: list[str] = []
    for workload in workloads:
        if workload.name in medians:
            lines += [f"## {workload.name}: {workload.title}", "", *_table(workload, medians), ""]
    return lines


def _table(workload: Workload, medians: Mapping[str, Mapping[str, Median]]) -> list[str]:
    columns = COLUMNS[workload.kind]
    plain = medians.get(workload.plain or workload.name, {}).get(PLAIN)
    ceiling = medians.get(workload.ceiling or workload.name, {}).get(CEILING)
    rows = [Row(median, workload, plain, ceiling) for median in medians[workload.name].values()]
    return report.table([head for head, _ in columns], [[cell(row) for _, cell in columns] for row in rows])
