"""The course of a trial: what has happened when, what went wrong, and what came of it in numbers."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NoReturn

SHOWN = 120
"""Lines of the timeline that a failure prints; all are in a file."""


class Failed(AssertionError):
    """Something that must not happen; with the seed and the timeline."""


@dataclass(slots=True)
class Tally:
    """The numbers of a trial. `kills`: (target, point) -> how often; `recoveries_s`: of each kill."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    events: int = 0
    resumes: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    ended_alone: Counter[str] = field(default_factory=Counter)


class Course:
    """What traders, followers and the killer share. `timeline`: the file that gets every line."""

    def __init__(self, seed: int, ports: Callable[[], list[int]], timeline: Path) -> None:
        self.seed = seed
        self._file = timeline
        self.tally = Tally()
        self.settling = False
        self.failure: Failed | None = None
        self._ports = ports
        self._began_s = time.monotonic()
        self._timeline: deque[str] = deque(maxlen=SHOWN)
        # When the newest request that was acknowledged had been made.
        self.acknowledged_s = float("-inf")

    def any_port(self, chance: Random) -> int:
        """Return a port at which a web process is, or was."""
        return chance.choice(self._ports())

    def note(self, words: str) -> None:
        line = f"{time.monotonic() - self._began_s:8.3f}  {words}"
        self._timeline.append(line)
        with self._file.open("a") as file:
            print(line, file=file)

    def acknowledged(self, asked_s: float) -> None:
        """Note that the server has done something that was asked at a time: it trades again."""
        self.acknowledged_s = max(self.acknowledged_s, asked_s)
        self.tally.acknowledged += 1

    def fail(self, words: str) -> NoReturn:
        raise self.failed(words)

    def failed(self, words: str) -> Failed:
        """Return the trial's failure: the first one, whatever comes of it later."""
        self.note(f"WRONG: {words}")
        if self.failure is None:
            shown = "\n".join(self._timeline)
            self.failure = Failed(f"{words}\nseed {self.seed}; the timeline in s:\n{shown}")
        return self.failure
