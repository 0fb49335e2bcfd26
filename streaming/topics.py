"""Every topic's name, in one table: what a hub joins connections to and what the channel layer calls a group.

Names are legal group names (`[A-Za-z0-9._-]`, under 100 characters) because their parts come from the catalogue and
from numbers, never from a client's text.
"""

from engine.values import Candle, MarketStatus, Quote

BOARD = "board"
"""Group of the processes without a feed: the last known of everything, once a second, and closed candles at once."""

ENGINE = "engine"
"""Group of the engine that holds the lease: other processes' commands."""

ENGINE_NEWS = "engine.news"
"""Group of the processes without an engine: which one there is, once a second."""

FEED = "feed"
"""Group of the feed process: ticks published elsewhere, wishes for a whole board, steps of a replay."""

OVERVIEW = "admin.overview"
"""What staff watch; made anew in each process, so no group of the layer."""

PROCESSES = "processes"
"""Group of all processes: each one's figures once a second, and questions to all."""


def quotes(product: str) -> str:
    return f"quotes.{product}"


def candles(product: str, resolution: str) -> str:
    return f"candles.{product}.{resolution}"


def status(product: str) -> str:
    return f"status.{product}"


def account(environment: str, user_id: int) -> str:
    """Group of the processes that somebody follows an account's log in; no connection joins it by itself."""
    return f"account.{environment}.{user_id}"


def topic_of(news: Quote | Candle | MarketStatus) -> str:
    """Return the topic that carries an announcement."""
    if isinstance(news, Quote):
        return quotes(news.product)
    if isinstance(news, Candle):
        return candles(news.product, news.resolution)
    return status(news.product)
