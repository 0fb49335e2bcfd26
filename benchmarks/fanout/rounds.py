"""All runs of a session: round by round, disturbed ones again, with a progress bar."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.cores import Cores
from benchmarks.fanout.figures import Run
from benchmarks.fanout.measuring import Conditions, LoadFailed, measure
from benchmarks.fanout.servers import TITLES, ServerFailed, Servers
from benchmarks.fanout.workloads import Workload

REPEATS = 3
"""How often a run is tried before a disturbed one has to do."""


@dataclass(frozen=True, slots=True)
class Session:
    """All runs, and in words which could not be made: one server that fails must not cost the others' figures."""

    runs: list[Run] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what is to be said about the runs as a whole."""
        disturbed = sum(not run.undisturbed for run in self.runs)
        said = [f"- {len(self.runs)} runs, {disturbed} of them disturbed by other work; medians of the others"]
        return said + [f"- **failed:** {failure}" for failure in dict.fromkeys(self.failures)]


def measurements(workloads: Sequence[Workload], peers: Sequence[str], *, rounds: int, seconds: float) -> Session:
    """Make all runs; round by round, so that no server has the quiet hour for itself."""
    one_round = [(workload, peer) for workload in workloads for peer in workload.peers if peer in peers]
    session = Session()
    with tempfile.TemporaryDirectory(prefix="tickwire-bench-") as name, _progress() as bar:
        folder, cores = Path(name), Cores.of_this_machine()
        servers, conditions = Servers(folder, cores), Conditions(seconds, cores, folder)
        task = bar.add_task("", total=rounds * len(one_round))
        for workload, peer in one_round * rounds:
            bar.update(task, description=f"{workload.name} {TITLES[peer]}")
            try:
                _measure_until_undisturbed(session, servers, peer, workload, conditions)
            except (LoadFailed, ServerFailed) as failed:
                session.failures.append(f"{TITLES[peer]}, {workload.name}: {failed}")
            bar.advance(task)
    return session


def _measure_until_undisturbed(
    session: Session, servers: Servers, peer: str, workload: Workload, conditions: Conditions
) -> None:
    for _ in range(REPEATS):
        session.runs.append(measure(servers, peer, workload, conditions))
        if session.runs[-1].undisturbed:
            break


def _progress() -> Progress:
    columns = TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, TimeRemainingColumn())
