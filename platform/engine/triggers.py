"""Which orders and positions does a quote reach? Levels by price, so that a quote costs what it triggers.

The index holds ids in the order in which they came (never in a set's: another hash seed must give the same events).
"""

import heapq
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from engine.values import Quote

Price = Literal["bid", "ask"]
Direction = Literal["below", "above"]


class Levels:
    """price -> ids that wait for it, and a heap of the distinct prices with the one that is reached first on top.

    A level that has become empty stays in the heap until it comes to the top: dead entries are at most the distinct
    prices, and adding or removing an id is a few dictionary steps.
    """

    __slots__ = ("_heap", "_ids", "_sign")

    def __init__(self, direction: Direction) -> None:
        # A heap has its smallest on top; a falling price reaches the highest level first.
        self._sign = 1 if direction == "above" else -1
        self._ids: dict[Decimal, dict[str, None]] = {}
        self._heap: list[Decimal] = []

    def add(self, level: Decimal, identifier: str) -> None:
        ids = self._ids.get(level)
        if ids is None:
            self._ids[level] = {identifier: None}
            heapq.heappush(self._heap, self._sign * level)
        else:
            ids[identifier] = None

    def remove(self, level: Decimal, identifier: str) -> None:
        """Take an id off its level; raises `KeyError` when it does not wait there."""
        del self._ids[level][identifier]

    def reached(self, price: Decimal) -> Iterator[str]:
        """Yield the ids whose level the price is at or through, the level that it reached first leading.

        What is yielded stays in the index; the caller removes it when it is done with.
        """
        at = self._sign * price
        self._drop_empty()
        if not self._heap or self._heap[0] > at:
            return
        # Only levels that the price has reached are looked at: those above them in the heap's order are too far.
        waiting = [0]
        found: list[Decimal] = []
        while waiting:
            place = waiting.pop()
            if place < len(self._heap) and self._heap[place] <= at:
                found.append(self._heap[place])
                waiting += [2 * place + 1, 2 * place + 2]
        for level in sorted(found):
            yield from list(self._ids.get(self._sign * level, ()))

    def _drop_empty(self) -> None:
        while self._heap and not self._ids.get(self._sign * self._heap[0]):
            self._ids.pop(self._sign * heapq.heappop(self._heap), None)


class TriggerIndex:
    """One product's levels: what waits for the bid or the ask to fall to, or rise to, a price.

    | waits | for |
    | --- | --- |
    | a long's liquidation and stop loss, a sell stop | bid below |
    | a long's take profit, a sell limit | bid above |
    | a short's take profit, a buy limit | ask below |
    | a short's liquidation and stop loss, a buy stop | ask above |
    """

    def __init__(self) -> None:
        self._levels: dict[tuple[Price, Direction], Levels] = {
            ("bid", "below"): Levels("below"),
            ("bid", "above"): Levels("above"),
            ("ask", "below"): Levels("below"),
            ("ask", "above"): Levels("above"),
        }

    def add(self, price: Price, direction: Direction, level: Decimal, identifier: str) -> None:
        self._levels[price, direction].add(level, identifier)

    def remove(self, price: Price, direction: Direction, level: Decimal, identifier: str) -> None:
        self._levels[price, direction].remove(level, identifier)

    def reached(self, quote: Quote) -> list[str]:
        """Return the ids that a quote reaches, each once; which of several levels counts is the caller's to say."""
        found: dict[str, None] = {}
        for (price, _), levels in self._levels.items():
            for identifier in levels.reached(quote.bid if price == "bid" else quote.ask):
                found[identifier] = None
        return list(found)
