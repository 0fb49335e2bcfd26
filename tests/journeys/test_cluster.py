"""Several processes on real PostgreSQL and Valkey behave as one."""

import asyncio
import os
import signal
import time
import urllib.request

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys.clients import Client, event_client, tick_client
from tests.journeys.cluster import Cluster
from tests.journeys.harness import RELAXED, eventually
from tests.journeys.test_keys import auth_fields

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A cluster whose only ticks are the ones that the tests publish."""
    env = {**RELAXED, "METRICS_TOKEN": "sesame", "CONNECTIONS_PER_KEY": "2"}
    with Cluster(tmp_path_factory.mktemp("published"), feed=("--feed", "none"), env=env) as running:
        yield running


def publisher(web, name="pub"):
    return tick_client(web, web.issue_key(name, "--scope", "market", "--scope", "feed").secret)


def tick(bid, symbol="EURUSD"):
    return [symbol, bid, "1.30000", int(time.time() * 1000)]


def test_a_tick_published_into_one_process_reaches_clients_of_both(published):
    first, second = published.webs
    source = publisher(first)
    clients = [event_client(web, "trading:quotes:EUR-USD") for web in (first, second)]
    clients.append(event_client(second, "trading:quotes:EUR-USD@250ms"))
    time.sleep(0.3)  # the groups are joined behind the confirmation
    for number in range(100):
        assert source.ask({"type": "publish", "ticks": [tick(f"1.1{number:04d}")]})["accepted"] == 1
    for client in clients[:2]:
        bids = [client.until(event="quote")["data"][2] for _ in range(100)]
        assert bids == [f"1.1{number:04d}" for number in range(100)]
    while clients[2].until(event="quote")["data"][2] != "1.10099":
        pass
    for web in (first, second):
        assert web.get("/trading/quotes/EUR-USD")["EUR-USD"][1] == "1.10099"


def wait_for_room_in_the_minute(seconds=10):
    """Wait for the next minute where this one ends soon: its candle would close and leave none open."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 1.5)


def test_a_late_subscriber_of_the_other_process_gets_the_last_known_quote(published):
    first, second = published.webs
    wait_for_room_in_the_minute()
    assert publisher(first).ask({"type": "publish", "ticks": [tick("1.10001", "GBPUSD")]})["accepted"] == 1
    time.sleep(1.3)  # the board travels once a second
    with event_client(second, "trading:quotes:GBP-USD", "trading:candles:GBP-USD:1") as client:
        assert client.until(event="quote")["data"][2] == "1.10001"
        assert client.until(event="candle")["data"]["b"] == ["1.10001"] * 4


def test_a_refused_tick_is_refused_in_every_process_alike(published):
    first, second = published.webs
    assert publisher(first).ask({"type": "publish", "ticks": [tick("1.20000", "AUDUSD")]})["accepted"] == 1
    other = publisher(second, "other")
    ticks = [tick("1.40000", "AUDUSD"), tick("1.2", "NOSUCH"), tick("1.2", "AUDUSD")]
    reply = other.ask({"type": "publish", "ticks": ticks})
    assert [refusal["code"] for refusal in reply["refused"]] == [
        "product_has_source", "unknown_product", "product_has_source",
    ]  # fmt: skip


def test_a_foreign_channels_consumer_in_the_group_gets_the_same_quotes(published):
    first, _ = published.webs
    source = publisher(first)

    async def listen():
        host = {"address": published.valkey.connection_url, "socket_timeout": None}
        layer = RedisPubSubChannelLayer(hosts=[host], prefix="tickwire")
        channel = await layer.new_channel()
        await layer.group_add("quotes.EUR-GBP", channel)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(source.ask, {"type": "publish", "ticks": [tick("1.12345", "EURGBP")]})
        message = await asyncio.wait_for(layer.receive(channel), 5)
        await layer.flush()
        return message

    message = asyncio.run(listen())
    assert message["type"] == "market.quote"
    assert (message["product"], message["bid"], message["ask"]) == ("EUR-GBP", "1.12345", "1.30000")


