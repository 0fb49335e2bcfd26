"""Candles in the database: written once and again, read back, and what a start makes of them."""

import itertools
import logging
import time
from decimal import Decimal

import pytest
from django.db import connection

from accounts.errors import Code
from engine.values import RESOLUTIONS, Candle
from market import models, store
from market.feed import REPLAY_SOURCE
from tests.market.feeds import STALE_AFTER_S, Feeding, keyed, recomputed, rules

MIDNIGHT_S = 1_704_067_200  # a Monday
DAY_S = 86_400
HOUR_S = 3_600


def ohlc(first, high, low, last):
    return first, high, low, last


def candle(start_s=MIDNIGHT_S, resolution="1", *, product="EUR-USD", closed=True, price="1.1"):
    """Make a candle whose twelve prices are all different: the given one, then a tick more each."""
    numbers = [Decimal(price) + Decimal(place).scaleb(-5) for place in range(12)]
    mid, bid, ask = (ohlc(*numbers[at : at + 4]) for at in (0, 4, 8))
    return Candle(product, resolution, start_s, mid, bid, ask, closed)


def read(resolution="1", *, product="EUR-USD", start_s=0, end_s=10**10, limit=1_000):
    row = models.Product.objects.get(name=product)
    return store.candles_read(row, resolution, start_s=start_s, end_s=end_s, limit=limit)


def restored(*, live=False):
    """Start a feed on what is stored; return it in a test's hands, its news empty."""
    feeding = Feeding(live=live)
    feeding.feed = store.restore_feed(
        announce=feeding.news.append, is_heard=lambda *_: True, live=live, stale_after_s=STALE_AFTER_S
    )
    return feeding


# ---- writing and reading


@pytest.mark.usefixtures("products")
def test_what_is_written_is_read_newest_first_within_both_ends():
    written = [candle(MIDNIGHT_S + 60 * minute, price=f"1.{minute}") for minute in range(5)]
    store.candles_write([*written, candle(product="GBP-USD"), candle(resolution="5")])
    assert read() == written[::-1]
    assert read(start_s=MIDNIGHT_S + 60, end_s=MIDNIGHT_S + 180) == written[3:0:-1]
    assert read(limit=2) == written[:2:-1]


@pytest.mark.usefixtures("products")
def test_one_that_is_there_is_replaced():
    store.candles_write([candle(closed=False)])
    store.candles_write([candle(price="1.2")])
    assert read() == [candle(price="1.2")]


@pytest.mark.usefixtures("products")
def test_candles_of_a_product_that_is_gone_are_left_out():
    store.candles_write([candle(product="NOSUCH"), candle()])
    assert read() == [candle()]


@pytest.mark.usefixtures("products")
def test_history_ends_with_its_newest_minute_and_can_be_forgotten():
    assert store.history_ended_s() is None
    store.candles_write([candle(), candle(resolution="1D")])
    assert store.history_ended_s() == MIDNIGHT_S + 60
    store.history_clear()
    assert store.history_ended_s() is None


@pytest.mark.usefixtures("products")
def test_prices_have_the_products_digits_again_also_after_a_restart():
    store.candles_write([candle(price="1.1"), candle(price="1.1", resolution="1D", closed=False)])
    assert [str(price) for price in read()[0].mid[:2]] == ["1.10000", "1.10001"]
    feeding = restored()
    replayed(feeding, (60, "1.2"))
    assert str(feeding.candles("1D")[0].mid[0]) == "1.10000"
    assert str(feeding.quotes()[0].mid_day_ago) == "1.10000"


# ---- the writer


@pytest.fixture
def writer(transactional_db, products, monkeypatch):
    """A running writer that flushes all the time."""
    monkeypatch.setattr(store, "FLUSH_S", 0.01)
    running = store.Store()
    running.start()
    yield running
    if running._thread.is_alive():
        running.stop()


def until(true):
    deadline_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline_s, "it did not come to that"
        time.sleep(0.005)


def test_closed_candles_are_stored_soon_and_open_ones_at_the_end(writer):
    writer.put(candle(closed=False))
    writer.put(candle())
    writer.put(candle(MIDNIGHT_S + 60, closed=False))
    until(lambda: read() == [candle()] and writer.waiting == 0)
    writer.stop()
    assert read() == [candle(MIDNIGHT_S + 60, closed=False), candle()]


def test_open_candles_are_stored_now_and_then(transactional_db, products, monkeypatch):
    monkeypatch.setattr(store, "FLUSH_S", 0.01)
    monkeypatch.setattr(store, "OPEN_EVERY_S", 0.02)
    writer = store.Store()
    writer.start()
    writer.put(candle(closed=False))
    until(lambda: read() == [candle(closed=False)])
    writer.stop()


def test_while_the_database_fails_candles_are_kept_the_newest_of_each_and_it_is_said_once(writer, caplog):
    caplog.set_level(logging.WARNING, "market.store")
    break_database()
    writer.put(candle(price="1.1"))
    writer.put(candle(MIDNIGHT_S + 60))
    until(lambda: caplog.records)
    writer.put(candle(price="1.3"))
    until(lambda: writer.waiting == 2)
    mend_database()
    until(lambda: writer.waiting == 0)
    assert read() == [candle(MIDNIGHT_S + 60), candle(price="1.3")]
    said = [record for record in caplog.records if record.name == "market.store"]
    assert [record.getMessage().split(" ", 1)[1] for record in said] == [
        f"candles could not be stored; they are tried again: {NO_TABLE}",
        "are stored again",
    ]
    assert not any(record.exc_info for record in said)


