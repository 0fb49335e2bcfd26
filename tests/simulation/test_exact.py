"""The naive model's rounding against the decimal module's."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.exact import down, fixed, half_up, trimmed, units

HUNDREDTHS = st.integers(-(10**12), 10**12)


@given(HUNDREDTHS)
def test_down_and_half_up_are_what_decimal_calls_so(hundredths):
    number = Decimal(hundredths).scaleb(-2)
    assert down(Fraction(number)) == number.quantize(Decimal(1), ROUND_DOWN)
    assert half_up(Fraction(number)) == number.quantize(Decimal(1), ROUND_HALF_UP)


@given(HUNDREDTHS, st.integers(0, 8))
def test_what_is_written_is_read_as_the_same_units(whole, places):
    assert units(Decimal(fixed(whole, places)), places) == whole


@given(HUNDREDTHS)
def test_a_trimmed_number_is_the_same_without_zeros_at_its_end(hundredths):
    text = trimmed(Fraction(hundredths, 100))
    assert Fraction(text) == Fraction(hundredths, 100)
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")


def test_a_number_of_too_many_places_is_not_written():
    with pytest.raises(AssertionError, match="more than 10 places"):
        trimmed(Fraction(1, 3))
