"""A feed in a test's hands: it owns the clocks, and keeps what is announced."""

from decimal import Decimal

from engine.values import RESOLUTIONS, Candle, MarketStatus, Product, Quote, Tick
from market.feed import Feed, FeedProduct
from market.hours import parse_hours

START_MS = 1_700_000_040_000
"""A Tuesday, at the start of a minute."""

STALE_AFTER_S = 8


def rules(name="EUR-USD", *, digits=5, low="0.01", high="100", jump="0.2", hours="", halted=False):
    product = Product(name, name.replace("-", ""), digits, halted)
    return FeedProduct(product, Decimal(low), Decimal(high), Decimal(jump), parse_hours(hours))


class Feeding:
    """A feed, the time of day and the monotonic clock, which run together from `START_MS` and 0."""

    def __init__(self, *products, live=True, restored=None, is_heard=lambda product, resolution: True):
        self.news: list[Quote | Candle | MarketStatus] = []
        self.wall_ms = START_MS
        self.feed = Feed(
            products or [rules()],
            announce=self.news.append,
            is_heard=is_heard,
            live=live,
            stale_after_s=STALE_AFTER_S,
            restored=restored,
        )

    @property
    def now_s(self):
        return (self.wall_ms - START_MS) / 1000

    def tick(self, bid="1.10000", ask=None, *, at_ms=None, product="EUR-USD", source="key:1"):
        """Hand in a tick, stamped now unless said otherwise; return the code of its refusal, or None."""
        stamp_ms = self.wall_ms if at_ms is None else at_ms
        given = Tick(product, Decimal(bid), Decimal(bid if ask is None else ask), stamp_ms)
        refused = self.feed.submit([given], source=source, wall_ms=self.wall_ms, now_s=self.now_s)
        return refused[0][1] if refused else None

    def pass_ms(self, span_ms):
        """Let time pass; the feed does not look at the clock meanwhile."""
        self.wall_ms += span_ms

    def clock(self, span_ms=0):
        """Let time pass, then let the feed look at the clock; return in how many pieces of work."""
        self.pass_ms(span_ms)
        pieces = 1
        while self.feed.on_clock(wall_ms=self.wall_ms, now_s=self.now_s):
            pieces += 1
        return pieces

    def end(self):
        self.feed.end_of_source(now_s=self.now_s)

    def quotes(self):
        return [news for news in self.news if isinstance(news, Quote)]

    def candles(self, resolution=None):
        found = [news for news in self.news if isinstance(news, Candle)]
        return [candle for candle in found if resolution in (None, candle.resolution)]

    def closed(self, resolution=None):
        return [candle for candle in self.candles(resolution) if candle.closed]

    def states(self, product="EUR-USD"):
        return [news.state for news in self.news if isinstance(news, MarketStatus) and news.product == product]


def recomputed(quotes):
    """Return (product, resolution, start) -> mid, bid, ask as open, high, low, close, from nothing but the quotes."""
    buckets: dict[tuple[str, str, int], list[Quote]] = {}
    for quote in quotes:
        for resolution, length_s in RESOLUTIONS.items():
            key = (quote.product, resolution, quote.time_ms // 1000 // length_s * length_s)
            buckets.setdefault(key, []).append(quote)
    return {
        key: tuple(_ohlc([getattr(quote, side) for quote in inside]) for side in ("mid", "bid", "ask"))
        for key, inside in buckets.items()
    }


def _ohlc(prices):
    return prices[0], max(prices), min(prices), prices[-1]


def keyed(candles):
    """Return candles as `recomputed` does; each may be there once."""
    found = {(c.product, c.resolution, c.start_s): (c.mid, c.bid, c.ask) for c in candles}
    assert len(found) == len(candles), "a candle was closed twice"
    return found
