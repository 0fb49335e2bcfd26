"""The products in memory."""

from decimal import Decimal

import pytest

from market.catalogue import Catalogue, rows_stored
from market.models import Product

pytestmark = pytest.mark.usefixtures("products")


@pytest.fixture
def catalogue():
    loaded = Catalogue()
    loaded.load()
    return loaded


@pytest.mark.parametrize("text", ["EUR-USD", "EURUSD", "eurusd", "eur-usd"])
def test_every_spelling_is_the_same_product(catalogue, text):
    assert catalogue.resolve(text) is catalogue.products["EUR-USD"]


@pytest.mark.parametrize("text", ["", "EUR", "EUR/USD", "NOSUCH", "\x00"])
def test_what_is_no_product_is_none(catalogue, text):
    assert catalogue.resolve(text) is None


def test_what_is_stored_is_the_same_until_any_field_of_any_product_is_another():
    stored = rows_stored()
    assert rows_stored() == stored
    Product.objects.filter(name="AAPL").update(band_high=Decimal(1_000))
    changed = rows_stored()
    assert changed != stored
    Product.objects.filter(name="AAPL").update(enabled=False)
    assert rows_stored() != changed


def test_a_change_is_there_after_loading_and_a_disabled_product_is_gone(catalogue):
    Product.objects.filter(name="EUR-USD").update(halted=True)
    Product.objects.filter(name="AAPL").update(enabled=False)
    assert not catalogue.products["EUR-USD"].halted
    catalogue.load()
    assert catalogue.products["EUR-USD"].halted
    assert catalogue.resolve("aapl") is None
    assert "AAPL" not in catalogue.products
