"""Candles in the database: written behind the feed by a thread of their own, read for REST and at start-up."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from django.db import Error as DatabaseError
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

_PRICES = [f"{side}_{part}" for side in ("mid", "bid", "ask") for part in ("open", "high", "low", "close")]
_COLUMNS = ["product_id", "resolution", "start_s", "closed", *_PRICES]
_TYPES = ["bigint", "text", "bigint", "boolean", *["bigint"] * len(_PRICES)]
_INSERT = f"INSERT INTO {models.Candle._meta.db_table} ({', '.join(_COLUMNS)}) "  # our own names
_ON_CONFLICT = " ON CONFLICT (product_id, resolution, start_s) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in ["closed", *_PRICES]
)
_UPSERT = f"{_INSERT} VALUES ({', '.join(['%s'] * len(_COLUMNS))}) {_ON_CONFLICT}"
_UPSERT_ARRAYS = f"{_INSERT} SELECT * FROM unnest({', '.join(f'%s::{name}[]' for name in _TYPES)}) {_ON_CONFLICT}"  # noqa: S608

PART_ROWS = 5_000
"""Rows of one statement on PostgreSQL: about 1 MB of text."""

Key = tuple[str, str, int]
Stored = int | str | bool
"""What a column of a candle's row holds."""


class Store:
    """The writer. `put` returns at once; `stop` writes what waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Key, Candle] = {}
        self._open: dict[Key, Candle] = {}
        self._writing = 0
        self._failing = False
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
            if self._failing:
                logger.warning("Candles are stored again")
            self._failing = False
        except Exception as error:
            if not self._failing:
                # A database that is away is no fault of ours: a line says it.
                bug = None if isinstance(error, DatabaseError) else error
                said = "%d candles could not be stored; they are tried again: %s"
                logger.warning(said, len(batch), type(error).__name__, exc_info=bug)
            self._failing = True
            connection.close()
            with self._lock:
                # What came meanwhile is newer.
                self._waiting = batch | self._waiting
                self._writing = 0


def candles_write(candles: Iterable[Candle]) -> None:
    """Store candles in one transaction; one that is there already is replaced."""
    numbers = dict(models.Product.objects.values_list("name", "pk"))
    rows_write(_row(numbers[candle.product], candle) for candle in candles if candle.product in numbers)


def rows_write(rows: Iterable[Sequence[Stored]]) -> None:
    """Store candles that are rows of the table already, prices as scaled integers, in one transaction.

    Each bucket once: PostgreSQL refuses a statement that would write a row twice.
    """
    every = list(rows)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(_UPSERT, every)
            return
        # A row at a time takes ten times as long there.
        for at in range(0, len(every), PART_ROWS):
            columns = zip(*every[at : at + PART_ROWS], strict=True)
            cursor.execute(_UPSERT_ARRAYS, [_array(column) for column in columns])


def _array(column: Iterable[Stored]) -> str:
    """Return a column as PostgreSQL's array literal; our values (numbers, resolutions, booleans) need no quotes."""
    return "{" + ",".join(map(str, column)) + "}"


def _row(number: int, candle: Candle) -> list[Stored]:
    prices = [to_scaled(price) for ohlc in (candle.mid, candle.bid, candle.ask) for price in ohlc]
    return [number, candle.resolution, candle.start_s, candle.closed, *prices]


# ---- reading


def candles_read(product: models.Product, resolution: str, *, start_s: int, end_s: int, limit: int) -> list[Candle]:
    """Return stored candles whose buckets start between the two times, newest first."""
    rows = models.Candle.objects.filter(
        product=product, resolution=resolution, start_s__gte=start_s, start_s__lte=end_s
    ).order_by("-start_s")[:limit]
    return [candle_of(row, product) for row in rows]


def candle_of(row: models.Candle, product: models.Product) -> Candle:
    mid, bid, ask = (_ohlc(row, side, product.digits) for side in ("mid", "bid", "ask"))
    return Candle(product.name, row.resolution, row.start_s, mid, bid, ask, row.closed)


def _ohlc(row: models.Candle, side: str, digits: int) -> OHLC:
    prices = (getattr(row, f"{side}_{part}") for part in ("open", "high", "low", "close"))
    first, high, low, close = (_price(price, digits) for price in prices)
    return first, high, low, close


def _price(stored: Decimal, digits: int) -> Decimal:
    """Return a stored price with the product's digits: the database keeps no trailing zeros."""
    return stored.quantize(Decimal(1).scaleb(-digits))


def history_ended_s() -> int | None:
    """Return when the newest stored minute ends, or None where there is no history."""
    newest: int | None = models.Candle.objects.aggregate(newest=Max("start_s"))["newest"]
    return None if newest is None else newest + RESOLUTIONS["1"]


def history_clear() -> None:
    """Forget all stored candles."""
    models.Candle.objects.all().delete()


# ---- start-up


def restore_feed(
    *, announce: Callable[[Announcement], None], is_heard: Callable[[str, str], bool], live: bool, stale_after_s: float
) -> Feed:
    """Return a feed that goes on where stored history ends."""
    now_ms = time.time_ns() // 1_000_000
    _mark_open(now_ms if live else None)
    return Feed(
        feed_products(),
        announce=announce,
        is_heard=is_heard,
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


def _mark_open(now_ms: int | None) -> None:
    """Store as closed what has ended while nothing ran, and as open what has not (a replay's end closes everything).

    A replay (None) begins where history ends.
    """
    places = itertools.product(models.Product.objects.filter(enabled=True), RESOLUTIONS)
    newest = [row for row in (_newest(*place) for place in places) if row is not None]
    if now_ms is None:
        now_s = max((row.start_s + RESOLUTIONS["1"] for row in newest if row.resolution == "1"), default=0)
    else:
        now_s = now_ms // 1000
    running = {row.pk for row in newest if row.start_s + RESOLUTIONS[row.resolution] > now_s}
    models.Candle.objects.filter(closed=False).exclude(pk__in=running).update(closed=True)
    models.Candle.objects.filter(pk__in=running, closed=True).update(closed=False)


def _newest(product: models.Product, resolution: str) -> models.Candle | None:
    return models.Candle.objects.filter(product=product, resolution=resolution).order_by("-start_s").first()


def _restored(product: models.Product) -> Restored:
    minutes = models.Candle.objects.filter(product=product, resolution="1")
    newest, oldest = _newest(product, "1"), minutes.order_by("start_s").first()
    if newest is None or oldest is None:
        return Restored()
    open_rows = models.Candle.objects.filter(product=product, closed=False)
    return Restored(
        open_candles=[candle_of(row, product) for row in open_rows],
        minute_closes=_minute_closes(product, since_s=newest.start_s - DAY_MS // 1000),
        first_mid=_price(oldest.mid_open, product.digits),
        last_price=_price(newest.mid_close, product.digits),
        last_ms=(newest.start_s + (60 if newest.closed else 0)) * 1000,
    )


def _minute_closes(product: models.Product, *, since_s: int) -> list[tuple[int, Decimal]]:
    """Return the minutes that ended since a time and the last one before it, however long before: time in ms, close."""
    closed = models.Candle.objects.filter(product=product, resolution="1", closed=True)
    before = closed.filter(start_s__lte=since_s - 60).order_by("-start_s").values_list("start_s", "mid_close")[:1]
    after = closed.filter(start_s__gt=since_s - 60).order_by("start_s").values_list("start_s", "mid_close")
    return [((start_s + 60) * 1000, _price(mid, product.digits)) for start_s, mid in (*before, *after)]
