"""Playing recorded ticks: their order, their shifts, their pace, and what is checked before."""

import asyncio
import contextlib

import pytest

from market import store
from market.feed import REPLAY_SOURCE
from market.sources import NoneSpec, SimSpec, SourceInvalid, parse_spec, prepare_source, replay
from market.sources.files import find_files
from tests.market.feeds import Feeding, keyed, recomputed, rules

DAY_MS = 86_400_000
MIDNIGHT_MS = 1_577_836_800_000
DAY_AFTER_TOMORROW_S = 4_102_444_800


def lines(*stamps, bid="1.1"):
    return "timestamp,bid,ask\n" + "".join(f"{stamp}Z,{bid},1.2\n" for stamp in stamps)


@pytest.fixture
def given_replay(tmp_path):
    """Give a function that writes files, by name, and returns the files of the replay of all of them."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return find_files([str(tmp_path / f"{name}.csv") for name in texts])

    return write


def two_products():
    return Feeding(rules(), rules("GBP-USD"), live=False)


async def play(files, feeding, *, speed="max", loop=False, step=None):
    await replay.run(files, feeding.feed, speed=speed, loop=loop, step=step or asyncio.Semaphore(0))


# ---- order


def test_several_files_are_one_stream_in_order_of_time_and_of_files_where_that_is_equal(given_replay):
    files = given_replay(
        eurusd=lines("2020-01-01T00:00:00", "2020-01-01T00:00:02", "2020-01-01T00:00:03"),
        gbpusd=lines("2020-01-01T00:00:01", "2020-01-01T00:00:02"),
    )
    order = [(tick.product, tick.time_ms - MIDNIGHT_MS) for tick in replay.merged(files)]
    assert order == [("EURUSD", 0), ("GBPUSD", 1000), ("EURUSD", 2000), ("GBPUSD", 2000), ("EURUSD", 3000)]


async def test_every_tick_is_passed_on_repeated_prices_too_and_at_the_end_all_is_closed(given_replay):
    files = given_replay(
        eurusd=lines("2020-01-01T00:00:00", "2020-01-01T00:00:01", "2020-01-01T00:01:00"),
        gbpusd=lines("2020-01-01T00:00:30"),
    )
    feeding = two_products()
    await play(files, feeding)
    assert [quote.time_ms - MIDNIGHT_MS for quote in feeding.quotes()] == [0, 1_000, 30_000, 60_000]
    assert keyed(feeding.closed()) == recomputed(feeding.quotes())
    assert feeding.states() == feeding.states("GBP-USD") == ["open", "stale"]


async def test_what_is_out_of_order_inside_a_file_is_refused_and_the_rest_goes_on(given_replay):
    files = given_replay(eurusd=lines("2020-01-01T00:00:05", "2020-01-01T00:00:01", "2020-01-01T00:00:06"))
    feeding = two_products()
    await play(files, feeding)
    assert [quote.time_ms - MIDNIGHT_MS for quote in feeding.quotes()] == [5_000, 6_000]
    assert replay.extent(files) == (MIDNIGHT_MS + 1_000, MIDNIGHT_MS + 6_000, 3)


async def test_a_file_that_breaks_while_it_is_played_leaves_its_products_stale(given_replay, tmp_path):
    count = 1_000  # more than a file's buffer holds
    files = given_replay(eurusd=lines(*["2020-01-01T00:00:00"] * count))
    step, feeding = asyncio.Semaphore(0), two_products()
    playing = asyncio.create_task(play(files, feeding, speed="step", step=step))
    await until(lambda: feeding.feed.replaying)
    with (tmp_path / "eurusd.csv").open("a") as file:
        file.write("broken\n")
    for _ in range(count + 1):
        step.release()
    with pytest.raises(SourceInvalid, match=f"line {count + 2} cannot be read"):
        await playing
    assert feeding.states() == ["open", "stale"]


# ---- loop


@pytest.mark.parametrize(
    ("last", "shift_days"),
    [
        ("2020-01-01T00:00:00", 1),
        ("2020-01-01T23:59:59.999", 1),
        ("2020-01-02T00:00:00", 2),
        ("2020-01-03T12:00:00", 3),
    ],
)
async def test_each_round_is_shifted_by_the_span_rounded_up_to_whole_days(given_replay, last, shift_days):
    stamps = dict.fromkeys(["2020-01-01T00:00:00", last])
    files = given_replay(eurusd=lines(*stamps))
    step, feeding = asyncio.Semaphore(3 * len(stamps)), two_products()
    await played(files, feeding, loop=True, speed="step", step=step, quotes=3 * len(stamps))
    firsts = [quote.time_ms for quote in feeding.quotes()][:: len(stamps)]
    assert firsts == [MIDNIGHT_MS + turn * shift_days * DAY_MS for turn in range(3)]
    assert feeding.feed.refusals == {}
    assert feeding.states() == ["open"]


# ---- pace


@pytest.mark.parametrize("words", [0, 1, 3])
async def test_step_by_step_each_tick_waits_for_its_word(given_replay, words):
    files = given_replay(eurusd=lines(*(f"2020-01-01T00:00:0{second}" for second in range(5))))
    await played(files, two_products(), speed="step", step=asyncio.Semaphore(words), quotes=words)


async def test_a_factor_spreads_the_ticks_over_that_part_of_their_time(given_replay):
    files = given_replay(eurusd=lines("2020-01-01T00:00:00", "2020-01-01T01:00:00"))
    feeding, loop = two_products(), asyncio.get_running_loop()
    started_s = loop.time()
    await play(files, feeding, speed=36_000.0)
    assert 0.1 <= loop.time() - started_s < 5
    assert len(feeding.quotes()) == 2


async def until(true):
    for _ in range(2_000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come to that")


async def played(files, feeding, *, quotes, **options):
    """Play until that many quotes have come and nothing more moves, then end the player."""
    playing = asyncio.create_task(play(files, feeding, **options))
    await until(lambda: feeding.feed.replaying and len(feeding.quotes()) >= quotes)
    for _ in range(50):
        await asyncio.sleep(0)
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    assert len(feeding.quotes()) == quotes


# ---- before anything starts


@pytest.fixture
def history(products):
    """The candles of one tick at midnight, as an ended replay leaves them."""
    feeding = Feeding(live=False)
    feeding.tick(at_ms=MIDNIGHT_MS, source=REPLAY_SOURCE)
    feeding.end()
    store.candles_write(feeding.closed())


def prepare(spec, *, fresh=False):
    prepare_source(spec, fresh=fresh, say=lambda text: None)


def test_a_replay_that_begins_before_the_history_ends_needs_fresh(history, given_replay, tmp_path):
    given_replay(eurusd=lines("2020-01-01T00:00:59.999"))
    spec = parse_spec(f"replay:{tmp_path}/eurusd.csv")
    with pytest.raises(SourceInvalid, match="add --fresh"):
        prepare(spec)
    assert store.history_ended_s() is not None
    prepare(spec, fresh=True)
    assert store.history_ended_s() is None


def test_a_replay_may_go_on_where_the_history_ends(history, given_replay, tmp_path):
    given_replay(eurusd=lines("2020-01-01T00:01:00"))
    prepare(parse_spec(f"replay:{tmp_path}/eurusd.csv"))
    assert store.history_ended_s() == MIDNIGHT_MS // 1000 + 60


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("nosuch", lines("2020-01-01T00:00:00"), "there is no product NOSUCH. Write SYMBOL="),
        ("eurusd", "timestamp,bid,ask\n", "The replay has no ticks in it."),
        ("eurusd", lines("2020-01-01T00:00:00") + "x\n", "line 3 cannot be read."),
    ],
)
def test_a_replay_that_cannot_work_is_one_sentence_and_forgets_nothing(
    history, given_replay, name, text, words, tmp_path
):
    given_replay(**{name: text})
    with pytest.raises(SourceInvalid) as error:
        prepare(parse_spec(f"replay:{tmp_path}/{name}.csv"), fresh=True)
    assert words in str(error.value)
    assert store.history_ended_s() is not None


@pytest.mark.parametrize("spec", [SimSpec(), NoneSpec()])
def test_a_live_source_cannot_go_on_from_a_history_of_the_future(products, spec):
    feeding = Feeding(live=False)
    feeding.tick(at_ms=DAY_AFTER_TOMORROW_S * 1000, source=REPLAY_SOURCE)
    feeding.end()
    store.candles_write(feeding.closed())
    with pytest.raises(SourceInvalid, match="ends in the future"):
        prepare(spec)


def test_without_a_source_nothing_is_made_up(products):
    prepare(NoneSpec())
    assert store.history_ended_s() is None
