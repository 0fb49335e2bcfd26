"""Recorded markets: the three layouts, and the sentence about what is wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values import Tick
from market.sources import NoneSpec, ReplaySpec, SimSpec, parse_spec
from market.sources.files import SourceInvalid, find_files, ticks

HISTDATA = "20200101 170000065,1.121200,1.121720,0\n20200101 170010447,1.121200,1.121920,0\n"
BIDS = "timestamp,open,high,low,close\n2013-02-01 00:00:00+00:00,91.715,91.716,91.653,91.654\n"
ASKS = "timestamp,open,high,low,close\n2013-02-01 00:00:00+00:00,91.717,91.718,91.655,91.656\n"
NOON_MS = 1_577_880_000_000  # 2020-01-01 12:00 UTC


@pytest.fixture
def given_file(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def tick(symbol, bid, ask, time_ms):
    return Tick(symbol, Decimal(bid), Decimal(ask), time_ms)


def ticks_of(*texts):
    return [tick for file in find_files(list(texts)) for tick in ticks(file)]


def test_histdata_is_five_hours_behind_utc_all_year(given_file):
    path = given_file("eurusd-2020.csv", HISTDATA + "20200701 000000001,1.1,1.2,0")
    summer_ms = int(datetime(2020, 7, 1, 5, tzinfo=UTC).timestamp() * 1000) + 1
    assert ticks_of(path) == [
        tick("EURUSD", "1.121200", "1.121720", 1_577_916_000_065),
        tick("EURUSD", "1.121200", "1.121920", 1_577_916_010_447),
        tick("EURUSD", "1.1", "1.2", summer_ms),
    ]


@pytest.mark.parametrize(
    "stamp",
    [
        "2020-01-01T12:00:00Z", "2020-01-01 12:00:00", "2020-01-01T12:00:00.000", "2020-01-01T07:00:00-05:00",
        "2020-01-01T12:00:00.000999Z",
    ],
)  # fmt: skip
def test_iso_stamps_are_utc_unless_they_say_otherwise(given_file, stamp):
    path = given_file("eurusd.csv", f"timestamp,bid,ask\n{stamp},1.1,1.2\n")
    assert ticks_of(path) == [tick("EURUSD", "1.1", "1.2", NOON_MS)]


def test_a_stamp_never_moves_into_the_next_minute(given_file):
    path = given_file("eurusd.csv", "timestamp,bid,ask\n2020-01-01T11:59:59.999999Z,1.1,1.2\n")
    assert ticks_of(path)[0].time_ms == NOON_MS - 1


def test_headers_may_be_capital_have_a_byte_order_mark_and_lines_of_windows(given_file):
    path = given_file("eurusd.csv", "\ufeffTimestamp,Bid,Ask,Volume\r\n\r\n2020-01-01T12:00:00Z,1.1,1.2,7\r\n")
    assert ticks_of(path) == [tick("EURUSD", "1.1", "1.2", NOON_MS)]


@given(st.integers(min_value=0, max_value=2**32 * 1000), st.integers(1, 10**9), st.integers(0, 10**4))
def test_what_was_written_is_read(tmp_path_factory, time_ms, bid, spread):
    path = tmp_path_factory.mktemp("law") / "eurusd.csv"
    stamp = datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)
    prices = [format(Decimal(price).scaleb(-5), "f") for price in (bid, bid + spread)]
    path.write_text(f"timestamp,bid,ask\n{stamp.isoformat()},{','.join(prices)}\n")
    assert ticks_of(str(path)) == [tick("EURUSD", prices[0], prices[1], time_ms)]


# ---- bars


def test_a_bar_becomes_four_ticks_of_both_sides_together(given_file):
    files = given_file("usdjpy-m1-bid.csv", BIDS), given_file("usdjpy-m1-ask.csv", ASKS)
    start_ms = 1_359_676_800_000
    expected = [
        tick("USDJPY", "91.715", "91.717", start_ms),
        tick("USDJPY", "91.716", "91.718", start_ms + 15_000),
        tick("USDJPY", "91.653", "91.655", start_ms + 30_000),
        tick("USDJPY", "91.654", "91.656", start_ms + 45_000),
    ]
    assert ticks_of(*files) == ticks_of(*reversed(files)) == expected


def test_a_bar_of_one_side_only_has_no_price(given_file):
    later = "2013-02-01 00:01:00+00:00,1,1,1,1\n2013-02-01 00:02:00+00:00,2,2,2,2\n"
    bid = given_file("usdjpy-bid.csv", BIDS.splitlines()[0] + "\n" + later)
    ask = given_file("usdjpy-ask.csv", ASKS + later.splitlines()[1])
    assert [(tick.bid, tick.ask) for tick in ticks_of(bid, ask)] == [(2, 2)] * 4


def test_several_pairs_of_one_product_all_count(given_file):
    february, march = BIDS, BIDS.replace("-02-", "-03-")
    names = [
        given_file("usdjpy-2-bid.csv", february),
        given_file("usdjpy-3-bid.csv", march),
        given_file("usdjpy-2-ask.csv", february),
        given_file("usdjpy-3-ask.csv", march),
    ]
    assert len(ticks_of(*names)) == 8


# ---- what --feed says


def test_a_replay_names_files_by_comma_and_bars_of_both_sides_are_one(given_file):
    bid, ask = given_file("usdjpy-bid.csv", BIDS), given_file("usdjpy-ask.csv", ASKS)
    other = given_file("2020.csv", HISTDATA)
    spec = parse_spec(f"replay:{bid},EUR-USD={other},{ask}")
    assert isinstance(spec, ReplaySpec)
    assert [(file.symbol, file.layout) for file in spec.files] == [("EUR-USD", "histdata"), ("USDJPY", "bars")]
    assert [str(path) for path in (spec.files[1].path, spec.files[1].ask_path)] == [bid, ask]


def test_a_symbol_in_front_wins_and_an_equals_sign_in_a_folder_is_none(given_file, tmp_path):
    (tmp_path / "year=2020").mkdir()
    path = given_file("year=2020/eurusd.csv", HISTDATA)
    assert [file.symbol for file in find_files([path, f"GBPUSD={path}"])] == ["EURUSD", "GBPUSD"]


def test_the_other_sources():
    assert parse_spec("sim") == SimSpec()
    assert parse_spec("none") == NoneSpec()


@pytest.mark.parametrize("text", ["", "magic", "sim:1", "none:", "replay", "replay:"])
def test_what_is_no_source_is_said(text):
    with pytest.raises(SourceInvalid, match=r"^--feed is sim, none or replay:\[SYMBOL=\]FILE"):
        parse_spec(text)


# ---- what is wrong with files


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("eurusd.csv", "", "is none of the known layouts"),
        ("eurusd.csv", "a,b,c\n1,2,3\n", "is none of the known layouts"),
        ("eurusd.csv", b"\x89PNG\r\n\x1a\n\x00", "is none of the known layouts"),
        ("2020.csv", HISTDATA, "which product is it? Write SYMBOL="),
        ("usdjpy.csv", BIDS, "bars need bid or ask in the file's name."),
        ("usdjpy-bid-and-ask.csv", BIDS, "bars need bid or ask in the file's name."),
        ("usdjpy-bid.csv", BIDS, "USDJPY: bars need two files, one with bid and one with ask in its name."),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(given_file, name, text, words):
    with pytest.raises(SourceInvalid) as error:
        find_files([given_file(name, text)])
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("eurusd.csv", HISTDATA, "20200101 170010447,1.1;1.2,0"),
        ("eurusd.csv", HISTDATA, "20201301 170010447,1.1,1.2,0"),
        ("eurusd.csv", HISTDATA, "20200101 170010447,1e5,1.2,0"),
        ("eurusd.csv", "timestamp,bid,ask\n2020-01-01T00:00:00Z,1,2\n", "2020-01-01T00:00:00Z,1"),
        ("eurusd.csv", "timestamp,bid,ask\n2020-01-01T00:00:00Z,1,2\n", "yesterday,1,2"),
        ("eurusd.csv", "timestamp,bid,ask\n2020-01-01T00:00:00Z,1,2\n", "2020-01-01T00:00:00Z,NaN,2"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(given_file, name, good, bad):
    path = given_file(name, good + bad)
    with pytest.raises(SourceInvalid) as error:
        ticks_of(path)
    assert str(error.value) == f"{path}, line 3 cannot be read."


@pytest.mark.parametrize("bad", ["2013-02-01 00:01:00+00:00,1,2,3", "2013-02-01 00:01:00+00:00,1,2,3,x", "x,1,2,3,4"])
def test_a_bar_that_cannot_be_read_is_named(given_file, bad):
    bid, ask = given_file("usdjpy-bid.csv", BIDS + bad), given_file("usdjpy-ask.csv", ASKS)
    with pytest.raises(SourceInvalid) as error:
        ticks_of(bid, ask)
    assert str(error.value) == f"{bid}, line 3 cannot be read."


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(SourceInvalid, match=r"^There is no file nowhere\.csv\.$"):
        find_files(["nowhere.csv"])
