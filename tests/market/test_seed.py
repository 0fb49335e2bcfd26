"""The products of a new installation."""

from decimal import Decimal

import pytest

from market.hours import is_open, parse_hours
from market.models import Product
from market.seed import SEEDS, products_seed

pytestmark = pytest.mark.usefixtures("seeded")

NAMED = {"AAPL", "AMZN", "EUR-USD", "GBP-USD", "USD-JPY", "XAU-USD", "XAG-USD", "BTC-USD", "ETH-USD", "XRP-USD"}
SUNDAY_MS = 1_704_628_800_000


@pytest.fixture
def seeded(db):
    products_seed()


def test_there_are_twenty_and_the_promised_ones_among_them():
    names = set(Product.objects.values_list("name", flat=True))
    assert len(names) == len(SEEDS) == 20
    assert names >= NAMED


def test_eurusd_allows_leverage_300_and_size_1000():
    product = Product.objects.get(name="EUR-USD")
    assert product.max_leverage == 300
    assert product.max_size >= 1000
    assert (product.digits, product.symbol) == (5, "EURUSD")


def test_all_are_open_around_the_clock():
    assert all(is_open(parse_hours(product.hours), SUNDAY_MS) for product in Product.objects.all())


def test_each_is_valid_and_starts_inside_its_band_with_its_own_digits():
    for product in Product.objects.all():
        product.full_clean()
        assert product.start_price == product.start_price.quantize(Decimal(1).scaleb(-product.digits))


def test_a_second_time_adds_what_is_missing_and_keeps_what_was_changed():
    Product.objects.filter(name="EUR-USD").update(max_leverage=10)
    Product.objects.filter(name="AAPL").delete()
    products_seed()
    assert Product.objects.count() == 20
    assert Product.objects.get(name="EUR-USD").max_leverage == 10
