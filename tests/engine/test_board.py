"""What is last known, whatever the order in which it is heard of."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.board import RECENT_CANDLES, Board
from engine.values import Candle, MarketStatus, Quote

ONE = Decimal(1)


def quote(serial, product="EUR-USD"):
    return Quote(product, ONE, ONE, ONE, ONE, serial * 1000, serial)


def candle(start_s, *, closed, price=1):
    ohlc = (Decimal(price),) * 4
    return Candle("EUR-USD", "1", start_s, ohlc, ohlc, ohlc, closed)


@given(st.lists(st.integers(min_value=1, max_value=30), min_size=1))
def test_a_quote_is_taken_once_and_never_replaced_by_an_older_one(serials):
    board, newest = Board(), 0
    for serial in serials:
        assert board.apply(quote(serial)) == (serial > newest)
        newest = max(newest, serial)
        assert board.quotes["EUR-USD"].serial == newest


@given(st.lists(st.tuples(st.integers(min_value=0, max_value=9), st.booleans()), max_size=40))
def test_a_closed_candle_is_told_once_and_nothing_reopens_it(steps):
    board, closed = Board(), []
    for minute, is_closed in steps:
        taken = board.apply(candle(minute * 60, closed=is_closed))
        if taken and is_closed:
            closed.append(minute)
        if closed and minute <= closed[-1] and not (taken and is_closed):
            assert not taken
    assert closed == sorted(set(closed))
    still_open = board.open_candles.get(("EUR-USD", "1"))
    assert still_open is None or not closed or still_open.start_s > closed[-1] * 60


def test_an_open_candle_is_replaced_by_its_later_state_and_goes_when_it_closes():
    board = Board()
    assert board.apply(candle(60, closed=False, price=1))
    assert not board.apply(candle(60, closed=False, price=1))
    assert board.apply(candle(60, closed=False, price=2))
    assert board.recent("EUR-USD", "1")[-1].mid[0] == 2
    assert board.apply(candle(60, closed=True, price=3))
    assert [(item.start_s, item.closed) for item in board.recent("EUR-USD", "1")] == [(60, True)]
    assert not board.apply(candle(60, closed=False, price=9))


def test_closed_candles_are_kept_up_to_the_bound():
    board = Board()
    for minute in range(RECENT_CANDLES + 5):
        board.apply(candle(minute * 60, closed=True))
    kept = board.recent("EUR-USD", "1")
    assert len(kept) == RECENT_CANDLES
    assert kept[0].start_s == 5 * 60


def test_a_product_that_never_had_a_tick_is_stale_and_a_state_is_news_once():
    board = Board()
    assert board.status("EUR-USD").state == "stale"
    assert board.apply(MarketStatus("EUR-USD", "open"))
    assert not board.apply(MarketStatus("EUR-USD", "open"))
    assert board.status("EUR-USD").state == "open"


def test_a_cleared_board_takes_serials_that_begin_anew():
    board = Board()
    board.apply(quote(50))
    board.apply(candle(600, closed=True))
    board.clear()
    assert board.apply(quote(1))
    assert board.apply(candle(60, closed=True))