def metrics(web):
    """Return (name, labels' values) -> number, as one process tells them."""
    request = urllib.request.Request(web.url + "/metrics", headers={"Authorization": "Bearer sesame"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def sockets(web):
    """Return how many connections a process tells of, its own and the others'."""
    return sum(number for (name, *_), number in metrics(web).items() if name == "tickwire_connections")


def test_each_web_process_tells_the_figures_of_all(published):
    first, second = published.webs
    with event_client(first, "heartbeat"), event_client(second, "heartbeat"), event_client(second, "heartbeat"):
        eventually(lambda: sockets(first) >= 3 and sockets(second) >= 3)
        for web in published.webs:
            told = metrics(web)
            assert len({process for name, process, *_ in told if name == "tickwire_deliveries_total"}) == 4
            assert [number for (name, *_), number in told.items() if name == "tickwire_engine_works"] == [1]
            parts = dict.fromkeys(("ready", "started", "database", "feed", "engine"), True)
            assert web.get("/readyz") == parts


def test_a_key_revoked_in_one_process_closes_its_socket_in_the_other(published):
    first, second = published.webs
    key = first.issue_key()
    sockets = [tick_client(first, key.secret), event_client(second, "trading:orders", auth=auth_fields(key))]
    first.manage("revoke_key", key.id)
    done_s = time.monotonic()
    for client in sockets:
        assert client.closed(within_s=3) == (4010, "access_revoked")
    assert time.monotonic() - done_s < 1


def test_a_signature_is_accepted_once_in_all_processes(published):
    first, second = published.webs
    key = first.issue_key()
    auth = auth_fields(key)
    with event_client(first, "trading:orders", auth=auth):
        pass
    with Client(second.ws_url + "/ws/events") as client:
        reply = client.ask({"type": "subscribe", "channels": ["trading:orders"], "auth": auth})
        assert reply["code"] == "signature_reused"


def test_connections_of_a_key_are_counted_over_all_processes(published):
    first, second = published.webs
    key = first.issue_key()
    open_ones = [tick_client(first, key.secret), tick_client(second, key.secret)]
    third = Client(first.ws_url + "/ws/ticks")
    third.next()
    assert third.ask({"type": "auth", "apiKey": key.secret})["code"] == "too_many_connections"
    assert all(client.ask({"type": "list"})["symbols"] == [] for client in open_ones)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with the simulated feed. A test leaves it as it was; the last one in this file does not."""
    with Cluster(tmp_path_factory.mktemp("cluster"), env=RELAXED) as running:
        yield running


def test_two_web_processes_give_the_same_candles(cluster):
    first, second = cluster.webs
    path = "/trading/candles/EUR-USD/1?limit=20"
    assert first.get(path)[1:]
    # The newest is open and moves on between two calls; a minute may end between them, once.
    eventually(lambda: first.get(path)[1:] == second.get(path)[1:])


def test_killing_valkey_closes_nobody_and_quotes_resume_within_two_seconds(cluster):
    first, second = cluster.webs
    clients = [event_client(web, "trading:quotes:BTC-USD", "trading:quotes:EUR-USD") for web in (first, second)]
    for client in clients:
        client.until(event="quote")
    port = cluster.valkey.port
    cluster.valkey.stop()
    time.sleep(5)
    restarted = cluster.restart_valkey(port)
    back_s = time.monotonic()
    for client in clients:
        while True:
            event = client.next(within_s=5)
            if event["event"] == "quote" and time.time() * 1000 - event["data"][5] < 1_000:
                break
        assert time.monotonic() - back_s < 2
    assert restarted.is_running()
    for web in cluster.webs:
        assert "Traceback" not in web.log()


def test_a_killed_feed_that_starts_again_is_taken_up(cluster):
    first, _ = cluster.webs
    with event_client(first, "trading:quotes:BTC-USD") as client:
        client.until(event="quote")
        cluster.feed.kill()
        while client.until(event="status", within_s=15)["data"]["state"] != "stale":
            pass
        cluster.feed.start(lambda: cluster.feed.log().count("The feed is running") == 2)
        event = client.until(event="quote", within_s=5)
        assert time.time() * 1000 - event["data"][5] < 3_000


def test_ending_a_web_process_tells_its_clients_when_to_come_back(cluster):
    first, second = cluster.webs
    with event_client(first, "heartbeat") as leaving, event_client(second, "heartbeat") as staying:
        os.kill(first.pid, signal.SIGTERM)
        notice = leaving.until(type="shutdown")
        assert 0 < notice["retryAfterMs"] <= 5_000
        assert leaving.closed() == (1012, "restart")
        assert first.wait() == 0
        assert staying.ask({"type": "ping"})["type"] == "pong"
