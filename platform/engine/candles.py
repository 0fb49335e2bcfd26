"""Quotes into candles: mid, bid and ask, every resolution, in UTC buckets.

One builder serves stream and REST, so live finals, REST and a recomputation from the ticks are the same numbers.
"""

from collections.abc import Container, Iterable, Iterator

from engine.values import OHLC, RESOLUTIONS, Candle, Quote

MINUTE_S = 60


def bucket_start_s(time_ms: int, length_s: int) -> int:
    """Return the start of the bucket that a time falls in; a day begins at 00:00 UTC.

    >>> bucket_start_s(1553623799999, 60)
    1553623740
    """
    second = time_ms // 1000
    return second - second % length_s


class _Prices:
    """Open, high, low and close of the three prices, written in place: this runs for every tick."""

    __slots__ = ("ask", "bid", "mid")

    def __init__(self, quote: Quote) -> None:
        self.mid = [quote.mid] * 4
        self.bid = [quote.bid] * 4
        self.ask = [quote.ask] * 4

    def add(self, quote: Quote) -> None:
        for ohlc, price in ((self.mid, quote.mid), (self.bid, quote.bid), (self.ask, quote.ask)):
            if price > ohlc[1]:
                ohlc[1] = price
            elif price < ohlc[2]:
                ohlc[2] = price
            ohlc[3] = price

    def go_on_with(self, later: "_Prices") -> None:
        """Take in what came after."""
        for ohlc, more in ((self.mid, later.mid), (self.bid, later.bid), (self.ask, later.ask)):
            ohlc[1] = max(ohlc[1], more[1])
            ohlc[2] = min(ohlc[2], more[2])
            ohlc[3] = more[3]


class _Bucket:
    """One open candle."""

    __slots__ = ("changed", "end_s", "prices", "product", "resolution", "start_s")

    def __init__(self, product: str, resolution: str, start_s: int, prices: _Prices) -> None:
        self.product = product
        self.resolution = resolution
        self.start_s = start_s
        self.end_s = start_s + RESOLUTIONS[resolution]
        self.prices = prices
        self.changed = True

    def candle(self, *, closed: bool) -> Candle:
        mid, bid, ask = (_ohlc(prices) for prices in (self.prices.mid, self.prices.bid, self.prices.ask))
        return Candle(self.product, self.resolution, self.start_s, mid, bid, ask, closed)


class _Line:
    """A product's open candles, at most one per resolution, and what came since anybody looked at them.

    Every bucket begins and ends on a minute, so all of `fresh` belongs to all of them until the first has to close.
    """

    __slots__ = ("buckets", "end_s", "fresh")

    def __init__(self) -> None:
        self.buckets: list[_Bucket] = []
        self.end_s = 0
        self.fresh: _Prices | None = None

    def settle(self) -> list[_Bucket]:
        """Return the buckets, with everything in them."""
        fresh, self.fresh = self.fresh, None
        if fresh is not None:
            for bucket in self.buckets:
                bucket.prices.go_on_with(fresh)
                bucket.changed = True
        return self.buckets

    def keep(self, buckets: list[_Bucket]) -> None:
        self.buckets = buckets
        # With one missing, the next quote has to be looked at more closely.
        self.end_s = min(bucket.end_s for bucket in buckets) if len(buckets) == len(RESOLUTIONS) else 0


def _ohlc(prices: list) -> OHLC:  # type: ignore[type-arg]
    first, high, low, close = prices
    return first, high, low, close


class CandleBuilder:
    """All products' open candles. What it returns is to be announced in order: closed candles first."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def restore(self, candles: Iterable[Candle]) -> None:
        """Go on with candles that were open when the process ended."""
        for candle in candles:
            prices = _Prices.__new__(_Prices)
            prices.mid, prices.bid, prices.ask = list(candle.mid), list(candle.bid), list(candle.ask)
            line = self._lines.setdefault(candle.product, _Line())
            line.keep([*line.buckets, _Bucket(candle.product, candle.resolution, candle.start_s, prices)])

    def add(self, quote: Quote) -> list[Candle]:
        """Take a quote in; return the candles that it closes because it belongs to a later bucket."""
        line = self._lines.get(quote.product)
        if line is None:
            line = self._lines[quote.product] = _Line()
        if quote.time_ms // 1000 < line.end_s:
            if line.fresh is None:
                line.fresh = _Prices(quote)
            else:
                line.fresh.add(quote)
            return []
        closed = self.close(quote.product, quote.time_ms)
        for bucket in line.settle():
            bucket.prices.add(quote)
            bucket.changed = True
        line.keep([*line.buckets, *_missing(line.buckets, quote)])
        return closed

    def close(self, product: str, time_ms: int) -> list[Candle]:
        """Close and return a product's candles whose bucket ended at or before this time."""
        line, second = self._lines.get(product), time_ms // 1000
        if line is None or second < line.end_s:
            return []
        buckets = line.settle()
        closed = [bucket.candle(closed=True) for bucket in buckets if second >= bucket.end_s]
        line.keep([bucket for bucket in buckets if second < bucket.end_s])
        return closed

    def close_all(self, product: str) -> list[Candle]:
        """Close and return all of a product's open candles: its replay has come to the end."""
        line = self._lines.pop(product, _Line())
        return [bucket.candle(closed=True) for bucket in line.settle()]

    def changed(self, product: str, resolutions: Container[str] = RESOLUTIONS) -> Iterator[Candle]:
        """Return a product's open candles, of these resolutions, that have changed since they were last asked for."""
        for bucket in self._lines[product].settle() if product in self._lines else ():
            if bucket.changed and bucket.resolution in resolutions:
                bucket.changed = False
                yield bucket.candle(closed=False)

    def open_candles(self) -> list[Candle]:
        return [bucket.candle(closed=False) for line in self._lines.values() for bucket in line.settle()]


def _missing(buckets: Iterable[_Bucket], quote: Quote) -> Iterator[_Bucket]:
    """Yield a bucket that begins with this quote for every resolution that has none."""
    present = {bucket.resolution for bucket in buckets}
    for resolution, length_s in RESOLUTIONS.items():
        if resolution not in present:
            yield _Bucket(quote.product, resolution, bucket_start_s(quote.time_ms, length_s), _Prices(quote))
