"""Products and candles: what an administrator may enter."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from engine import values
from market.models import Candle, Product, symbol_of

pytestmark = pytest.mark.django_db


def given_product(**fields):
    defaults = {
        "name": "NZD-USD", "title": "NZD/USD", "group": "forex", "digits": 5, "band_low": Decimal("0.01"),
        "band_high": Decimal(100), "start_price": Decimal("0.6"),
    }  # fmt: skip
    return Product(**{**defaults, **fields})


def test_the_symbol_is_the_name_without_dashes():
    product = given_product()
    product.full_clean(exclude=["symbol"])
    product.save()
    assert Product.objects.get(name="NZD-USD").symbol == "NZDUSD" == symbol_of("NZD-USD")


def test_its_value_is_what_the_streams_need():
    product = given_product(halted=True)
    product.save()
    assert product.value() == values.Product("NZD-USD", "NZDUSD", 5, True)


def test_its_terms_are_what_the_engine_needs():
    product = given_product(max_leverage=300, max_size=Decimal(5), decay_rate=Decimal("0.00003"), halted=True)
    product.save()
    product.refresh_from_db()
    assert product.terms() == values.Terms(
        product="NZD-USD", digits=5, max_leverage=Decimal(300), max_size=Decimal(5), decay_rate=Decimal("0.00003"),
        liquidation_fraction=(2, 3), liquidation_loss="full_margin", halted=True,
    )  # fmt: skip


def test_a_product_may_liquidate_later_and_by_the_market():
    product = given_product(liquidation_numerator=4, liquidation_denominator=5, liquidation_loss="market")
    product.full_clean(exclude=["symbol"])
    terms = product.terms()
    assert (terms.liquidation_fraction, terms.liquidation_loss) == ((4, 5), "market")


def test_a_position_may_be_allowed_to_lose_all_of_its_margin():
    given_product(liquidation_numerator=1, liquidation_denominator=1).full_clean(exclude=["symbol"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "nzd-usd"}, "Enter a valid value"),
        ({"name": "NZD USD"}, "Enter a valid value"),
        ({"name": "NZD-USD\n"}, "Enter a valid value"),
        ({"digits": 9}, "less than or equal to 8"),
        ({"hours": "always"}, "'always' is not a period"),
        ({"band_low": Decimal(0)}, "low end has to be above 0"),
        ({"band_low": Decimal(100)}, "low end has to be above 0"),
        ({"start_price": Decimal("100.1")}, "outside the band"),
        ({"group": "bonds"}, "not a valid choice"),
        ({"max_size": Decimal("1e20")}, "does not fit"),
        ({"liquidation_numerator": 4, "liquidation_denominator": 3}, "cannot lose more than its margin"),
        ({"liquidation_numerator": 0}, "greater than or equal to 1"),
        ({"liquidation_denominator": 0}, "greater than or equal to 1"),
        ({"max_leverage": 0}, "At least 1"),
        ({"max_size": Decimal(0)}, "Above 0: with none nobody"),
        ({"decay_rate": Decimal(-1)}, "Between -1 and 1"),
        ({"decay_rate": Decimal(1)}, "Between -1 and 1"),
        ({"jump_limit": Decimal(0)}, "Above 0: with none every change"),
        ({"volatility": Decimal("-0.1")}, "Not below 0"),
        ({"liquidation_loss": "everything"}, "not a valid choice"),
    ],
)
def test_what_is_wrong_with_a_product_is_said(fields, words):
    with pytest.raises(ValidationError, match=words):
        given_product(**fields).full_clean(exclude=["symbol"])


def test_two_names_may_not_have_one_symbol():
    given_product().save()
    with pytest.raises(ValidationError, match="symbol NZDUSD is taken"):
        given_product(name="NZDUSD").full_clean(exclude=["symbol"])


def test_a_product_may_be_saved_again():
    product = given_product()
    product.save()
    product.full_clean(exclude=["symbol"])


def test_a_bucket_has_one_candle():
    product = given_product()
    product.save()
    prices = {f"{side}_{part}": 1 for side in ("mid", "bid", "ask") for part in ("open", "high", "low", "close")}
    first = Candle.objects.create(product=product, resolution="1", start_s=60, closed=True, **prices)
    with pytest.raises(IntegrityError), transaction.atomic():
        Candle.objects.create(product=product, resolution="1", start_s=60, closed=False, **prices)
    assert str(first) == "NZD-USD 1 60"
