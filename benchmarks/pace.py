"""How fast is the machine just now? A neighbour on the same processor may halve it, and no counter of ours shows it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

TURNS = 300_000
SAMPLES = 3
"""The fastest of so many: a sample may be interrupted, it is never too fast."""

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Pace:
    """The machine's speed from one moment to the next, as a part of the best that was seen."""

    best_s: float = float("inf")
    sample: Callable[[], float] = field(default=lambda: min(_turn_s() for _ in range(SAMPLES)))

    def now_s(self) -> float:
        """Return how long a fixed piece of the interpreter's work takes."""
        took_s = self.sample()
        self.best_s = min(self.best_s, took_s)
        return took_s

    def part(self, took_s: float) -> float:
        return self.best_s / took_s

    def beside(self, measure: Callable[[], _Result]) -> tuple[_Result, float]:
        """Measure; return the result and how long the fixed piece took beside it: before or after, whichever longer."""
        before_s = self.now_s()
        result = measure()
        return result, max(before_s, self.now_s())


def _turn_s() -> float:
    begun_s, number = time.process_time(), 0
    for at in range(TURNS):
        number += at
    return time.process_time() - begun_s
