"""A node as the composition root makes it, with three products and a feed that the test is."""

import asyncio
from decimal import Decimal

from channels.layers import InMemoryChannelLayer

from accounts.limits import Budgets, Occupancy
from engine.board import Board
from engine.values import Candle, Product, Quote
from streaming.gate import NoTrading
from streaming.lines import LayerLine
from streaming.node import FeedGate, Node

PRODUCTS = {
    name: Product(name, name.replace("-", ""), digits)
    for name, digits in (("EUR-USD", 5), ("GBP-USD", 5), ("BTC-USD", 1))
}


class FixedCatalogue:
    """Products that never change: three, or those given."""

    def __init__(self, products=None):
        self.products = PRODUCTS if products is None else products
        self._symbols = {product.symbol: product for product in self.products.values()}

    def resolve(self, text):
        return self._symbols.get(text.upper().replace("-", ""))


def make_node(
    *, catalogue=None, layer=None, line=None, has_feed=True, gate=None, board=None, stale_after_s=8.0, trading=None
):
    """Return a node that is not started yet."""

    async def submit(ticks, source):
        return []

    return Node(
        line=line or LayerLine(layer or InMemoryChannelLayer(capacity=1_000)),
        board=board or Board(),
        catalogue=catalogue or FixedCatalogue(),
        budgets=Budgets(""),
        occupancy=Occupancy(""),
        gate=gate or FeedGate(submit, lambda: None, lambda: None),
        has_feed=has_feed,
        stale_after_s=stale_after_s,
        trading=trading or NoTrading(),
    )


def layer_of(node):
    return node.line._layer


def quote(serial, *, product="EUR-USD", bid="1.12439", ask="1.12445", time_ms=1_511_434_319_320):
    bid, ask = Decimal(bid), Decimal(ask)
    mid = ((bid + ask) / 2).quantize(bid)
    return Quote(product, bid, ask, mid, Decimal("1.12411"), time_ms, serial)


def candle(start_s, *, product="EUR-USD", resolution="1", closed=False, price="1.12442"):
    prices = (Decimal(price),) * 4
    return Candle(product, resolution, start_s, prices, prices, prices, closed)


async def until(true, within_s=10):
    """Wait for what other tasks bring about."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)
