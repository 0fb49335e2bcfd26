"""From runs to figures: which runs count, their medians, and the ratios between servers (pure)."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

OTHER_CPU_MAX = 0.25
"""Cores that others may keep busy during a run; above it the run is left out."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement as the load has printed it."""

    peer: str
    workload: str
    figures: Mapping[str, Any]

    @property
    def undisturbed(self) -> bool:
        return bool(self.figures["other_cpu"] <= OTHER_CPU_MAX)

    def value(self, name: str) -> float:
        """Return a figure by name; `latency_us.p99` is one inside another.

        >>> Run("a", "W1", {"latency_us": {"p99": 7.5}}).value("latency_us.p99")
        7.5
        """
        found: Any = self.figures
        for part in name.split("."):
            found = found[part]
        return float(found)


@dataclass(frozen=True, slots=True)
class Median:
    """One server's runs under a workload, seen as one; `disturbed` when others' work was in all of them."""

    peer: str
    runs: tuple[Run, ...]
    left_out: int
    disturbed: bool

    def value(self, name: str) -> float:
        return statistics.median(run.value(name) for run in self.runs)

    @property
    def per_s(self) -> float:
        return statistics.median(run.value("messages") / run.value("seconds") for run in self.runs)

    @property
    def per_cpu_s(self) -> float:
        """Deliveries for each second that the server's processor was busy: what a busy machine distorts least."""
        return statistics.median(_per_cpu_s(run) for run in self.runs)

    @property
    def connections_per_cpu_s(self) -> float:
        return statistics.median(run.value("per_s") / run.value("server_cpu") for run in self.runs)


def _per_cpu_s(run: Run) -> float:
    busy_s = run.value("server_cpu") * run.value("seconds")
    return run.value("messages") / busy_s if busy_s else 0.0


def median(peer: str, runs: Iterable[Run]) -> Median:
    """Return the median of the undisturbed runs; of all of them, and marked so, when there is none."""
    every = tuple(runs)
    good = tuple(run for run in every if run.undisturbed)
    return Median(peer, good or every, left_out=len(every) - len(good or every), disturbed=not good)


def by_workload(runs: Iterable[Run]) -> dict[str, dict[str, Median]]:
    """Return workload -> server -> its median, in the order of the runs."""
    groups: dict[str, dict[str, list[Run]]] = {}
    for run in runs:
        groups.setdefault(run.workload, {}).setdefault(run.peer, []).append(run)
    return {workload: {peer: median(peer, runs) for peer, runs in peers.items()} for workload, peers in groups.items()}


def ratio(value: float, to: float | None) -> float | None:
    """Return how many times as much it is; None where there is nothing to compare with.

    >>> ratio(90.0, 2.0)
    45.0
    """
    return value / to if to else None
