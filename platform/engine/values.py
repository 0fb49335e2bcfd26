"""The values everything else speaks of: products, ticks, quotes, candles, and how numbers are read and written.

Prices are in quote currency per base, `Decimal` from wire to wire, never float. Times are integer
milliseconds UTC unless the name ends in `_s`.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct

RESOLUTIONS: Mapping[str, int] = {"1": 60, "5": 300, "15": 900, "60": 3_600, "240": 14_400, "1D": 86_400}
"""Candle resolution as the wire spells it -> its length in seconds (event stream, trading:candles)."""

State = Literal["open", "stale", "closed", "halted"]
Environment = Literal["live", "demo"]

# Bounded digits *before* Decimal sees the text: int(Decimal("1e999999")) blocks a process for 26 s, and Decimal
# alone would take NaN, full-width digits and underscores. 15 + 10 digits hold every price and amount we allow.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?", re.ASCII)


class NumberInvalid(ValueError):
    """A number from outside that is not plain decimal digits within the bounds."""


def parse_number(text: str) -> Decimal:
    """Read a number that came from outside; the only place where client text becomes a `Decimal`.

    Raises `NumberInvalid` for exponents, NaN, signs other than a leading minus, blanks, underscores, digits that
    are not ASCII, leading zeros, more than 15 digits before or 10 behind the point.

    >>> parse_number("1.0850")
    Decimal('1.0850')
    >>> parse_number("1e999999")
    Traceback (most recent call last):
    engine.values.NumberInvalid: not a plain decimal number
    """
    if len(text) > 27 or _NUMBER.fullmatch(text) is None:
        raise NumberInvalid("not a plain decimal number")
    return Decimal(text)


def plain(value: Decimal) -> str:
    """Write a number without exponent and with the places it has.

    >>> plain(Decimal("0.00000001"))
    '0.00000001'
    """
    # `str` takes a tenth of the time, and has an exponent only where there are many zeros.
    text = str(value)
    return format(value, "f") if "E" in text else text


class Product(Struct, frozen=True):
    """What is traded, as the streams need it: `name` is `EUR-USD`, `symbol` the tick stream's `EURUSD`."""

    name: str
    symbol: str
    digits: int
    halted: bool = False


class Tick(Struct, frozen=True):
    """A price on its way in, not yet judged. `product` is a name or a symbol as its source wrote it."""

    product: str
    bid: Decimal
    ask: Decimal
    time_ms: int


class Quote(Struct, frozen=True):
    """An accepted price: all four prices have exactly the product's digits.

    `serial` counts the quotes of a product from its source's start, so that a process which lost some notices.
    """

    product: str
    bid: Decimal
    ask: Decimal
    mid: Decimal
    mid_day_ago: Decimal
    time_ms: int
    serial: int


OHLC = tuple[Decimal, Decimal, Decimal, Decimal]


class Candle(Struct, frozen=True):
    """Open, high, low, close of mid, bid and ask over one bucket that starts at `start_s` (seconds UTC)."""

    product: str
    resolution: str
    start_s: int
    mid: OHLC
    bid: OHLC
    ask: OHLC
    closed: bool


class Market(Struct, frozen=True):
    """A product's prices and feed state as the engine sees them at one moment."""

    bid: Decimal
    ask: Decimal
    state: State = "open"


class AccountId(NamedTuple):
    """Whose money: every user has a live account and a demo one, which share nothing."""

    environment: Environment
    user_id: int


class Terms(Struct, frozen=True, kw_only=True):
    """What a product may be traded for.

    `max_size` is in BTC, `decay_rate` a part of the size per 8 h. `liquidation_fraction` is the part of the margin that
    may be lost, as numerator and denominator; a liquidated position loses its whole margin (`full_margin`) or what the
    price says, at most the margin (`market`).
    """

    product: str
    digits: int
    max_leverage: Decimal
    max_size: Decimal
    decay_rate: Decimal
    liquidation_fraction: tuple[int, int] = (2, 3)
    liquidation_loss: Literal["full_margin", "market"] = "full_margin"
    halted: bool = False


class MarketStatus(Struct, frozen=True):
    """A product's feed state: `open`, `stale` (its source is silent), `closed` (hours) or `halted` (by a dealer)."""

    product: str
    state: State


@lru_cache(maxsize=32)
def tick_size(digits: int) -> Decimal:
    """Return the smallest change of a price that has so many digits.

    >>> tick_size(5)
    Decimal('0.00001')
    """
    return Decimal(1).scaleb(-digits)


def to_digits(price: Decimal, digits: int) -> Decimal:
    """Round a tick's price to the product's digits, HALF_EVEN (orders are never rounded).

    >>> to_digits(Decimal("1.121205"), 5)
    Decimal('1.12120')
    """
    return price.quantize(tick_size(digits), ROUND_HALF_EVEN)


def mid_price(bid: Decimal, ask: Decimal, digits: int) -> Decimal:
    """Return the middle of bid and ask, rounded DOWN to the product's digits.

    Source: event stream, candle example: 3916.3 and 3917.0 give 3916.6.

    >>> mid_price(Decimal("3916.3"), Decimal("3917.0"), 1)
    Decimal('3916.6')
    """
    return ((bid + ask) / 2).quantize(tick_size(digits), ROUND_DOWN)
