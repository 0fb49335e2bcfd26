"""Candles against an independent recomputation that sorts quotes into buckets and does nothing clever."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.candles import CandleBuilder, bucket_start_s
from engine.values import RESOLUTIONS, Candle, Quote, mid_price

PRODUCTS = ("EUR-USD", "BTC-USD")


def quote(product, time_ms, bid_ticks, spread_ticks=2, serial=1):
    bid, ask = (Decimal(ticks).scaleb(-5) for ticks in (bid_ticks, bid_ticks + spread_ticks))
    return Quote(product, bid, ask, mid_price(bid, ask, 5), bid, time_ms, serial)


@st.composite
def markets(draw):
    """Give quotes of two products in order of time, over up to three days."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PRODUCTS),
                st.integers(min_value=0, max_value=4_000_000),
                st.integers(min_value=1, max_value=200_000),
                st.integers(min_value=0, max_value=50),
            ),
            min_size=1,
            max_size=60,
        )
    )
    time_ms, quotes = draw(st.integers(min_value=0, max_value=10**12)), []
    for product, gap_ms, bid, spread in steps:
        time_ms += gap_ms
        quotes.append(quote(product, time_ms, bid, spread))
    return quotes


def recomputed(quotes):
    """Return (product, resolution, start) -> [mid, bid, ask] as open, high, low, close."""
    buckets: dict[tuple[str, str, int], list[Quote]] = {}
    for item in quotes:
        for resolution, length_s in RESOLUTIONS.items():
            start_s = item.time_ms // 1000 // length_s * length_s
            buckets.setdefault((item.product, resolution, start_s), []).append(item)
    return {key: [ohlc([getattr(item, side) for item in items]) for side in ("mid", "bid", "ask")]
            for key, items in buckets.items()}  # fmt: skip


def ohlc(prices):
    return (prices[0], max(prices), min(prices), prices[-1])


def all_closed(builder):
    return [candle for product in PRODUCTS for candle in builder.close_all(product)]


def keyed(candles):
    found = {(c.product, c.resolution, c.start_s): [c.mid, c.bid, c.ask] for c in candles}
    assert len(found) == len(candles), "a candle was closed twice"
    return found


@given(markets())
def test_closed_candles_equal_a_recomputation_and_each_closes_once(quotes):
    builder = CandleBuilder()
    closed = [candle for item in quotes for candle in builder.add(item)] + all_closed(builder)
    assert all(candle.closed for candle in closed)
    assert keyed(closed) == recomputed(quotes)


@given(markets(), st.integers(min_value=0, max_value=60))
def test_a_builder_that_was_restored_goes_on_as_if_nothing_had_happened(quotes, at):
    first, closed = CandleBuilder(), []
    for item in quotes[:at]:
        closed += first.add(item)
    second = CandleBuilder()
    second.restore(first.open_candles())
    for item in quotes[at:]:
        closed += second.add(item)
    assert keyed(closed + all_closed(second)) == recomputed(quotes)


@given(markets())
def test_the_clock_closes_what_has_ended_and_nothing_else(quotes):
    builder, now_ms = CandleBuilder(), quotes[-1].time_ms
    closed = [candle for item in quotes for candle in builder.add(item)]
    closed += [candle for product in PRODUCTS for candle in builder.close(product, now_ms)]
    assert all(candle.start_s + RESOLUTIONS[candle.resolution] <= now_ms // 1000 for candle in closed)
    assert all(candle.start_s + RESOLUTIONS[candle.resolution] > now_ms // 1000 for candle in builder.open_candles())
    assert keyed(closed + all_closed(builder)) == recomputed(quotes)


@pytest.mark.parametrize(
    ("resolution", "start_s"),
    [("1", 1553623740), ("5", 1553623500), ("15", 1553623200), ("60", 1553623200), ("240", 1553616000),
     ("1D", 1553558400)],
)  # fmt: skip
def test_buckets_begin_at_whole_multiples_and_a_day_at_midnight_utc(resolution, start_s):
    length_s = RESOLUTIONS[resolution]
    assert bucket_start_s(1553623740_000, length_s) == start_s
    assert bucket_start_s((start_s + length_s) * 1000 - 1, length_s) == start_s
    assert bucket_start_s((start_s + length_s) * 1000, length_s) == start_s + length_s


def test_the_documents_candle():
    builder = CandleBuilder()
    for time_ms, bid, ask in ((1553623740_000, "3916.3", "3917.0"), (1553623799_999, "3916.2", "3916.8")):
        prices = Decimal(bid), Decimal(ask)
        builder.add(Quote("BTC-USD", *prices, mid_price(*prices, 1), Decimal(1), time_ms, 1))
    minute = builder.open_candles()[0]
    first, last = Decimal("3916.6"), Decimal("3916.5")
    assert (minute.start_s, minute.mid, minute.closed) == (1553623740, (first, first, last, last), False)


def test_only_what_has_changed_is_told_again():
    builder = CandleBuilder()
    builder.add(quote("EUR-USD", 0, 100))
    assert [candle.resolution for candle in builder.changed("EUR-USD")] == list(RESOLUTIONS)
    assert list(builder.changed("EUR-USD")) == []
    builder.add(quote("EUR-USD", 59_999, 101))
    told = list(builder.changed("EUR-USD"))
    assert len(told) == len(RESOLUTIONS)
    assert all(isinstance(candle, Candle) and not candle.closed for candle in told)
    assert list(builder.changed("BTC-USD")) == []


def test_only_the_resolutions_asked_for_are_told_and_the_others_wait():
    builder = CandleBuilder()
    builder.add(quote("EUR-USD", 0, 100))
    assert [candle.resolution for candle in builder.changed("EUR-USD", {"5", "1D"})] == ["5", "1D"]
    assert [candle.resolution for candle in builder.changed("EUR-USD")] == ["1", "15", "60", "240"]


def test_a_product_closes_alone():
    builder = CandleBuilder()
    for product in PRODUCTS:
        builder.add(quote(product, 0, 100))
    assert [candle.resolution for candle in builder.close("EUR-USD", 60_000)] == ["1"]
    assert builder.close("EUR-USD", 60_000) == builder.close("NOSUCH", 60_000) == []
    assert [(candle.product, candle.resolution) for candle in builder.close("BTC-USD", 60_000)] == [("BTC-USD", "1")]
