"""Numbers from outside and their rounding. The golden numbers are doctests in the module."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values import Market, NumberInvalid, mid_price, parse_number, plain, to_digits

PRICES = st.decimals(min_value="0.00000001", max_value="99999999", places=8)
DIGITS = st.integers(min_value=0, max_value=8)


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=10))
def test_a_number_that_is_written_plainly_is_read_back_exactly(value):
    assert parse_number(plain(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 ", " 1", "+1", "--1", "1.", ".5", "01", "1,5", "1_000", "1e3", "1E-8", "1e999999", "0x10",
        "NaN", "Infinity", "-inf", "\u0661\u0662", "\uff11", "1\n", "1.12345678901", "1234567890123456", "9" * 5_000,
    ],
)  # fmt: skip
def test_whatever_is_not_plain_decimal_digits_is_refused(text):
    with pytest.raises(NumberInvalid):
        parse_number(text)


@given(st.text(max_size=30))
def test_what_is_read_is_finite_and_written_the_same(text):
    try:
        value = parse_number(text)
    except NumberInvalid:
        return
    assert value.is_finite()
    assert plain(value) == text


@given(PRICES, DIGITS)
def test_rounding_a_tick_moves_it_by_half_a_step_at_most_and_keeps_the_digits(price, digits):
    rounded = to_digits(price, digits)
    step = Decimal(1).scaleb(-digits)
    assert abs(rounded - price) <= step / 2
    assert rounded.as_tuple().exponent == -digits
    assert to_digits(rounded, digits) == rounded


@pytest.mark.parametrize(("price", "rounded"), [("1.5", "2"), ("2.5", "2"), ("3.5", "4"), ("2.51", "3")])
def test_a_half_is_rounded_to_the_even_neighbour(price, rounded):
    assert to_digits(Decimal(price), 0) == Decimal(rounded)


@given(PRICES, PRICES, DIGITS)
def test_the_mid_lies_less_than_a_step_below_the_middle(one, other, digits):
    bid, ask = sorted((to_digits(one, digits), to_digits(other, digits)))
    mid = mid_price(bid, ask, digits)
    assert 0 <= (bid + ask) / 2 - mid < Decimal(1).scaleb(-digits)
    assert bid <= mid <= ask


def test_a_price_that_was_told_stays_what_it_was():
    market = Market(Decimal("1.1"), Decimal("1.2"))
    with pytest.raises(AttributeError):
        market.bid = Decimal(1)  # type: ignore[misc]
    assert market == Market(Decimal("1.1"), Decimal("1.2"))
