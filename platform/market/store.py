"""Candles in the database: written behind the feed by a thread of their own, read for REST and at start-up."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Max

from engine.day_ago import DAY_MS
from engine.values import OHLC, RESOLUTIONS, Candle
from market import models
from market.feed import Announcement, Feed, FeedProduct, Restored
from market.fields import to_scaled
from market.hours import parse_hours

logger = logging.getLogger(__name__)

OPEN_EVERY_S = 5.0
"""How often open candles are stored: what a killed process forgets of them is at most this."""

FLUSH_S = 0.25
"""How long closed candles gather for one transaction."""

MAX_WAITING = 200_000
"""Candles waiting while the database does not answer: hours of 1,000 products; beyond it the oldest go."""

RESTORED_MS = DAY_MS + 3_600_000
"""Minute closes read at start: the mid of 24 h ago, and an hour of pause."""

_PRICES = [f"{side}_{part}" for side in ("mid", "bid", "ask") for part in ("open", "high", "low", "close")]
_COLUMNS = ["product_id", "resolution", "start_s", "closed", *_PRICES]
_UPSERT = (
    f"INSERT INTO {models.Candle._meta.db_table} ({', '.join(_COLUMNS)}) "  # noqa: S608  # our own names
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "
    "ON CONFLICT (product_id, resolution, start_s) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in ["closed", *_PRICES])
)

Key = tuple[str, str, int]


class Store:
    """The writer. `put` returns at once; `stop` writes what waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Key, Candle] = {}
        self._open: dict[Key, Candle] = {}
        self._writing = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candle-store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write everything that waits, open candles too, and end."""
        self._stopping.set()
        self._thread.join()

    def put(self, candle: Candle) -> None:
        key = (candle.product, candle.resolution, candle.start_s)
        with self._lock:
            if candle.closed:
                self._open.pop(key, None)
                self._waiting[key] = candle
                if len(self._waiting) > MAX_WAITING:
                    del self._waiting[next(iter(self._waiting))]
            else:
                self._open[key] = candle

    @property
    def waiting(self) -> int:
        """Return how many closed candles are not stored yet."""
        with self._lock:
            return len(self._waiting) + self._writing

    def _run(self) -> None:
        open_at_s = time.monotonic() + OPEN_EVERY_S
        while not self._stopping.wait(FLUSH_S):
            with_open = time.monotonic() >= open_at_s
            self._write(with_open=with_open)
            if with_open:
                open_at_s = time.monotonic() + OPEN_EVERY_S
        self._write(with_open=True)
        connection.close()

    def _write(self, *, with_open: bool) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, {}
            if with_open:
                batch |= self._open
                self._open = {}
            self._writing = len(batch)
        if not batch:
            return
        try:
            candles_write(batch.values())
            self._writing = 0
        except Exception:
            logger.exception("%d candles could not be stored; they are tried again", len(batch))
            connection.close()
            with self._lock:
                # What came meanwhile is newer.
                self._waiting = batch | self._waiting
                self._writing = 0


def candles_write(candles: Iterable[Candle]) -> None:
    """Store candles in one transaction; one that is there already is replaced."""
    numbers = dict(models.Product.objects.values_list("name", "pk"))
    rows = [_row(numbers[candle.product], candle) for candle in candles if candle.product in numbers]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_UPSERT, rows)


def _row(number: int, candle: Candle) -> list[object]:
    prices = [to_scaled(price) for ohlc in (candle.mid, candle.bid, candle.ask) for price in ohlc]
    return [number, candle.resolution, candle.start_s, candle.closed, *prices]


# ---- reading


def candles_read(product: str, resolution: str, *, start_s: int, end_s: int, limit: int) -> list[Candle]:
    """Return stored candles whose buckets start between the two times, newest first."""
    rows = models.Candle.objects.filter(
        product__name=product, resolution=resolution, start_s__gte=start_s, start_s__lte=end_s
    ).order_by("-start_s")[:limit]
    return [candle_of(row, product) for row in rows]


def candle_of(row: models.Candle, product: str) -> Candle:
    mid, bid, ask = (_ohlc(row, side) for side in ("mid", "bid", "ask"))
    return Candle(product, row.resolution, row.start_s, mid, bid, ask, row.closed)


def _ohlc(row: models.Candle, side: str) -> OHLC:
    first, high, low, close = (getattr(row, f"{side}_{part}") for part in ("open", "high", "low", "close"))
    return first, high, low, close


def history_newest_s() -> int | None:
    """Return the start of the newest stored candle, or None where there is no history."""
    newest: int | None = models.Candle.objects.aggregate(newest=Max("start_s"))["newest"]
    return newest


def history_clear() -> None:
    """Forget all stored candles."""
    models.Candle.objects.all().delete()


# ---- start-up


def restore_feed(*, announce: Callable[[Announcement], None], live: bool, stale_after_s: float) -> Feed:
    """Return a feed that goes on where stored history ends."""
    now_ms = time.time_ns() // 1_000_000
    _close_ended(now_ms if live else None)
    return Feed(
        feed_products(),
        announce=announce,
        live=live,
        stale_after_s=stale_after_s,
        # Serials grow over restarts, so that other processes know new quotes from old ones.
        first_serial=now_ms,
        restored={product.name: _restored(product) for product in models.Product.objects.filter(enabled=True)},
    )


def feed_products() -> list[FeedProduct]:
    """Return the products as the feed judges their ticks."""
    rows = models.Product.objects.filter(enabled=True)
    return [
        FeedProduct(row.value(), row.band_low, row.band_high, row.jump_limit, parse_hours(row.hours)) for row in rows
    ]


def _close_ended(now_ms: int | None) -> None:
    """Close stored candles whose bucket ended while nothing ran; with None (a replay), all of them."""
    for resolution, length_s in RESOLUTIONS.items():
        rows = models.Candle.objects.filter(resolution=resolution, closed=False)
        if now_ms is not None:
            rows = rows.filter(start_s__lte=now_ms // 1000 - length_s)
        rows.update(closed=True)


def _restored(product: models.Product) -> Restored:
    minutes = models.Candle.objects.filter(product=product, resolution="1")
    newest = minutes.order_by("-start_s").first()
    if newest is None:
        return Restored()
    since_s = newest.start_s - RESTORED_MS // 1000
    closes = minutes.filter(closed=True, start_s__gte=since_s).order_by("start_s").values_list("start_s", "mid_close")
    open_rows = models.Candle.objects.filter(product=product, closed=False)
    return Restored(
        open_candles=[candle_of(row, product.name) for row in open_rows],
        minute_closes=[((start_s + 60) * 1000, mid) for start_s, mid in closes],
        last_price=newest.mid_close,
        last_ms=(newest.start_s + (60 if newest.closed else 0)) * 1000,
    )


def quantized(candle: Candle, digits: int) -> Candle:
    """Return a stored candle with the product's digits: the database keeps no trailing zeros."""
    step = Decimal(1).scaleb(-digits)

    def side(ohlc: Sequence[Decimal]) -> OHLC:
        first, high, low, close = (price.quantize(step) for price in ohlc)
        return first, high, low, close

    return Candle(
        candle.product, candle.resolution, candle.start_s, side(candle.mid), side(candle.bid), side(candle.ask),
        candle.closed,
    )  # fmt: skip
