"""What does a process say of itself once a second, and what do all of them come to? (pure)"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

MAX_LISTED = 10
"""Products listed, the most telling first: more are no overview, and a message has to stay small."""


class FeedFigures(msgspec.Struct, frozen=True):
    """`silent`: product, its state, seconds since its last tick (None: never), the longest first.

    `accepted` and `refused` count ticks since the start; `states`: state -> products.
    """

    accepted: int
    refused: int
    states: dict[str, int]
    silent: list[tuple[str, str, float | None]]


class EngineFigures(msgspec.Struct, frozen=True):
    """`fence` is 0 for a standby. `lag_ms`: the slowest commit of the last second, `waiting`: commands on their way.

    `interest`: environment, product, contracts held long, contracts held short, the most first, of `products` in all.
    """

    fence: int
    lag_ms: float = 0.0
    waiting: int = 0
    commands: int = 0
    orders: int = 0
    positions: int = 0
    products: int = 0
    interest: list[tuple[str, str, int, int]] = []


class Figures(msgspec.Struct, frozen=True):
    """One process: counts are since its start, `…_per_s` over its last second.

    `connections`: stream -> open sockets. `late_ms`: how late the loop was at worst, which everything is late by.
    """

    process: str
    roles: list[str]
    connections: dict[str, int]
    delivered: int
    conflated: int
    lost: int
    late_ms: float
    delivered_per_s: float
    conflated_per_s: float
    ticks_per_s: float = 0.0
    refused_per_s: float = 0.0
    commands_per_s: float = 0.0
    feed: FeedFigures | None = None
    engine: EngineFigures | None = None


class Rates:
    """Counts become rates: what has been added since the last look, per second."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._then_s = now_s()
        self._before: dict[str, int] = {}

    def take(self, **counts: int) -> dict[str, float]:
        """Return name -> per second; 0 where nothing is known from before."""
        now_s = self._now_s()
        passed_s = max(now_s - self._then_s, 0.001)
        self._then_s = now_s
        rates = {name: round((count - self._before.get(name, count)) / passed_s, 1) for name, count in counts.items()}
        self._before = counts
        return rates


def overview(processes: Sequence[Figures], time_ms: int) -> dict[str, Any]:
    """Return what an administrator watches: all processes' figures in one."""
    feed = next((one for one in processes if one.feed is not None), None)
    engines = [one for one in processes if one.engine is not None]
    holder = max(engines, key=lambda one: one.engine.fence if one.engine else 0, default=None)
    works = holder is not None and holder.engine is not None and holder.engine.fence > 0
    return {
        "time": time_ms,
        "processes": [_process(one) for one in processes],
        "connections": dict(sum((Counter(one.connections) for one in processes), Counter())),
        **{name: _total(processes, name) for name in _SUMMED},
        "feed": feed and feed.feed and {"process": feed.process, **msgspec.structs.asdict(feed.feed)},
        "engine": _engine(holder) if works and holder else None,
        "standbys": len(engines) - works,
    }


_SUMMED = (
    "delivered_per_s", "conflated_per_s", "ticks_per_s", "refused_per_s", "commands_per_s", "delivered", "conflated",
    "lost",
)  # fmt: skip


def _total(processes: Iterable[Figures], name: str) -> float:
    total: float = sum(getattr(one, name) for one in processes)
    return round(total, 1)


def _process(one: Figures) -> dict[str, Any]:
    return {
        "process": one.process,
        "roles": one.roles,
        "connections": sum(one.connections.values()),
        "delivered_per_s": one.delivered_per_s,
        "late_ms": one.late_ms,
    }


def _engine(holder: Figures) -> dict[str, Any]:
    assert holder.engine is not None
    return {"process": holder.process, **msgspec.structs.asdict(holder.engine)}
