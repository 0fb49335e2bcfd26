"""Does every topic have a name of its own that a channel layer takes?"""

import itertools

from channels.layers import InMemoryChannelLayer

from engine.values import RESOLUTIONS, MarketStatus
from streaming import topics
from tests.streaming.nodes import candle, quote

PRODUCTS = ("EUR-USD", "EURUSD", "A", "X" * 32)


def every_topic():
    for product in PRODUCTS:
        yield topics.quotes(product)
        yield topics.status(product)
        yield from (topics.candles(product, resolution) for resolution in RESOLUTIONS)
    for environment, user in itertools.product(("live", "demo"), (1, 10**12)):
        yield topics.account(environment, user)
    yield from (topics.BOARD, topics.FEED)


def test_a_channel_layer_takes_every_name():
    layer = InMemoryChannelLayer()
    assert all(layer.require_valid_group_name(name) for name in every_topic())


def test_no_two_topics_share_a_name():
    names = list(every_topic())
    assert len(set(names)) == len(names)


def test_news_goes_to_the_topic_of_its_channel():
    assert topics.topic_of(quote(1, product="BTC-USD")) == topics.quotes("BTC-USD")
    assert topics.topic_of(candle(0, product="BTC-USD", resolution="1D")) == topics.candles("BTC-USD", "1D")
    assert topics.topic_of(MarketStatus("BTC-USD", "open")) == topics.status("BTC-USD")