def test_what_comes_while_a_write_fails_is_newer_than_what_is_tried_again(
    transactional_db, products, monkeypatch, caplog
):  # fmt: skip
    idle = store.Store()

    def fail(candles):
        idle.put(candle(price="1.3"))
        raise LookupError("a fault of ours")

    idle.put(candle(price="1.1"))
    with monkeypatch.context() as patched:
        patched.setattr(store, "candles_write", fail)
        idle._write(with_open=False)
    assert [record.exc_info is not None for record in caplog.records if record.name == "market.store"] == [True]
    idle._write(with_open=False)
    assert read() == [candle(price="1.3")]


NO_TABLE = "ProgrammingError" if connection.vendor == "postgresql" else "OperationalError"


def break_database():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE market_candle RENAME TO market_candle_away")


def mend_database():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE market_candle_away RENAME TO market_candle")


def test_beyond_the_bound_the_oldest_go(monkeypatch):
    monkeypatch.setattr(store, "MAX_WAITING", 3)
    idle = store.Store()
    for minute in range(5):
        idle.put(candle(MIDNIGHT_S + 60 * minute))
    assert idle.waiting == 3
    assert [key[2] for key in idle._waiting] == [MIDNIGHT_S + 60 * minute for minute in (2, 3, 4)]


# ---- start-up


def replayed(feeding, *ticks):
    """Hand in ticks of (seconds after midnight, price)."""
    for after_s, price in ticks:
        assert feeding.tick(price, at_ms=(MIDNIGHT_S + after_s) * 1000, source=REPLAY_SOURCE) is None


def stored(feeding):
    store.candles_write(feeding.closed())


@pytest.mark.usefixtures("products")
def test_a_replay_that_goes_on_where_another_ended_completes_its_longer_candles():
    first = Feeding(live=False)
    replayed(first, (0, "1.1"), (30, "1.3"), (90, "1.2"))
    first.end()
    stored(first)
    second = restored()
    replayed(second, (120, "1.2"), (2 * HOUR_S, "1.25"))
    second.end()
    stored(second)
    expected = recomputed([*first.quotes(), *second.quotes()])
    assert keyed([found for resolution in RESOLUTIONS for found in read(resolution)]) == expected
    assert all(found.closed for resolution in RESOLUTIONS for found in read(resolution))


@pytest.mark.usefixtures("products")
def test_open_candles_of_a_process_that_was_killed_go_on():
    first = Feeding(live=False)
    replayed(first, (0, "1.1"), (30, "1.3"))
    store.candles_write(first.candles()[-6:])  # as they were announced with the first tick
    second = restored()
    assert [(found.resolution, found.closed) for found in itertools.chain(*map(read, RESOLUTIONS))] == [
        (resolution, resolution == "1") for resolution in RESOLUTIONS
    ]
    replayed(second, (60, "1.2"))
    second.end()
    assert {found.mid[0] for found in second.closed() if found.resolution != "1"} == {Decimal("1.1")}


@pytest.mark.usefixtures("products")
def test_what_ended_while_nothing_ran_is_closed_and_its_ticks_are_late():
    now_s = int(time.time())
    minute_s, day_s = now_s // 60 * 60, now_s // DAY_S * DAY_S
    store.candles_write([candle(minute_s - 600, closed=False), candle(day_s, "1D", closed=False)])
    feeding = restored(live=True)
    assert [found.closed for found in read()] == [True]
    assert [found.closed for found in read("1D")] == [False]
    feeding.wall_ms = now_s * 1000
    feeding.clock()
    assert [found.resolution for found in feeding.candles()] == ["1D"]
    assert feeding.tick("1.1", at_ms=(minute_s - 600) * 1000) == Code.LATE


@pytest.mark.usefixtures("products")
def test_the_mid_of_a_day_ago_survives_a_weekend_and_a_restart():
    friday, sunday = candle(MIDNIGHT_S - 3 * DAY_S, price="1.5"), candle(MIDNIGHT_S - HOUR_S, price="1.6")
    store.candles_write([friday, sunday])
    feeding = restored()
    replayed(feeding, (0, "1.7"))
    assert feeding.quotes()[0].mid_day_ago == friday.mid[3]


@pytest.mark.usefixtures("products")
def test_within_the_first_day_it_is_the_very_first_mid_after_a_restart_too():
    store.candles_write([candle(price="1.5"), candle(MIDNIGHT_S + 60, price="1.6")])
    feeding = restored()
    replayed(feeding, (120, "1.7"))
    assert feeding.quotes()[0].mid_day_ago == Decimal("1.5")


@pytest.mark.usefixtures("products")
def test_serials_grow_over_restarts():
    feeding, before = restored(), time.time_ns() // 1_000_000
    replayed(feeding, (0, "1.1"))
    assert abs(feeding.quotes()[0].serial - before) < 60_000


@pytest.mark.usefixtures("products")
def test_products_are_judged_by_their_rows():
    models.Product.objects.filter(name="EUR-USD").update(hours="Sun 22:00-Fri 22:00", halted=True)
    models.Product.objects.filter(name="AAPL").update(enabled=False)
    found = {item.product.name: item for item in store.feed_products()}
    row = models.Product.objects.get(name="EUR-USD")
    expected = rules(low=str(row.band_low), high=str(row.band_high), hours="Sun 22:00-Fri 22:00", halted=True)
    assert found["EUR-USD"] == expected
    assert "AAPL" not in found
