"""The naive model's numbers: whole ticks and satoshis between, exact fractions within, each rounding by name."""

from decimal import Decimal
from fractions import Fraction


def down(value: Fraction) -> int:
    """Cut off what is behind the point, towards zero.

    >>> down(Fraction(-10, 3))
    -3
    """
    whole = abs(value.numerator) // value.denominator
    return whole if value.numerator >= 0 else -whole


def half_up(value: Fraction) -> int:
    """Round to a whole number; what lies in the middle goes away from zero.

    >>> half_up(Fraction(-5, 2)), half_up(Fraction(7, 3))
    (-3, 2)
    """
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value.numerator >= 0 else -whole


def units(number: Decimal, places: int) -> int | None:
    """Return how many units of the last of so many places a number is, None if it has more places.

    >>> units(Decimal("1.5"), 2), units(Decimal("1.505"), 2)
    (150, None)
    """
    numerator, denominator = number.as_integer_ratio()
    whole, rest = divmod(numerator * 10**places, denominator)
    return None if rest else whole


def fixed(whole: int, places: int) -> str:
    """Write so many units of the last of so many places.

    >>> fixed(-5000, 4), fixed(7, 0)
    ('-0.5000', '7')
    """
    digits = str(abs(whole)).rjust(places + 1, "0")
    sign = "-" if whole < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def trimmed(value: Fraction) -> str:
    """Write a number of at most 10 places without zeros at its end.

    >>> trimmed(Fraction(300)), trimmed(Fraction("0.0200"))
    ('300', '0.02')
    """
    whole, rest = divmod(value.numerator * 10**10, value.denominator)
    assert rest == 0, f"{value} has more than 10 places"
    return fixed(whole, 10).rstrip("0").rstrip(".")
