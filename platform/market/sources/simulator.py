"""A market that needs nobody: a seeded random walk of every product, with a past of three days."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

from engine.candles import merge
from engine.values import OHLC, RESOLUTIONS, Candle, Tick
from market import models
from market.feed import SIMULATOR_SOURCE, Feed

BACK_FILL_DAYS = 3
MINUTE_S = 60
YEAR_S = 365 * 86_400
PAUSE_S = (0.15, 0.85)
"""Between two ticks of a product: at least one a second."""

SPREAD = 0.00012
"""Ask above bid, as a part of the price; at least one tick."""


async def run(feed: Feed, *, seed: int) -> None:
    """Let every product tick for ever; one that somebody else publishes is left alone."""
    chance = random.Random(seed)  # noqa: S311  # prices, not secrets
    walks = {row.name: _Walk.of(row, feed.last_price(row.name)) for row in await asyncio.to_thread(_products)}
    # product -> when its next tick is due, on the monotonic clock
    due_s = {name: time.monotonic() + chance.uniform(0, 1) for name in walks}
    while True:
        name = min(due_s, key=due_s.__getitem__)
        await asyncio.sleep(max(0.0, due_s[name] - time.monotonic()))
        pause_s = chance.uniform(*PAUSE_S)
        due_s[name] = time.monotonic() + pause_s
        wall_ms = time.time_ns() // 1_000_000
        bid, ask = walks[name].step(chance, pause_s)
        tick = Tick(name, bid, ask, wall_ms)
        feed.submit([tick], source=SIMULATOR_SOURCE, wall_ms=wall_ms, now_s=time.monotonic())


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
        self.ticks = min(max(moved, self._low), self._high)
        half = max(1.0, self.ticks * SPREAD) / 2
        bid = max(1, round(self.ticks - half))
        return bid, max(bid + 1, round(self.ticks + half))


# ---- the past


def back_fill(*, seed: int, say: Callable[[str], object]) -> None:
    """Give a database without history three days of candles, which the simulation then goes on from."""
    from market import store

    if store.history_newest_s() is not None:
        return
    say(f"Making up {BACK_FILL_DAYS} days of candles for the simulated market …")
    chance = random.Random(seed)  # noqa: S311  # prices, not secrets
    end_s = int(time.time()) // MINUTE_S * MINUTE_S
    for row in _products():
        store.candles_write(_past(row, chance, end_s))


def _past(row: models.Product, chance: random.Random, end_s: int) -> Iterator[Candle]:
    """Give a product's candles of all resolutions up to a time, the unfinished buckets open."""
    walk = _Walk.of(row, None)
    minutes = [
        _minute(walk, chance, row.name, start_s) for start_s in range(end_s - BACK_FILL_DAYS * 86_400, end_s, MINUTE_S)
    ]
    yield from minutes
    for resolution, length_s in RESOLUTIONS.items():
        if length_s == MINUTE_S:
            continue
        parts: list[Candle] = []
        for minute in minutes:
            if parts and minute.start_s // length_s != parts[0].start_s // length_s:
                yield merge(parts, resolution, closed=True)
                parts = []
            parts.append(minute)
        yield merge(parts, resolution, closed=parts[-1].start_s + MINUTE_S >= _end(parts[0].start_s, length_s))


def _end(start_s: int, length_s: int) -> int:
    return start_s // length_s * length_s + length_s


def _minute(walk: _Walk, chance: random.Random, product: str, start_s: int) -> Candle:
    """Make a minute out of four steps."""
    quotes = [walk.step_ticks(chance, 15) for _ in range(4)]
    bids, asks = [bid for bid, _ in quotes], [ask for _, ask in quotes]
    # Whole ticks: dividing down is the mid's rounding.
    mids = [(bid + ask) // 2 for bid, ask in quotes]
    mid, bid, ask = (_ohlc(prices, walk.digits) for prices in (mids, bids, asks))
    return Candle(product, "1", start_s, mid, bid, ask, closed=True)


def _ohlc(ticks: list[int], digits: int) -> OHLC:
    first, high, low, close = (
        Decimal(price).scaleb(-digits) for price in (ticks[0], max(ticks), min(ticks), ticks[-1])
    )
    return first, high, low, close
