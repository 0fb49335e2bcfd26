"""The made-up market: the same for the same seed, quick enough, with a past that fits together."""

import asyncio
import contextlib
import random
import time
from decimal import Decimal
from itertools import islice

import pytest

from engine.values import RESOLUTIONS
from market import store
from market.models import Candle, Product
from market.sources import simulator
from tests.market.feeds import Feeding, rules
from tests.threads import in_thread

pytestmark = pytest.mark.usefixtures("products")


def market(name="EUR-USD", *, seed=1, last=None, count=500):
    return list(islice(simulator.steps(Product.objects.get(name=name), last, seed=seed), count))


# ---- now


def test_the_same_seed_is_the_same_market_and_another_is_another():
    assert market() == market()
    assert market() != market(seed=2)
    assert [step[0] for step in market()] != [step[0] for step in market("GBP-USD")]


def test_each_product_ticks_at_least_once_a_second_with_valid_prices_of_its_digits():
    for product in Product.objects.all():
        for pause_s, bid, ask in market(product.name, count=200):
            assert 0 < pause_s < 0.9
            assert product.band_low < bid < ask < product.band_high
            assert bid.as_tuple().exponent == ask.as_tuple().exponent == -product.digits


def test_it_goes_on_from_the_last_price():
    _, bid, ask = market(last=Decimal("1.5"))[0]
    assert abs((bid + ask) / 2 - Decimal("1.5")) < Decimal("0.001")


async def test_all_products_tick_into_the_feed_and_none_is_refused():
    names = await in_thread(lambda: [product.name for product in simulator._products()])
    feeding = Feeding(*(rules(name, digits=1, high="1000000") for name in names))
    simulation = asyncio.create_task(simulator.run(feeding.feed, seed=1))
    for _ in range(300):
        await asyncio.sleep(0.01)
        if len({quote.product for quote in feeding.quotes()}) == len(names):
            break
    simulation.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await simulation
    assert {quote.product for quote in feeding.quotes()} == set(names)
    assert not feeding.feed.refusals


# ---- the past

ENDS_S = [1_700_006_400, 1_700_006_400 - 60, 1_700_000_040]  # a midnight, the minute before it, some minute


def past(end_s, seed=1):
    """Return resolution -> start -> (closed, twelve prices) of one product's made-up past."""
    row = Product.objects.get(name="EUR-USD")
    found: dict[str, dict[int, tuple[bool, simulator.Prices]]] = {resolution: {} for resolution in RESOLUTIONS}
    for resolution, start_s, closed, prices in simulator.past(row, random.Random(seed), end_s):
        assert start_s not in found[resolution]
        found[resolution][start_s] = (closed, prices)
    return found


def merged(parts):
    """Return mid, bid and ask of a longer candle, from those of its minutes in order of time."""
    sides = []
    for at in (0, 4, 8):
        opens, highs, lows, closes = zip(*(prices[at : at + 4] for prices in parts), strict=True)
        sides += [opens[0], max(highs), min(lows), closes[-1]]
    return tuple(sides)


@pytest.mark.parametrize("end_s", ENDS_S)
def test_each_minute_of_three_days_is_there_and_every_longer_candle_is_its_minutes(end_s):
    found = past(end_s)
    minutes = {start_s: prices for start_s, (closed, prices) in found["1"].items() if closed}
    assert list(minutes) == list(range(end_s - 3 * 86_400, end_s, 60))
    for resolution, length_s in RESOLUTIONS.items():
        buckets: dict[int, list[simulator.Prices]] = {}
        for start_s, prices in minutes.items():
            buckets.setdefault(start_s // length_s * length_s, []).append(prices)
        assert found[resolution] == {
            start_s: (start_s + length_s <= end_s, merged(parts)) for start_s, parts in buckets.items()
        }


def test_each_candle_has_its_prices_between_low_and_high_and_the_mid_between_bid_and_ask():
    for _, prices in past(ENDS_S[0])["1"].values():
        mid, bid, ask = prices[:4], prices[4:8], prices[8:]
        assert all(low <= min(first, last) <= max(first, last) <= high for first, high, low, last in (mid, bid, ask))
        assert all(one < other for one, other in zip(bid, ask, strict=True))
        assert (mid[0], mid[3]) == ((bid[0] + ask[0]) // 2, (bid[3] + ask[3]) // 2)


def test_the_past_of_a_seed_is_the_same():
    assert past(ENDS_S[0]) == past(ENDS_S[0]) != past(ENDS_S[0], seed=2)


@pytest.fixture
def one_product():
    Product.objects.exclude(name="EUR-USD").update(enabled=False)


def test_the_first_start_fills_the_past_which_the_next_goes_on_from(one_product):
    said: list[str] = []
    simulator.back_fill(seed=1, say=said.append)
    newest = Candle.objects.filter(resolution="1").order_by("-start_s")[0]
    assert Candle.objects.filter(resolution="1").count() == 3 * 1_440
    assert 0 <= time.time() - newest.start_s - 60 < 120
    assert len(said) == 1
    simulator.back_fill(seed=1, say=said.append)
    assert len(said) == 1
    feed = store.restore_feed(announce=lambda news: None, is_heard=lambda *_: True, live=True, stale_after_s=8)
    assert feed.last_price("EUR-USD") == newest.mid_close


def test_what_is_stored_is_what_was_made_up(one_product):
    simulator.back_fill(seed=1, say=lambda text: None)
    stored = Candle.objects.filter(resolution="1").order_by("start_s").values_list("mid_open", "ask_close")
    made_up = [prices for _, prices in past(ENDS_S[0])["1"].values()]
    assert list(stored) == [(Decimal(prices[0]).scaleb(-5), Decimal(prices[11]).scaleb(-5)) for prices in made_up]
