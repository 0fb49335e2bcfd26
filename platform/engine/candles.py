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


class _Bucket:
    """One open candle, as lists of [open, high, low, close] that are written in place: this runs for every tick."""

    __slots__ = ("ask", "bid", "changed", "length_s", "mid", "product", "resolution", "start_s")

    def __init__(self, quote: Quote, resolution: str) -> None:
        self.product = quote.product
        self.resolution = resolution
        self.length_s = RESOLUTIONS[resolution]
        self.start_s = bucket_start_s(quote.time_ms, self.length_s)
        self.mid = [quote.mid] * 4
        self.bid = [quote.bid] * 4
        self.ask = [quote.ask] * 4
        self.changed = True

    def add(self, quote: Quote) -> None:
        for ohlc, price in ((self.mid, quote.mid), (self.bid, quote.bid), (self.ask, quote.ask)):
            if price > ohlc[1]:
                ohlc[1] = price
            elif price < ohlc[2]:
                ohlc[2] = price
            ohlc[3] = price
        self.changed = True

    def candle(self, *, closed: bool) -> Candle:
        mid, bid, ask = (_ohlc(prices) for prices in (self.mid, self.bid, self.ask))
        return Candle(self.product, self.resolution, self.start_s, mid, bid, ask, closed)


def _ohlc(prices: list) -> OHLC:  # type: ignore[type-arg]
    first, high, low, close = prices
    return first, high, low, close


class CandleBuilder:
    """All products' open candles. What it returns is to be announced in order: closed candles first."""

    def __init__(self) -> None:
        # product -> its open buckets, at most one per resolution
        self._open: dict[str, list[_Bucket]] = {}

    def restore(self, candles: Iterable[Candle]) -> None:
        """Go on with candles that were open when the process ended."""
        for candle in candles:
            bucket = _Bucket.__new__(_Bucket)
            bucket.product, bucket.resolution = candle.product, candle.resolution
            bucket.length_s, bucket.start_s = RESOLUTIONS[candle.resolution], candle.start_s
            bucket.mid, bucket.bid, bucket.ask = list(candle.mid), list(candle.bid), list(candle.ask)
            bucket.changed = True
            self._open.setdefault(candle.product, []).append(bucket)

    def add(self, quote: Quote) -> list[Candle]:
        """Take a quote in; return the candles that it closes because it belongs to a later bucket."""
        closed = self.close(quote.product, quote.time_ms)
        buckets = self._open.setdefault(quote.product, [])
        for bucket in buckets:
            bucket.add(quote)
        if len(buckets) < len(RESOLUTIONS):
            present = {bucket.resolution for bucket in buckets}
            buckets += [_Bucket(quote, resolution) for resolution in RESOLUTIONS if resolution not in present]
        return closed

    def close(self, product: str, time_ms: int) -> list[Candle]:
        """Close and return a product's candles whose bucket ended at or before this time."""
        buckets = self._open.get(product, [])
        second = time_ms // 1000
        closed = [bucket.candle(closed=True) for bucket in buckets if second >= bucket.start_s + bucket.length_s]
        if closed:
            buckets[:] = [bucket for bucket in buckets if second < bucket.start_s + bucket.length_s]
        return closed

    def close_until(self, time_ms: int) -> list[Candle]:
        """Close and return every product's candles whose bucket ended at or before this time."""
        return [candle for product in self._open for candle in self.close(product, time_ms)]

    def close_all(self, product: str) -> list[Candle]:
        """Close and return all of a product's open candles: its replay has come to the end."""
        return [bucket.candle(closed=True) for bucket in self._open.pop(product, [])]

    def changed(self, product: str, resolutions: Container[str] = RESOLUTIONS) -> Iterator[Candle]:
        """Return a product's open candles, of these resolutions, that have changed since they were last asked for."""
        for bucket in self._open.get(product, ()):
            if bucket.changed and bucket.resolution in resolutions:
                bucket.changed = False
                yield bucket.candle(closed=False)

    def open_candles(self) -> list[Candle]:
        return [bucket.candle(closed=False) for buckets in self._open.values() for bucket in buckets]
