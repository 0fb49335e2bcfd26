"""The feed's verdicts, quotes, candles and states. Time is the test's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Code
from engine.values import Candle, Quote
from market.feed import MAX_NAME_SHOWN, MAX_RECENT, PRODUCTS_AT_ONCE, REPLAY_SOURCE, Restored
from tests.market.feeds import START_MS, Feeding, keyed, recomputed, rules

MINUTE_MS = 60_000
DAY_MS = 86_400_000
START_S = START_MS // 1000


# ---- verdicts


@pytest.mark.parametrize(
    ("tick", "code"),
    [
        ({"product": "NOSUCH"}, Code.UNKNOWN_PRODUCT),
        ({"bid": "1.10001", "ask": "1.1"}, Code.CROSSED),
        ({"bid": "0"}, Code.NOT_POSITIVE),
        ({"bid": "-1", "ask": "1"}, Code.NOT_POSITIVE),
        ({"bid": "1", "ask": "0"}, Code.NOT_POSITIVE),
        ({"bid": "0.0000049", "ask": "1"}, Code.NOT_POSITIVE),
        ({"bid": "0.000005", "ask": "1"}, Code.NOT_POSITIVE),
        ({"bid": "0.00999", "ask": "1"}, Code.OUT_OF_BAND),
        ({"bid": "1", "ask": "100.00001"}, Code.OUT_OF_BAND),
        ({"at_ms": START_MS + 5_001}, Code.FUTURE_TICK),
        ({"at_ms": START_MS - MINUTE_MS - 1}, Code.LATE),
        ({"at_ms": -1}, Code.LATE),
    ],
)
def test_a_bad_tick_is_refused_counted_and_never_passed_on(tick, code):
    feeding = Feeding()
    assert feeding.tick(**tick) == code
    product = "" if code is Code.UNKNOWN_PRODUCT else "EUR-USD"
    assert feeding.feed.refusals == {(product, code): 1}
    assert feeding.feed.accepted == 0
    assert feeding.news == []


@pytest.mark.parametrize(
    "tick",
    [
        {"bid": "1.1", "ask": "1.1"},
        {"bid": "0.01", "ask": "100"},
        {"at_ms": START_MS + 5_000},
        {"at_ms": START_MS - MINUTE_MS},  # its minute ended this moment, and closes in a second
        {"product": "EURUSD"},
        {"product": "eur-usd"},
    ],
)
def test_what_is_just_inside_the_rules_is_accepted(tick):
    feeding = Feeding()
    assert feeding.tick(**tick) is None
    assert [quote.product for quote in feeding.quotes()] == ["EUR-USD"]


def test_each_tick_is_judged_by_itself_and_refusals_name_their_index():
    feeding = Feeding()
    ticks = [("1.1", "1.2"), ("1.3", "1.2"), ("0", "1.2"), ("1.1", "1.2")]
    assert [feeding.tick(*prices) for prices in ticks] == [None, Code.CROSSED, Code.NOT_POSITIVE, None]
    assert feeding.feed.accepted == 2


@pytest.mark.parametrize(
    ("bid", "code"),
    [("1.2", None), ("1.20001", Code.OUT_OF_BAND), ("0.8", None), ("0.79999", Code.OUT_OF_BAND)],
)
def test_a_jump_beyond_the_limit_is_out_of_band(bid, code):
    feeding = Feeding()
    feeding.tick("1")
    feeding.pass_ms(59_999)
    assert feeding.tick(bid) == code


def test_a_quote_of_a_minute_ago_says_nothing_about_jumps():
    feeding = Feeding()
    feeding.tick("1")
    feeding.pass_ms(60_000)
    assert feeding.tick("5") is None


def test_a_tick_older_than_the_last_is_out_of_order_and_one_of_the_same_moment_is_not():
    feeding = Feeding()
    feeding.pass_ms(10)
    feeding.tick()
    assert feeding.tick() is None
    assert feeding.tick(at_ms=START_MS + 9) == Code.OUT_OF_ORDER


def test_a_live_tick_of_a_closed_minute_is_late_even_if_newer_ones_have_come():
    feeding = Feeding()
    feeding.clock(MINUTE_MS)
    feeding.tick()
    feeding.clock(1_000)
    assert feeding.tick(at_ms=START_MS + 59_999) == Code.LATE
    assert feeding.feed.refusals == {("EUR-USD", Code.LATE): 1}


def test_a_minute_that_was_closed_stays_closed_when_the_wall_clock_is_set_back():
    feeding = Feeding()
    feeding.clock(MINUTE_MS + 1_000)
    feeding.pass_ms(-5_000)
    assert feeding.tick() == Code.LATE


def test_a_replay_may_come_from_the_future_but_a_publisher_beside_it_may_not():
    feeding = Feeding(rules(), rules("GBP-USD"), live=False)
    assert feeding.tick(at_ms=START_MS + DAY_MS, source=REPLAY_SOURCE) is None
    assert feeding.tick(product="GBP-USD", at_ms=START_MS + DAY_MS) == Code.FUTURE_TICK


def test_a_product_has_one_source_until_that_has_been_silent_for_longer_than_the_limit():
    feeding = Feeding()
    feeding.tick(source="sim")
    feeding.pass_ms(8_000)
    assert feeding.tick(source="key:1") == Code.PRODUCT_HAS_SOURCE
    feeding.pass_ms(1)
    assert feeding.tick(source="key:1") is None
    assert feeding.tick(source="sim") == Code.PRODUCT_HAS_SOURCE
    assert feeding.feed.refusals == {("EUR-USD", Code.PRODUCT_HAS_SOURCE): 2}


def test_bad_ticks_do_not_keep_a_source():
    feeding = Feeding()
    feeding.tick(source="key:1")
    feeding.pass_ms(8_001)
    assert feeding.tick("0", source="key:1") == Code.NOT_POSITIVE
    assert feeding.tick(source="key:2") is None


def test_digits_beyond_the_products_are_rounded_half_even_and_counted():
    feeding = Feeding()
    feeding.tick("1.100005", "1.100015")
    feeding.tick("1.1000", "1.10000000")
    assert [(str(quote.bid), str(quote.ask)) for quote in feeding.quotes()] == [
        ("1.10000", "1.10002"),
        ("1.10000", "1.10000"),
    ]
    assert feeding.feed.rounded == {"EUR-USD": 1}


def test_the_mid_is_the_documents_and_serials_count_each_product():
    feeding = Feeding(rules("BTC-USD", digits=1, high="100000"), rules())
    feeding.tick("3916.3", "3917.0", product="BTC-USD")
    feeding.tick()
    feeding.tick("3916.3", "3917.0", product="BTC-USD")
    assert [(quote.product, quote.serial) for quote in feeding.quotes()] == [
        ("BTC-USD", 1),
        ("EUR-USD", 1),
        ("BTC-USD", 2),
    ]
    assert str(feeding.quotes()[0].mid) == "3916.6"


def test_changed_rules_new_products_and_gone_ones_are_taken_in():
    feeding = Feeding(rules(), rules("GBP-USD"))
    feeding.tick()
    feeding.feed.set_products([rules(high="1"), rules("USD-JPY")])
    assert feeding.tick() == Code.OUT_OF_BAND
    assert feeding.tick(product="USDJPY") is None
    assert feeding.tick(product="GBPUSD") == Code.UNKNOWN_PRODUCT
    feeding.feed.set_products([rules()])
    feeding.tick()
    assert [quote.serial for quote in feeding.quotes() if quote.product == "EUR-USD"] == [1, 2]


def test_the_last_price_is_the_last_mid_or_what_history_knows():
    feeding = Feeding(restored={"EUR-USD": Restored(last_price=Decimal("1.2"))})
    assert feeding.feed.last_price("EUR-USD") == Decimal("1.2")
    feeding.tick("1.1")
    assert feeding.feed.last_price("EUR-USD") == Decimal("1.1")
    assert feeding.feed.last_price("NOSUCH") is None


# ---- the mid of 24 hours ago


def test_the_mid_a_day_ago_is_the_first_known_one_then_the_last_minute_close_before_that_time():
    feeding = Feeding()
    feeding.tick("1.1")
    feeding.tick("1.2")
    feeding.clock(MINUTE_MS + 1_000)
    for span_ms in (DAY_MS - 1_001, 1):
        feeding.clock(span_ms)
        feeding.tick("1.3")
    assert [str(quote.mid_day_ago) for quote in feeding.quotes()] == ["1.10000", "1.10000", "1.10000", "1.20000"]


def test_after_a_long_pause_of_a_replay_it_is_the_close_of_the_minute_before_the_pause():
    feeding = Feeding(live=False)
    for at_ms, bid in ((0, "1.1"), (MINUTE_MS, "1.2"), (2 * DAY_MS, "1.3")):
        feeding.tick(bid, at_ms=START_MS + at_ms, source=REPLAY_SOURCE)
    assert str(feeding.quotes()[-1].mid_day_ago) == "1.20000"


def test_a_restart_changes_nothing_about_it():
    closes = [(START_MS - DAY_MS, Decimal("1.5")), (START_MS - MINUTE_MS, Decimal("1.6"))]
    restored = Restored(minute_closes=closes, first_mid=Decimal("1.4"))
    feeding = Feeding(restored={"EUR-USD": restored})
    feeding.tick()
    assert str(feeding.quotes()[0].mid_day_ago) == "1.5"
    restored.minute_closes = closes[1:]
    feeding = Feeding(restored={"EUR-USD": restored})
    feeding.tick()
    assert str(feeding.quotes()[0].mid_day_ago) == "1.4"


# ---- candles

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["tick", "clock"]),
        st.one_of(st.integers(0, 400), st.integers(0, 90_000), st.integers(0, 30_000_000)),
        st.integers(0, 3_000),
        st.integers(90_000, 110_000),
    ),
    min_size=1,
    max_size=60,
)


@given(STEPS)
def test_live_candles_equal_a_recomputation_close_once_and_are_announced_every_250_ms_at_most(steps):
    feeding = Feeding(rules(jump="9"))
    told: list[tuple[float, Candle]] = []
    for what, gap_ms, lag_ms, bid in steps:
        feeding.pass_ms(gap_ms)
        before = len(feeding.news)
        if what == "tick":
            feeding.tick(Decimal(bid).scaleb(-5), at_ms=feeding.wall_ms - lag_ms)
        else:
            feeding.clock()
        told += [(feeding.now_s, news) for news in feeding.news[before:] if isinstance(news, Candle)]
    feeding.clock(2 * DAY_MS)
    assert keyed(feeding.closed()) == recomputed(feeding.quotes())
    assert_spaced_and_final(told)


def assert_spaced_and_final(told):
    """Check that open candles keep their distance from what was told before, and that nothing follows a closed one."""
    last_s: dict[str, float] = {}
    final_s: dict[str, int] = {}
    for now_s, candle in told:
        if not candle.closed:
            assert now_s - last_s.get(candle.resolution, -1) > 0.2499
        assert candle.start_s > final_s.get(candle.resolution, -1)
        last_s[candle.resolution] = now_s
        if candle.closed:
            final_s[candle.resolution] = candle.start_s


@given(STEPS)
def test_replayed_candles_equal_a_recomputation_and_close_with_the_next_bucket_or_the_end(steps):
    feeding = Feeding(rules(jump="9"), live=False)
    for _, gap_ms, lag_ms, bid in steps:
        feeding.pass_ms(gap_ms)
        feeding.tick(Decimal(bid).scaleb(-5), at_ms=feeding.wall_ms - lag_ms, source=REPLAY_SOURCE)
        feeding.clock()
    newest = feeding.quotes()[-1].time_ms // 1000
    assert all(candle.start_s <= newest for candle in feeding.closed())
    still_open = len(recomputed(feeding.quotes())) - len(feeding.closed())
    assert still_open == 6
    feeding.end()
    assert keyed(feeding.closed()) == recomputed(feeding.quotes())


def test_what_nobody_listens_to_is_told_once_a_second():
    heard = []
    feeding = Feeding(is_heard=lambda product, resolution: (product, resolution) in heard)
    for number in range(1, 41):
        if number == 21:
            heard.append(("EUR-USD", "5"))
        feeding.tick(f"1.{number:05d}")
        feeding.clock(50)
    told = {resolution: [str(candle.mid[3]) for candle in feeding.candles(resolution)] for resolution in ("1", "5")}
    assert told["1"] == ["1.00001", "1.00020", "1.00040"]
    assert told["5"] == ["1.00001", "1.00020", "1.00025", "1.00030", "1.00035", "1.00040"]


def test_the_last_of_what_nobody_listens_to_is_told_though_no_tick_follows():
    feeding = Feeding(is_heard=lambda product, resolution: False)
    for bid in ("1.1", "1.2"):
        feeding.tick(bid)
    feeding.clock(900)
    assert len(feeding.candles("1")) == 1
    feeding.clock(350)
    assert [str(candle.mid[3]) for candle in feeding.candles("1")] == ["1.10000", "1.20000"]


def a_minute_ended(count):
    """Return a feed of so many products whose first minute is over but not closed, and their names."""
    names = [f"P{number:03d}-USD" for number in range(count)]
    feeding = Feeding(*(rules(name) for name in names))
    for name in names:
        feeding.tick(product=name)
    feeding.pass_ms(MINUTE_MS + 1_000)
    return feeding, names


def test_a_minute_that_ends_for_many_products_is_closed_in_small_pieces():
    feeding, names = a_minute_ended(3 * PRODUCTS_AT_ONCE)
    closed: list[int] = []
    while len(feeding.closed("1")) < len(names):
        before = len(feeding.closed("1"))
        assert feeding.feed.on_clock(wall_ms=feeding.wall_ms, now_s=feeding.now_s) == (len(closed) < 2)
        closed.append(len(feeding.closed("1")) - before)
    assert closed == [PRODUCTS_AT_ONCE] * 3
    assert feeding.tick(at_ms=START_MS + 59_999, product=names[-1]) == Code.LATE


def test_what_is_late_is_so_before_its_products_turn_to_be_closed_has_come():
    feeding, names = a_minute_ended(2 * PRODUCTS_AT_ONCE)
    feeding.feed.on_clock(wall_ms=feeding.wall_ms, now_s=feeding.now_s)
    feeding.pass_ms(-5_000)  # the wall clock is set back
    assert feeding.tick(product=names[-1]) == Code.LATE
    feeding.pass_ms(6_000)
    assert feeding.tick(product=names[-1]) is None
    assert [candle.product for candle in feeding.closed("1")][-1] == names[-1]
    feeding.clock()
    assert len(keyed(feeding.closed("1"))) == len(names)


def test_all_states_are_looked_at_within_a_quarter_of_a_second_some_at_a_time():
    names = [f"P{number:03d}-USD" for number in range(100)]
    feeding = Feeding(*(rules(name) for name in names))
    for name in names:
        feeding.tick(product=name)
    feeding.clock()
    feeding.pass_ms(8_001)
    feeding.feed.set_products([rules(name, halted=True) for name in names])
    feeding.clock()
    feeding.feed.set_products([rules(name) for name in names])
    stale = []
    for _ in range(5):
        before = len(feeding.news)
        feeding.clock(50)
        stale.append(len(feeding.news) - before)
    assert sum(stale) == 100
    assert max(stale) == 21


def test_the_last_value_is_told_when_the_interval_is_over():
    feeding = Feeding()
    for bid in ("1.1", "1.2", "1.3"):
        feeding.tick(bid)
        feeding.clock(100)
    assert [str(candle.mid[3]) for candle in feeding.candles("1")] == ["1.10000", "1.30000"]


def test_the_quote_comes_first_then_what_it_closes_then_what_it_opens():
    feeding = Feeding()
    feeding.tick()
    feeding.news.clear()
    feeding.pass_ms(MINUTE_MS)
    feeding.tick()
    feeding.clock(250)
    of_the_minute = [news for news in feeding.news if isinstance(news, Quote) or getattr(news, "resolution", "") == "1"]
    assert [getattr(news, "closed", "quote") for news in of_the_minute] == ["quote", True, False]


def test_a_live_minute_without_further_ticks_closes_a_second_after_its_end():
    feeding = Feeding()
    feeding.pass_ms(59_500)
    feeding.tick("1.1")
    feeding.clock(1_499)
    assert feeding.closed() == []
    assert feeding.tick("1.2", at_ms=START_MS + 59_999) is None
    feeding.clock(1)
    assert [(candle.start_s, str(candle.mid[3])) for candle in feeding.closed("1")] == [(START_S, "1.20000")]
    assert feeding.tick(at_ms=START_MS + 59_999) == Code.LATE
    assert len(feeding.quotes()) == 2


def test_no_tick_no_candle():
    feeding = Feeding()
    feeding.tick()
    for _ in range(10):
        feeding.clock(MINUTE_MS)
    assert [candle.start_s for candle in feeding.closed("1")] == [START_S]
    assert len(feeding.closed("5")) == 1


def test_a_replay_waits_for_its_next_tick_however_long_that_takes():
    feeding = Feeding(live=False)
    feeding.tick(source=REPLAY_SOURCE)
    feeding.clock(DAY_MS)
    assert feeding.closed() == []
    assert feeding.tick(at_ms=START_MS + MINUTE_MS, source=REPLAY_SOURCE) is None
    assert [candle.start_s for candle in feeding.closed("1")] == [START_S]


def test_the_end_of_a_replay_leaves_alone_what_others_publish():
    feeding = Feeding(rules(), rules("GBP-USD"), live=False)
    feeding.tick(source=REPLAY_SOURCE)
    feeding.tick(product="GBP-USD", source="key:1")
    feeding.end()
    assert {candle.product for candle in feeding.closed()} == {"EUR-USD"}
    assert feeding.states("GBP-USD") == ["open"]


def test_open_candles_of_before_a_restart_go_on():
    before = Feeding()
    before.tick("1.3")
    before.tick("1.1")
    before.clock(250)
    after = Feeding(restored={"EUR-USD": Restored(open_candles=before.candles()[-6:], last_ms=START_MS)})
    assert after.tick(at_ms=START_MS - 1) == Code.LATE
    after.tick("1.2")
    after.clock(2 * DAY_MS)
    assert keyed(after.closed()) == recomputed([*before.quotes(), *after.quotes()])


# ---- states


def test_a_product_opens_with_its_first_tick_and_is_stale_after_silence():
    feeding = Feeding()
    feeding.clock()
    assert feeding.news == []
    feeding.tick()
    feeding.clock(8_000)
    assert feeding.states() == ["open"]
    feeding.clock(1)
    assert feeding.states() == ["open", "stale"]
    feeding.tick()
    assert feeding.states() == ["open", "stale", "open"]


def test_a_running_replay_is_never_stale_and_an_ended_one_is():
    feeding = Feeding(live=False)
    feeding.feed.replaying = True
    feeding.tick(source=REPLAY_SOURCE)
    feeding.clock(DAY_MS)
    assert feeding.states() == ["open"]
    feeding.end()
    assert feeding.states() == ["open", "stale"]


def test_a_halt_is_told_and_quotes_flow_on():
    feeding = Feeding()
    feeding.tick()
    feeding.feed.set_products([rules(halted=True)])
    feeding.clock()
    assert feeding.tick() is None
    feeding.feed.set_products([rules()])
    feeding.clock()
    assert feeding.states() == ["open", "halted", "open"]


def test_hours_are_those_of_the_feed_clock():
    tuesday = "Tue 22:00-Tue 22:15"  # it is Tuesday, 22:14
    live = Feeding(rules(hours=tuesday))
    live.tick()
    live.clock(MINUTE_MS)
    live.tick()
    assert live.states() == ["open", "closed"]
    replay = Feeding(rules(hours=tuesday), live=False)
    replay.feed.replaying = True
    replay.tick(source=REPLAY_SOURCE)
    replay.pass_ms(MINUTE_MS)
    replay.clock()
    assert replay.states() == ["open"]
    replay.tick(source=REPLAY_SOURCE)
    assert replay.states() == ["open", "closed"]


# ---- for administrators


def test_the_last_refused_ticks_are_kept_with_what_they_said_and_who_said_it():
    feeding = Feeding()
    feeding.tick("1.1", "1.0")
    feeding.tick("1.1", product="<b>" + "x" * 100, source="key:2")
    crossed, unknown = feeding.feed.recent
    assert (crossed.product, crossed.named, crossed.code) == ("EUR-USD", "EUR-USD", Code.CROSSED)
    assert (crossed.bid, crossed.ask, crossed.source) == (Decimal("1.1"), Decimal("1.0"), "key:1")
    assert (crossed.time_ms, crossed.tick_ms) == (START_MS, START_MS)
    assert (unknown.product, unknown.code, unknown.source) == ("", Code.UNKNOWN_PRODUCT, "key:2")
    assert unknown.named == ("<b>" + "x" * 100)[:MAX_NAME_SHOWN]


def test_so_many_are_kept_and_all_are_counted():
    feeding = Feeding()
    for _ in range(MAX_RECENT + 10):
        feeding.tick("-1")
    assert len(feeding.feed.recent) == MAX_RECENT
    assert feeding.feed.refusals.total() == MAX_RECENT + 10


def test_it_says_how_long_each_source_has_been_silent():
    feeding = Feeding(rules(), rules("GBP-USD"), rules("USD-JPY", halted=True))
    feeding.tick()
    feeding.pass_ms(2_500)
    feeding.clock()
    assert feeding.feed.silences(feeding.now_s) == [
        ("EUR-USD", "open", 2.5), ("GBP-USD", "stale", None), ("USD-JPY", "halted", None)
    ]  # fmt: skip
