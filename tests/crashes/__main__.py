"""Kill servers by hand, with a progress bar and the numbers at the end.

python -m tests.crashes sqlite|postgres [--kills 200] [--seed N] [--keep DIR]
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.crashes.course import Failed
from tests.crashes.places import PLACES, Place
from tests.crashes.report import tables
from tests.crashes.trial import run_trial


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database", choices=PLACES)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="what is killed when; default: any")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the servers' logs and the timeline there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tickwire-crashes-") as folder:
        keep = options.keep or Path(folder)
        keep.mkdir(parents=True, exist_ok=True)
        return _run(PLACES[options.database](keep), options.kills, options.seed)


def _run(place: Place, kills: int, seed: int) -> int:
    # An end by SIGTERM ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console()
    console.print(f"{place.name}: {kills} kills, seed {seed}")
    began_s = time.monotonic()
    try:
        with place, _progress() as progress:
            bar = progress.add_task("kills", total=kills)
            course = run_trial(
                place, kills=kills, seed=seed, killed=lambda count: progress.update(bar, completed=count)
            )
    except Failed as failed:
        console.print(f"FAILED: {failed}", markup=False, highlight=False, soft_wrap=True)
        return 1
    for table in tables(course, place.name):
        console.print(table)
    console.print(f"passed in {time.monotonic() - began_s:.0f} s")
    return 0


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    # Where it does not mix with what is kept of the output.
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


if __name__ == "__main__":
    sys.exit(main())
