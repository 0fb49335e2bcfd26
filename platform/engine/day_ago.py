"""The mid price of 24 hours ago, from minute closes: the fifth field of the event stream's quote."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

DAY_MS = 86_400_000


class DayAgo:
    """One product's minute closes of the last day, oldest first; times in ms, when the minute ended.

    `first` is the first mid that was ever known.
    """

    def __init__(self, closes: Iterable[tuple[int, Decimal]] = (), first: Decimal | None = None) -> None:
        self._closes: deque[tuple[int, Decimal]] = deque(closes)
        self._first = first
        self._answer: Decimal | None = None

    def add(self, ended_ms: int, mid: Decimal) -> None:
        """Take the close of a minute in."""
        self._closes.append((ended_ms, mid))

    def at(self, time_ms: int, mid: Decimal) -> Decimal:
        """Return the last minute close at or before 24 h before this time, else the first known mid.

        `mid` is the price now: the first known one where nothing is.

        >>> DayAgo([(0, Decimal(5)), (60_000, Decimal(6))]).at(86_400_000 + 60_000, Decimal(9))
        Decimal('6')
        """
        while self._closes and self._closes[0][0] <= time_ms - DAY_MS:
            self._answer = self._closes.popleft()[1]
        if self._answer is not None:
            return self._answer
        if self._first is None:
            self._first = mid
        return self._first
