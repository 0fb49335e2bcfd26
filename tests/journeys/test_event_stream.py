"""The event document's clients against a real server."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys.clients import Client, event_client, tick_client
from tests.journeys.harness import RELAXED, Server, eventually


def test_the_documents_first_subscribe_gets_quotes_and_heartbeats_without_a_gap(server):
    client = Client(server.ws_url)
    assert client.next()["type"] == "welcome"
    client.send({"type": "subscribe", "channels": ["trading:quotes:AAPL", "trading:quotes:EUR-USD"]})
    assert client.next() == {"type": "subscribed", "channels": ["trading:quotes:AAPL", "trading:quotes:EUR-USD"]}
    started_s = time.monotonic()
    heartbeats, products = [], set()
    for expected in range(1, 1_000):
        event = client.next()
        assert event["sequence"] == expected
        if event["event"] == "heartbeat":
            heartbeats.append(time.monotonic() - started_s)
            assert list(event["data"]) == ["time"]
        elif event["event"] == "quote":
            assert list(event) == ["event", "sequence", "data"]
            assert [type(field) for field in event["data"]] == [str, str, str, str, str, int]
            products.add(event["data"][0])
        if len(heartbeats) == 2:
            break
    assert heartbeats == pytest.approx([5, 10], abs=0.5)
    assert products == {"AAPL", "EUR-USD"}


def test_candles_come_with_the_documents_keys_and_agree_with_rest(server):
    with event_client(server, "trading:candles:BTC-USD:1") as client:
        event = client.until(event="candle")
        assert list(event) == ["event", "sequence", "resolution", "product", "data"]
        assert list(event["data"]) == ["t", "m", "b", "a", "closed"]
        start, opening = event["data"]["t"], event["data"]["b"][0]

        def agrees():
            rows = server.get("/trading/candles/BTC-USD/1?signal=bid&limit=3")
            return [row[1] for row in rows if row[0] == start] == [opening]

        # A web process hears of a minute that has just begun with the board, once a second.
        eventually(agrees, within_s=3)


def test_unsubscribe_without_channels_drops_all(server):
    with event_client(server, "trading:quotes:AAPL", "heartbeat") as client:
        reply = client.ask({"type": "unsubscribe", "channels": ["trading:quotes:AAPL"], "id": 1})
        assert reply == {"type": "unsubscribed", "channels": ["heartbeat"], "id": 1}
        assert client.ask({"type": "unsubscribe"}) == {"type": "unsubscribed", "channels": []}


def test_one_unknown_channel_refuses_the_whole_message(server):
    with event_client(server, "trading:quotes:AAPL") as client:
        reply = client.ask({"type": "subscribe", "channels": ["trading:quotes:EUR-USD", "trading:quotes:NOSUCH"]})
        assert reply["code"] == "unknown_channel"
        assert "NOSUCH" in reply["message"]
        assert client.ask({"type": "subscribe", "channels": []})["channels"] == ["trading:quotes:AAPL"]


@pytest.fixture
def limited(tmp_path, server_env):
    """A server with the document's rate limit: one subscribe or unsubscribe per 5 s and address."""
    arguments = ("--workers", "2") if server_env else ()
    env = {**RELAXED, **server_env, "SUBSCRIBE_INTERVAL_S": "5"}
    with Server(tmp_path, "--feed", "none", *arguments, env=env) as running:
        yield running


def test_subscribes_are_limited_per_address_across_connections_and_refusals_cost_nothing(limited):
    first, second = (Client(limited.ws_url + "/ws/events") for _ in range(2))
    # A message that is refused for another reason consumes nothing.
    assert first.ask({"type": "subscribe", "channels": ["trading:quotes:NOSUCH"]})["code"] == "unknown_channel"
    assert first.ask({"type": "subscribe", "channels": ["trading:quotes:AAPL"]})["type"] == "subscribed"
    refused = second.ask({"type": "subscribe", "channels": ["trading:quotes:AAPL"], "id": 7})
    assert refused["code"] == "rate_limited"
    assert refused["id"] == 7
    assert 0 < refused["retryAfterMs"] <= 5_000
    time.sleep(refused["retryAfterMs"] / 1000 + 0.2)
    assert second.ask({"type": "subscribe", "channels": ["trading:quotes:AAPL"]})["type"] == "subscribed"


def test_ten_thousand_events_have_no_gap_for_a_slow_reader_and_a_conflated_one(tmp_path, server_env):
    """Ticks published as fast as the socket takes them: one reader stalls, one is conflated, one keeps up."""
    arguments = ("--workers", "2") if server_env else ()
    with Server(tmp_path, "--feed", "none", *arguments, env={**RELAXED, **server_env}) as server:
        _overrun(server)


def _overrun(server):
    """Publish 10,500 ticks; the stalled and the conflated reader begin to read when all is over."""
    channel, ticks = "trading:quotes:EUR-USD", 10_500
    secret = server.issue_key("pub", "--scope", "market", "--scope", "feed").secret
    publisher = tick_client(server, secret)
    clients = [event_client(server, name) for name in (channel, channel, f"{channel}@250ms")]
    last = f"1.{10_000 + ticks - 1:05d}"
    with ThreadPoolExecutor() as threads:
        read: list[int] = []
        keeping_up = threads.submit(quotes_until, clients[0], last, read)
        for start in range(0, ticks, 500):
            wait_until(lambda reached=start: len(read) >= reached)
            stamp_ms = int(time.time() * 1000)
            batch = [["EURUSD", f"1.{10_000 + index:05d}", "1.30000", stamp_ms] for index in range(start, start + 500)]
            assert publisher.ask({"type": "publish", "ticks": batch})["accepted"] == 500
        assert keeping_up.result() == ticks
    stalled, conflated = (quotes_until(client, last) for client in clients[1:])
    assert 1 <= stalled < ticks
    assert 1 <= conflated < 100


def wait_until(true, within_s=30):
    deadline_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def quotes_until(client, bid, read=None):
    """Read up to the quote with this bid; check that no sequence number is missing and return how many quotes came."""
    sequence = quotes = 0
    while True:
        event = client.next()
        sequence += 1
        assert event["sequence"] == sequence
        if event["event"] == "quote":
            quotes += 1
            if read is not None:
                read.append(quotes)
            if event["data"][2] == bid:
                return quotes
