"""The products of a new installation, for all tests that need a market and not how it comes about."""

from copy import copy

from market.models import Product
from market.seed import products_seed

_seeded: list[Product] = []


def given_products() -> None:
    """Have the products in an empty table: seeded, which checks each of them, the first time, and then copied."""
    if not _seeded:
        products_seed()
        _seeded.extend(Product.objects.all())
    else:
        Product.objects.bulk_create(_unsaved(product) for product in _seeded)


def _unsaved(product: Product) -> Product:
    new = copy(product)
    new.pk, new._state = None, copy(product._state)
    new._state.adding = True
    return new
