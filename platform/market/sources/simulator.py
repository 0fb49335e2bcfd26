"""A market that needs nobody: a seeded random walk of every product, with a past of three days."""

import asyncio
import heapq
import math
import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import groupby

from accounts.database import released
from engine.values import RESOLUTIONS, Tick
from market import models
from market.feed import SIMULATOR_SOURCE, Feed
from market.fields import PLACES

BACK_FILL_DAYS = 3
MINUTE_S = 60
YEAR_S = 365 * 86_400
PAUSE_S = (0.15, 0.85)
"""Between two ticks of a product: at least one a second."""

SPREAD = 0.00012
"""Ask above bid, as a part of the price; at least one tick."""


async def run(feed: Feed, *, seed: int) -> None:
    """Let every product tick for ever; one that somebody else publishes is left alone."""
    rows = await asyncio.to_thread(released, _products)
    markets = {row.name: steps(row, feed.last_price(row.name), seed=seed) for row in rows}
    started_s = time.monotonic()
    # (when it is due on the monotonic clock, product, bid, ask), the next one first
    due = [(started_s + pause_s, name, bid, ask) for name in markets for pause_s, bid, ask in [next(markets[name])]]
    heapq.heapify(due)
    while due:
        due_s, name, bid, ask = due[0]
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        wall_ms = time.time_ns() // 1_000_000
        tick = Tick(name, bid, ask, wall_ms)
        feed.submit([tick], source=SIMULATOR_SOURCE, wall_ms=wall_ms, now_s=time.monotonic())
        pause_s, bid, ask = next(markets[name])
        heapq.heapreplace(due, (time.monotonic() + pause_s, name, bid, ask))


def steps(row: models.Product, last: Decimal | None, *, seed: int) -> Iterator[tuple[float, Decimal, Decimal]]:
    """Give a product's pauses in s, bids and asks for ever: the same seed and last price give the same market."""
    # Of its own, because which product is next depends on the clock.
    chance = random.Random(f"{seed} {row.name}")  # noqa: S311  # prices, not secrets
    walk = _Walk.of(row, last)
    while True:
        pause_s = chance.uniform(*PAUSE_S)
        yield pause_s, *walk.step(chance, pause_s)


def _products() -> list[models.Product]:
    return list(models.Product.objects.filter(enabled=True))


class _Walk:
    """One product's price, in whole ticks of its digits (exact, and quick to draw)."""

    def __init__(self, *, price: Decimal, digits: int, volatility: Decimal) -> None:
        self.digits = digits
        self._scale = Decimal(1).scaleb(-digits)
        self.ticks = float(price / self._scale)
        self._low, self._high = self.ticks / 10, self.ticks * 10
        self._volatility = float(volatility)

    @classmethod
    def of(cls, row: models.Product, last: Decimal | None) -> "_Walk":
        return cls(price=last or row.start_price, digits=row.digits, volatility=row.volatility)

    def step(self, chance: random.Random, seconds: float) -> tuple[Decimal, Decimal]:
        """Move on by some seconds; return bid and ask."""
        bid, ask = self.step_ticks(chance, seconds)
        return self._scale * bid, self._scale * ask

    def step_ticks(self, chance: random.Random, seconds: float) -> tuple[int, int]:
        moved = self.ticks * (1 + chance.gauss(0, self._volatility * math.sqrt(seconds / YEAR_S)))
        self.ticks = moved if self._low < moved < self._high else self.ticks
        half = max(1.0, self.ticks * SPREAD) / 2
        bid = max(1, round(self.ticks - half))
        return bid, max(bid + 1, round(self.ticks + half))


# ---- the past

Prices = tuple[int, ...]
"""Open, high, low, close of mid, of bid and of ask, in whole ticks: twelve numbers, as storage has them in a row."""


def back_fill(*, seed: int, say: Callable[[str], object]) -> None:
    """Give a database without history three days of candles, which the simulation then goes on from."""
    from market import store

    if store.history_ended_s() is not None:
        return
    say(f"Making up {BACK_FILL_DAYS} days of candles for the simulated market …")
    chance = random.Random(seed)  # noqa: S311  # prices, not secrets
    end_s = int(time.time()) // MINUTE_S * MINUTE_S
    for row in _products():
        scale = 10 ** (PLACES - row.digits)
        store.rows_write(
            [row.pk, resolution, start_s, closed, *[price * scale for price in prices]]
            for resolution, start_s, closed, prices in past(row, chance, end_s)
        )


def past(row: models.Product, chance: random.Random, end_s: int) -> Iterator[tuple[str, int, bool, Prices]]:
    """Give a product's candles up to a time: resolution, start, whether it is closed, prices."""
    walk = _Walk.of(row, None)
    starts_s = range(end_s - BACK_FILL_DAYS * 86_400, end_s, MINUTE_S)
    minutes = [(start_s, _minute(walk, chance)) for start_s in starts_s]
    for resolution, length_s in RESOLUTIONS.items():
        for bucket_s, parts in groupby(minutes, key=lambda minute: minute[0] // length_s * length_s):
            prices = _merged([part for _, part in parts])
            yield resolution, bucket_s, bucket_s + length_s <= end_s, prices


def _minute(walk: _Walk, chance: random.Random) -> Prices:
    """Make a minute out of four steps."""
    quotes = [walk.step_ticks(chance, 15) for _ in range(4)]
    # Whole ticks: dividing down is the mid's rounding.
    sides = ([(bid + ask) // 2 for bid, ask in quotes], [bid for bid, _ in quotes], [ask for _, ask in quotes])
    return tuple(price for side in sides for price in (side[0], max(side), min(side), side[3]))


def _merged(parts: list[Prices]) -> Prices:
    """Return the prices of a bucket that consists of these."""
    if len(parts) == 1:
        return parts[0]
    first, last, columns = parts[0], parts[-1], list(zip(*parts, strict=True))
    return tuple(
        price for at in (0, 4, 8) for price in (first[at], max(columns[at + 1]), min(columns[at + 2]), last[at + 3])
    )
