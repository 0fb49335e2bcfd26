"""The products by name and by symbol, in memory: no message has to wait for the database."""

from collections.abc import Mapping

from engine.values import Product
from market import models


class Catalogue:
    """One process's products. `load` replaces them all at once, so a reader sees one state or the other."""

    def __init__(self) -> None:
        self.products: Mapping[str, Product] = {}
        self._by_symbol: Mapping[str, Product] = {}

    def load(self) -> None:
        """Read the products that clients can see."""
        rows = models.Product.objects.filter(enabled=True)
        products = {row.name: row.value() for row in rows}
        self._by_symbol = {product.symbol: product for product in products.values()}
        self.products = products

    def resolve(self, text: str) -> Product | None:
        """Return the product of any spelling: `EUR-USD`, `EURUSD`, `eurusd`."""
        return self.products.get(text) or self._by_symbol.get(text.upper().replace("-", ""))
