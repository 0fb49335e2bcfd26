"""The golden vectors of the trading rules, and what must hold for any numbers."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.margin import (
    SATOSHI,
    decay_of,
    liquidation_price_of,
    margin_of,
    payout_of,
    pnl_of,
    pnl_percent_of,
    size_of,
)

TWO_THIRDS, FOUR_FIFTHS = (2, 3), (4, 5)
VECTORS = [
    ("buy", 1000, 300, "1.26635", "1.26995", TWO_THIRDS, "3.33333333", "1.26354", "2.84281590", "85.2845"),
    ("sell", 1000, 300, "1.26635", "1.26995", TWO_THIRDS, "3.33333333", "1.26916", "-2.84281590", "-85.2845"),
    ("buy", 100, 200, "1.12000", "1.13000", FOUR_FIFTHS, "0.50000000", "1.11552", "0.89285714", "178.5714"),
    ("buy", 100, 200, "1.12000", "1.11800", FOUR_FIFTHS, "0.50000000", "1.11552", "-0.17857142", "-35.7143"),
    ("buy", 100, 100, "1.12000", None, FOUR_FIFTHS, "1.00000000", "1.11104", None, None),
    ("buy", 100, 100, "1.07876", None, FOUR_FIFTHS, "1.00000000", "1.07013", None, None),
]
SIDES = st.sampled_from(["buy", "sell"])
AMOUNTS = st.integers(min_value=1, max_value=10**9)
LEVERAGES = st.integers(min_value=1, max_value=300).map(Decimal)
PRICES = st.integers(min_value=1, max_value=10**9).map(lambda ticks: Decimal(ticks).scaleb(-5))
FRACTIONS = st.sampled_from([TWO_THIRDS, FOUR_FIFTHS, (1, 1), (1, 2)])


@pytest.mark.parametrize("vector", VECTORS)
def test_golden_vectors(vector):
    side, size, leverage, entry, close, fraction, margin, liquidation, pnl, percent = vector
    known = {"side": side, "size": Decimal(size), "entry": Decimal(entry)}
    held = margin_of(size=Decimal(size), leverage=Decimal(leverage))
    assert str(held) == margin
    assert str(liquidation_price_of(**known, margin=held, fraction=fraction, digits=5)) == liquidation
    if close is not None:
        gained = pnl_of(**known, close=Decimal(close))
        assert str(gained) == pnl
        assert str(pnl_percent_of(pnl=gained, margin=held)) == percent


@pytest.mark.parametrize(("hours", "minutes", "decay"), [(7, 59, "0E-8"), (8, 0, "0.00030000"), (16, 0, "0.00060000")])
def test_decay_is_taken_per_whole_period(hours, minutes, decay):
    closed_ms = (hours * 60 + minutes) * 60_000
    assert str(decay_of(rate=Decimal("0.00003"), size=Decimal(10), opened_ms=0, closed_ms=closed_ms)) == decay


@given(AMOUNTS, LEVERAGES)
def test_margin_is_the_largest_number_of_satoshis_that_the_size_pays_for(amount, leverage):
    margin = margin_of(size=size_of(amount), leverage=leverage)
    exact = Fraction(amount, 1000) / Fraction(leverage)
    assert Fraction(margin) <= exact < Fraction(margin + SATOSHI)


@given(SIDES, AMOUNTS, PRICES, PRICES)
def test_profit_is_exact_to_the_places_that_the_rules_name(side, amount, entry, close):
    sign = 1 if side == "buy" else -1
    change = sign * (Fraction(close) - Fraction(entry)) / Fraction(entry)
    truncated = Fraction(int(change * 10**10), 10**10)
    expected = int(Fraction(amount, 1000) * truncated * 10**8)
    assert Fraction(pnl_of(side=side, size=size_of(amount), entry=entry, close=close)) == Fraction(expected, 10**8)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("close", ["1.26635", "1.2663500000001", "1.2663499999999"])
def test_nothing_won_or_lost_is_zero_without_a_sign(side, close):
    pnl = pnl_of(side=side, size=Decimal("0.001"), entry=Decimal("1.26635"), close=Decimal(close))
    assert str(pnl) == "0E-8"
    assert str(pnl_percent_of(pnl=-SATOSHI, margin=Decimal(10))) == "0.0000"


def test_a_clock_that_was_put_back_earns_no_decay():
    assert decay_of(rate=Decimal("0.00003"), size=Decimal(10), opened_ms=10**9, closed_ms=0) == 0


@given(AMOUNTS, PRICES, PRICES)
def test_what_one_side_gains_the_other_loses(amount, entry, close):
    prices = {"size": size_of(amount), "entry": entry, "close": close}
    assert pnl_of(side="buy", **prices) == -pnl_of(side="sell", **prices)


@given(SIDES, AMOUNTS, LEVERAGES, PRICES, FRACTIONS)
def test_liquidation_is_the_nearest_price_to_the_exact_one(side, amount, leverage, entry, fraction):
    size = size_of(amount)
    margin = margin_of(size=size, leverage=leverage)
    price = liquidation_price_of(side=side, entry=entry, size=size, margin=margin, fraction=fraction, digits=5)
    sign = 1 if side == "buy" else -1
    exact = Fraction(entry) * (1 - sign * Fraction(*fraction) * Fraction(margin) / Fraction(size))
    assert abs(Fraction(price) - exact) <= Fraction(1, 2 * 10**5)
    assert (price <= entry) if side == "buy" else (price >= entry)


@given(
    st.integers(min_value=1, max_value=10**12), st.integers(min_value=-(10**13), max_value=10**13),
    st.integers(min_value=0, max_value=10**12),
)  # fmt: skip
def test_a_payout_is_never_negative_and_loses_no_satoshi(margin, pnl, decay):
    held, gained, cost = (SATOSHI * part for part in (margin, pnl, decay))
    assert payout_of(margin=held, pnl=gained, decay=cost) == max(0, margin + pnl - decay) * SATOSHI
