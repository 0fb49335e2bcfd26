"""Which orders and positions does a quote reach? Levels by price, so that a quote costs what it triggers.

The index holds ids in the order in which they came (never in a set's: another hash seed must give the same events).
"""

import heapq
from decimal import Decimal
from typing import Literal

from engine.values import Quote

Price = Literal["bid", "ask"]
Direction = Literal["below", "above"]


class Levels:
    """price -> ids that wait for it, and a heap of the distinct prices with the one that is reached first on top.

    A level that has become empty stays in the heap until it comes to the top: dead entries are at most the distinct
    prices, and adding or removing an id is a few dictionary steps.

    `nearest` is the price on top; short of it nothing is reached. Infinitely far away where there is none.
    """

    __slots__ = ("_above", "_far", "_heap", "_ids", "nearest")

    def __init__(self, direction: Direction) -> None:
        # A heap has its smallest on top; a falling price reaches the highest level first: there they are negated.
        self._above = direction == "above"
        self._far = Decimal("Infinity" if self._above else "-Infinity")
        self._ids: dict[Decimal, dict[str, None]] = {}
        self._heap: list[Decimal] = []
        self.nearest = self._far

    def add(self, level: Decimal, identifier: str) -> None:
        ids = self._ids.get(level)
        if ids is None:
            self._ids[level] = {identifier: None}
            heapq.heappush(self._heap, level if self._above else -level)
            self._look()
        else:
            ids[identifier] = None

    def remove(self, level: Decimal, identifier: str) -> None:
        """Take an id off its level; raises `KeyError` when it does not wait there."""
        del self._ids[level][identifier]

    def reached(self, price: Decimal) -> list[str]:
        """Return the ids whose level the price is at or through, the level that it reached first leading.

        They stay in the index; the caller removes what it is done with.
        """
        at = price if self._above else -price
        if not self._heap or self._heap[0] > at:
            return []
        self._drop_empty()
        # Only levels that the price has reached are looked at: those above them in the heap's order are too far.
        waiting = [0]
        found: list[Decimal] = []
        while waiting:
            place = waiting.pop()
            if place < len(self._heap) and self._heap[place] <= at:
                found.append(self._heap[place])
                waiting += [2 * place + 1, 2 * place + 2]
        found.sort()
        return [identifier for at in found for identifier in self._ids[at if self._above else -at]]

    def _drop_empty(self) -> None:
        while self._heap and not self._ids[self.nearest]:
            heapq.heappop(self._heap)
            del self._ids[self.nearest]
            self._look()

    def _look(self) -> None:
        if not self._heap:
            self.nearest = self._far
        else:
            self.nearest = self._heap[0] if self._above else -self._heap[0]


class TriggerIndex:
    """One product's levels: what waits for the bid or the ask to fall to, or rise to, a price.

    | waits | for |
    | --- | --- |
    | a long's liquidation and stop loss, a sell stop | bid below |
    | a long's take profit, a sell limit | bid above |
    | a short's take profit, a buy limit | ask below |
    | a short's liquidation and stop loss, a buy stop | ask above |
    """

    __slots__ = ("_ask_above", "_ask_below", "_bid_above", "_bid_below")

    def __init__(self) -> None:
        self._bid_below, self._bid_above = Levels("below"), Levels("above")
        self._ask_below, self._ask_above = Levels("below"), Levels("above")

    def add(self, price: Price, direction: Direction, level: Decimal, identifier: str) -> None:
        self._levels(price, direction).add(level, identifier)

    def remove(self, price: Price, direction: Direction, level: Decimal, identifier: str) -> None:
        self._levels(price, direction).remove(level, identifier)

    def reached(self, quote: Quote) -> list[str]:
        """Return the ids that a quote reaches, each once; which of several levels counts is the caller's to say."""
        bid, ask = quote.bid, quote.ask
        # Nearly every quote reaches nothing and is done here, in a third of a microsecond.
        if (
            self._bid_below.nearest < bid < self._bid_above.nearest
            and self._ask_below.nearest < ask < self._ask_above.nearest
        ):
            return []
        found = self._bid_below.reached(bid) + self._bid_above.reached(bid)
        found += self._ask_below.reached(ask) + self._ask_above.reached(ask)
        return list(dict.fromkeys(found))

    def _levels(self, price: Price, direction: Direction) -> Levels:
        if price == "bid":
            return self._bid_below if direction == "below" else self._bid_above
        return self._ask_below if direction == "below" else self._ask_above
