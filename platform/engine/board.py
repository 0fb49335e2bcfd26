"""The last known of everything: latest quote, open candles, closed candles not long ago, feed states.

Every process has one board, fed by its own feed or by what the feed process announces. A new subscriber's first
messages, REST's quotes and the open candle of REST's history come from here.
"""

from collections import deque

from engine.values import Candle, MarketStatus, Quote, State

RECENT_CANDLES = 64
"""Closed candles kept per product and resolution until storage has caught up (it needs seconds, not minutes)."""


class Board:
    """product -> last quote and state; (product, resolution) -> open candle and recent closed ones."""

    def __init__(self) -> None:
        self.quotes: dict[str, Quote] = {}
        self.states: dict[str, State] = {}
        self.open_candles: dict[tuple[str, str], Candle] = {}
        self.closed_candles: dict[tuple[str, str], deque[Candle]] = {}
        # Whether the source is a replay: its quotes' time is then the engine's time too.
        self.replaying = False

    def apply(self, news: Quote | Candle | MarketStatus) -> bool:
        """Take one announcement in; return False when it says nothing new (it then changes nothing)."""
        if isinstance(news, Quote):
            return self._apply_quote(news)
        if isinstance(news, Candle):
            return self._apply_candle(news)
        changed = self.states.get(news.product) != news.state
        self.states[news.product] = news.state
        return changed

    def status(self, product: str) -> MarketStatus:
        """Return a product's feed state; one that never had a tick is stale."""
        return MarketStatus(product, self.states.get(product, "stale"))

    def recent(self, product: str, resolution: str) -> list[Candle]:
        """Return the closed candles kept and the open one, oldest first."""
        key = (product, resolution)
        candles = list(self.closed_candles.get(key, ()))
        if key in self.open_candles:
            candles.append(self.open_candles[key])
        return candles

    def clear(self) -> None:
        """Forget everything: the feed has started anew and counts from one again."""
        self.quotes.clear()
        self.states.clear()
        self.open_candles.clear()
        self.closed_candles.clear()

    def _apply_quote(self, quote: Quote) -> bool:
        known = self.quotes.get(quote.product)
        if known is not None and known.serial >= quote.serial:
            return False
        self.quotes[quote.product] = quote
        return True

    def _apply_candle(self, candle: Candle) -> bool:
        key = (candle.product, candle.resolution)
        closed = self.closed_candles.setdefault(key, deque(maxlen=RECENT_CANDLES))
        if closed and closed[-1].start_s >= candle.start_s:
            return False
        if not candle.closed:
            known = self.open_candles.get(key)
            if known is not None and (known.start_s > candle.start_s or known == candle):
                return False
            self.open_candles[key] = candle
            return True
        closed.append(candle)
        still_open = self.open_candles.get(key)
        if still_open is not None and still_open.start_s <= candle.start_s:
            del self.open_candles[key]
        return True
