"""How long do the engine's commits take? What everybody who trades waits for."""

import time
from collections.abc import Callable


class Pace:
    """One batch is on its way at a time. `commands` counts what has been written since the start."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self.commands = 0
        self._now_s = now_s
        self._began_s: float | None = None
        self._slowest_s = 0.0

    def begin(self) -> None:
        self._began_s = self._now_s()

    def end(self, commands: int) -> None:
        assert self._began_s is not None
        self._slowest_s = max(self._slowest_s, self._now_s() - self._began_s)
        self._began_s = None
        self.commands += commands

    def take_lag_ms(self) -> float:
        """Return how long the slowest batch since the last call has taken; one that still hangs counts."""
        under_way_s = 0.0 if self._began_s is None else self._now_s() - self._began_s
        slowest_s, self._slowest_s = max(self._slowest_s, under_way_s), 0.0
        return round(slowest_s * 1000, 1)
