"""A recorded market, played to a real client: every tick, in order, and candles that a recomputation agrees with."""

import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.clients import event_client, tick_client
from tests.journeys.harness import RELAXED, Server, ServerFailed, eventually
from tests.journeys.prepared import prepared_env
from tests.plugins.services import ROOT

SHARED = Path(os.environ.get("TICKWIRE_SHARED", ROOT.parent / "shared")) / "market"


def recorded(name):
    """Return the path of real market data, which is not the project's to distribute: without it, the test that uses it
    says so and leaves its work to its twin on generated data. In CI a missing file fails the test."""
    path = SHARED / name
    if not path.exists() and "CI" not in os.environ:
        pytest.skip("the shared market data is not here (TICKWIRE_SHARED)")
    return path


def histdata(path):
    """Read a HistData file apart from the product's own reader: (time ms, bid text, ask text)."""
    rows = []
    for line in path.read_text().splitlines():
        stamp, bid, ask, _ = line.split(",")
        when = datetime.strptime(stamp[:15], "%Y%m%d %H%M%S").replace(tzinfo=UTC) + timedelta(hours=5)
        rows.append((int(when.timestamp()) * 1000 + int(stamp[15:]), bid, ask))
    return rows


def recomputed(rows, length_s, signal):
    """Return bucket start -> [open, high, low, close] of rows, by sorting into buckets and nothing clever."""
    buckets: dict[int, list[Decimal]] = {}
    for time_ms, bid, ask in rows:
        price = {"bid": Decimal(bid), "ask": Decimal(ask), "mid": (Decimal(bid) + Decimal(ask)) / 2}[signal]
        price = price.quantize(Decimal("0.00001"), ROUND_DOWN)
        buckets.setdefault(time_ms // 1000 // length_s * length_s, []).append(price)
    return {
        str(start): [str(price) for price in (prices[0], max(prices), min(prices), prices[-1])]
        for start, prices in buckets.items()
    }


@pytest.fixture(params=[pytest.param("recorded", marks=pytest.mark.once), "generated"])
def ticks_file(request, tmp_path):
    """The real EUR/USD ticks of a day, and made-up ones of the same layout."""
    if request.param == "recorded":
        return recorded("eurusd-ticks-2020.csv")
    chance = random.Random(5)
    when, price, lines = datetime(2020, 3, 2, 9), 110_000, []
    for _ in range(2_000):
        when += timedelta(milliseconds=chance.randrange(0, 9_000))
        price += chance.randrange(-9, 10)
        bid, ask = price / 100_000, (price + chance.randrange(0, 30)) / 100_000
        lines.append(f"{when:%Y%m%d %H%M%S}{when.microsecond // 1000:03d},{bid:.5f}0,{ask:.5f}0,0")
    path = tmp_path / "eurusd-made-up.csv"
    path.write_text("\n".join(lines))
    return path


def test_each_tick_arrives_in_order_and_candles_equal_a_recomputation(ticks_file, tmp_path, server_env):
    rows = histdata(ticks_file)
    # 1,000 times as fast is what the README shows; five times that still leaves a Python reader room.
    arguments = ["--feed", f"replay:{ticks_file}", "--speed", "5000", "--wait-clients", "2"]
    if server_env:
        arguments += ["--workers", "2"]
    with Server(tmp_path, *arguments, env={**RELAXED, **server_env}) as server:
        watcher = event_client(server, "trading:candles:EUR-USD:60")
        with tick_client(server, server.issue_key().secret) as client:
            assert client.ask({"type": "subscribe", "symbol": "EURUSD"})["type"] == "subscribed"
            received = ticks_until_stale(client)
        assert received == [(time_ms, Decimal(bid), Decimal(ask)) for time_ms, bid, ask in rows]
        finals = closed_candles(watcher, len(recomputed(rows, 3600, "mid")))
        for signal, place in (("mid", "m"), ("bid", "b"), ("ask", "a")):
            expected = recomputed(rows, 3600, signal)
            assert {final["t"]: final[place] for final in finals} == expected
            assert from_rest(server, "EUR-USD", "60", signal) == expected
            assert from_rest(server, "EUR-USD", "1", signal) == recomputed(rows, 60, signal)


def ticks_until_stale(client):
    """Read ticks up to the replay's end, which says stale; prices as the JSON text spells them."""
    received = []
    while True:
        client.ws.settimeout(120)
        message = json.loads(client.ws.recv(), parse_float=Decimal)
        if message["type"] == "tick":
            received.append((message["time"], message["bid"], message["ask"]))
        elif message["type"] == "status" and message["state"] == "stale" and received:
            return received


def closed_candles(client, count):
    finals: list[dict[str, Any]] = []
    seen: set[str] = set()
    while len(finals) < count:
        event = client.next(within_s=20)
        if event.get("event") == "candle" and event["data"]["closed"]:
            assert event["data"]["t"] not in seen
            seen.add(event["data"]["t"])
            finals.append(event["data"])
    return finals


def from_rest(server, product, resolution, signal):
    """Page through all candles, newest first, as the vendor's client does."""
    found: dict[str, list[str]] = {}
    end = ""
    while True:
        page = server.get(f"/trading/candles/{product}/{resolution}?signal={signal}{end}")
        found |= {row[0]: row[1:] for row in page}
        if len(page) < 150:
            return found
        end = f"&end={int(page[-1][0]) - 1}"


def bars(path):
    """Read a file of bars apart from the product's own reader: start s -> [open, high, low, close]."""
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    return {str(int(datetime.fromisoformat(row[0]).timestamp())): row[1:5] for row in rows}


@pytest.fixture(params=["recorded", "generated"])
def bar_files(request, tmp_path):
    """A bid and an ask file of minute bars: a month of USD/JPY, or a made-up day; some pairs of prices are crossed."""
    if request.param == "recorded":
        return [recorded(f"usdjpy-m1-{side}-2013.csv") for side in ("bid", "ask")]
    chance = random.Random(7)
    start, price = datetime(2013, 2, 1, tzinfo=UTC), 91_000
    lines: dict[str, list[str]] = {"bid": [], "ask": []}
    for minute in range(600):
        steps = [price := price + chance.randrange(-9, 10) for _ in range(4)]
        for side, spread in (("bid", 0), ("ask", chance.choice([12, 12, 12, -1]))):
            prices = [step + spread for step in steps]
            ohlc = (prices[0], max(prices), min(prices), prices[-1])
            text = ",".join(f"{value / 1000:.3f}" for value in ohlc)
            lines[side].append(f"{start + timedelta(minutes=minute)},{text}")
    paths = [tmp_path / f"usdjpy-{side}.csv" for side in lines]
    for path, side in zip(paths, lines, strict=True):
        path.write_text("timestamp,open,high,low,close\n" + "\n".join(lines[side]))
    return paths


@pytest.mark.once
def test_candles_equal_the_bars_they_came_from_and_crossed_ticks_are_refused_and_counted(
    bar_files, tmp_path, server_env
):  # fmt: skip
    bids, asks = (bars(path) for path in bar_files)
    crossed = {
        start: sum(Decimal(b) > Decimal(a) for b, a in zip(bids[start], asks[start], strict=True)) for start in bids
    }
    arguments = ["--feed", f"replay:{bar_files[0]},{bar_files[1]}", "--speed", "max"]
    with Server(tmp_path, *arguments, env={**RELAXED, **server_env}) as server:
        eventually(lambda: "The source has ended" in server.log(), within_s=90)
        assert f"{sum(crossed.values())} refused (USD-JPY crossed {sum(crossed.values())})" in server.log()
        for signal, source in (("bid", bids), ("ask", asks)):
            candles = from_rest(server, "USD-JPY", "1", signal)
            whole = {start: ohlc for start, ohlc in source.items() if not crossed[start]}
            assert {start: candles[start] for start in whole} == whole
    assert 0 < sum(crossed.values()) < len(bids)


@pytest.mark.once
def test_step_by_step_a_tick_waits_for_a_clients_word(tmp_path, server_env):
    path = tmp_path / "eurusd-steps.csv"
    path.write_text("timestamp,bid,ask\n" + "".join(f"2020-01-01T00:00:0{n}Z,1.1000{n},1.1001{n}\n" for n in range(5)))
    with (
        Server(tmp_path, "--feed", f"replay:{path}", "--speed", "step", env={**RELAXED, **server_env}) as server,
        event_client(server, "trading:quotes:EUR-USD") as client,
    ):
        for n in range(5):
            client.send({"type": "step"})
            assert client.until(event="quote")["data"][2] == f"1.1000{n}"


@pytest.mark.once
def test_what_is_wrong_with_a_source_is_one_sentence(tmp_path):
    bad = tmp_path / "eurusd-bad.csv"
    bad.write_text("timestamp,bid,ask\n2020-01-01T00:00:00Z,1.1,1.2\n2020-01-01T00:00:01Z,abc,1.2\n")
    for feed, words in (
        ("replay:nowhere.csv", "There is no file nowhere.csv."),
        (f"replay:{bad}", "line 3 cannot be read"),
        ("magic", "--feed is sim, none or replay"),
    ):
        server = Server(tmp_path, "--feed", feed, env=RELAXED)
        with pytest.raises(ServerFailed) as failed:
            server.start(lambda: False)
        assert words in str(failed.value)
        assert "Traceback" not in server.log()


@pytest.mark.cluster
def test_several_processes_do_not_start_with_a_source_that_is_wrong(tmp_path, server_env):
    server = Server(tmp_path, "--workers", "2", "--feed", "replay:nowhere.csv", env={**RELAXED, **server_env})
    with pytest.raises(ServerFailed, match=r"There is no file nowhere\.csv"):
        server.start(lambda: False)
    assert server.wait() == 1


@pytest.mark.once
def test_a_replay_of_the_past_needs_fresh(tmp_path):
    path = tmp_path / "eurusd-old.csv"
    path.write_text("timestamp,bid,ask\n2020-01-01T00:00:00Z,1.1,1.2\n")
    with prepared_env(tmp_path, history=True):  # the simulator's candles of these days
        server = Server(tmp_path, "--feed", f"replay:{path}", env=RELAXED)
        with pytest.raises(ServerFailed, match="add --fresh"):
            server.start(lambda: False)
    with Server(tmp_path, "--feed", f"replay:{path}", "--fresh", env=RELAXED) as fresh:
        deadline_s = time.monotonic() + 5
        while not (rows := fresh.get("/trading/candles/EUR-USD/1D")) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        assert [row[0] for row in rows] == ["1577836800"]
