"""What a position needs, gains and loses: margin, profit and loss, liquidation, decay.

Prices are in quote currency per base, money and sizes in the base currency (BTC), with the rounding that the rules
name. The golden numbers are the event document's own trade (`position:close`: amount 1000000, leverage 300); where it
is silent, its vendor's published rules.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

from engine.values import tick_size

Side = Literal["buy", "sell"]
SIGN = {"buy": 1, "sell": -1}

SATOSHI = Decimal("0.00000001")
"""The smallest amount of money; every balance is a whole number of them."""

CONTRACT = Decimal("0.001")
"""One contract in the base currency: amount 1000000 is a size of 1000."""

DECAY_PERIOD_MS = 8 * 3_600_000

_RETURN_STEP = Decimal("0.0000000001")
_PERCENT_STEP = Decimal("0.0001")
_HUNDRED = Decimal(100)
_NO_DECAY = Decimal("0.00000000")
_ZERO = Decimal(0)
"""Added to a result, it makes -0.00000000 a plain zero and changes nothing else."""


@lru_cache(maxsize=4096)
def size_of(amount: int) -> Decimal:
    """Return the base size of so many contracts. It is asked for again at each event of a trade.

    >>> size_of(1_000_000)
    Decimal('1000.000')
    """
    return amount * CONTRACT


def margin_of(*, size: Decimal, leverage: Decimal) -> Decimal:
    """Return what a position locks up, rounded DOWN to a satoshi.

    >>> margin_of(size=Decimal(1000), leverage=Decimal(300))
    Decimal('3.33333333')
    """
    return (size / leverage).quantize(SATOSHI, ROUND_DOWN)


def pnl_of(*, side: Side, size: Decimal, entry: Decimal, close: Decimal) -> Decimal:
    """Return profit or loss without decay, both steps rounded towards zero: the return to 10 places, then satoshis.

    >>> pnl_of(side="buy", size=Decimal(1000), entry=Decimal("1.26635"), close=Decimal("1.26995"))
    Decimal('2.84281590')
    >>> pnl_of(side="buy", size=Decimal(100), entry=Decimal("1.12"), close=Decimal("1.118"))
    Decimal('-0.17857142')
    """
    gained = close - entry if side == "buy" else entry - close
    change = (gained / entry).quantize(_RETURN_STEP, ROUND_DOWN)
    return (size * change).quantize(SATOSHI, ROUND_DOWN) + _ZERO


def pnl_percent_of(*, pnl: Decimal, margin: Decimal) -> Decimal:
    """Return profit or loss in percent of the margin, 4 places HALF_UP.

    >>> pnl_percent_of(pnl=Decimal("2.84281590"), margin=Decimal("3.33333333"))
    Decimal('85.2845')
    """
    return (pnl / margin * _HUNDRED).quantize(_PERCENT_STEP, ROUND_HALF_UP) + _ZERO


def liquidation_price_of(
    *, side: Side, entry: Decimal, size: Decimal, margin: Decimal, fraction: tuple[int, int], digits: int
) -> Decimal:
    """Return the closing side's price at which the position is liquidated, rounded HALF_UP to the product's digits.

    `fraction` is the part of the margin that may be lost, as numerator and denominator: 2/3 is no decimal.

    >>> liquidation_price_of(side="buy", entry=Decimal("1.26635"), size=Decimal(1000), margin=Decimal("3.33333333"),
    ...                      fraction=(2, 3), digits=5)
    Decimal('1.26354')
    """
    numerator, denominator = fraction
    whole = denominator * size
    # One division, so that nothing is rounded twice.
    price = entry * (whole - SIGN[side] * numerator * margin) / whole
    return price.quantize(tick_size(digits), ROUND_HALF_UP)


def decay_of(*, rate: Decimal, size: Decimal, opened_ms: int, closed_ms: int) -> Decimal:
    """Return what holding the position costs: a part of its size per whole 8 h, rounded DOWN to a satoshi.

    Never below zero, not even when a clock was put back meanwhile.

    >>> decay_of(rate=Decimal("0.00003"), size=Decimal(10), opened_ms=0, closed_ms=16 * 3_600_000)
    Decimal('0.00060000')
    """
    periods = (closed_ms - opened_ms) // DECAY_PERIOD_MS
    return (abs(rate) * size * periods).quantize(SATOSHI, ROUND_DOWN) if periods > 0 else _NO_DECAY


def payout_of(*, margin: Decimal, pnl: Decimal, decay: Decimal) -> Decimal:
    """Return what comes back when the position closes; an isolated position never costs more than its margin.

    >>> payout_of(margin=Decimal(1), pnl=Decimal("-1.5"), decay=Decimal(0))
    Decimal('0')
    """
    left = margin + pnl - decay
    return left if left > _ZERO else _ZERO
