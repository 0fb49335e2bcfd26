"""What a process says of itself: gathered from a real node, shown to the staff, ended on request."""

import asyncio
import json
import time

import pytest

from accounts.errors import ENDED_BY_STAFF
from streaming import topics
from streaming.figures import EngineFigures, FeedFigures
from streaming.watch import Watch
from tests.streaming.nodes import make_node, quote, until
from tests.streaming.test_consumers import opened, relaxed  # noqa: F401  # the fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def node(relaxed):  # noqa: F811  # the fixture of that name
    running = make_node()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def watch(node):
    ticks = [10]

    def feed():
        ticks[0] += 5
        return FeedFigures(ticks[0], 1, {"open": 3}, [])

    running = Watch(node, process="here:1", roles=["web"], feed=feed, engine=lambda: EngineFigures(2, lag_ms=1.5))
    await node.bus.settled()
    return running


async def subscribed(node, *channels):
    client = await opened(node)
    await client.ask({"type": "subscribe", "channels": list(channels)})
    return client


async def test_connections_and_deliveries_are_counted_by_stream(node, watch):
    clients = [await subscribed(node, "trading:quotes:EUR-USD") for _ in range(2)]
    node.announce(quote(1))
    await until(lambda: node.hub.delivered >= 2)
    watch.tell()
    (own,) = watch.processes()
    assert own.connections == {"event_stream": 2}
    assert own.delivered == node.hub.delivered
    assert own.delivered_per_s > 0
    assert own.ticks_per_s > 0
    assert (own.feed.states, own.engine.lag_ms) == ({"open": 3}, 1.5)
    for client in clients:
        await client.disconnect()


async def test_what_was_conflated_stays_counted_when_its_connection_is_gone(node, watch):
    client = await subscribed(node, "heartbeat")
    (connection,) = node.connections
    connection._sink.conflated = 7
    watch.tell()
    assert watch.processes()[0].conflated == 7
    await client.disconnect()
    await until(lambda: not node.connections)
    watch.tell()
    assert watch.processes()[0].conflated == 7


async def test_the_overview_is_published_once_a_second_to_those_who_joined(node, watch):
    heard = []

    class Reader:
        dialect = type("Silent", (), {"encode": lambda self, news, catalogue: b""})()

        def deliver(self, topic, news, batch):
            heard.extend(news)

        def deliver_together(self, parts):
            for part in parts:
                self.deliver(part.topic, part.news, part.batch)

        def forget(self, topic):
            pass

    watch.tell()
    node.hub.join(Reader(), topics.OVERVIEW)
    assert topics.OVERVIEW not in node.bus._wanted
    watch.tell()
    await until(lambda: heard)
    shown = json.loads(heard[0].data)
    assert len(heard) == 1
    assert [one["process"] for one in shown["processes"]] == ["here:1"]
    assert shown["engine"]["fence"] == 2


def hold(seconds):
    """Keep the loop from turning, as long work of ours would."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        pass


async def test_a_loop_that_comes_late_is_told(node, watch):
    watch.start()
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(hold, 0.3)
    await until(lambda: watch.processes()[0].late_ms > 100)
    await watch.stop()


async def test_connections_are_found_and_ended_with_their_code(node, watch):
    staying, leaving = [await subscribed(node, channel) for channel in ("heartbeat", "trading:quotes:EUR-USD")]
    found = (await watch.ask("connections", query={"words": [["quotes"]]})).given["here:1"]
    assert found["count"] == 1
    (view,) = found["views"]
    ended = (await watch.ask("end", ids=[view["id"], "no such"])).given["here:1"]
    assert [one["id"] for one in ended] == [view["id"]]
    # The client has not answered the close yet: it is listed no more, and cannot be ended twice.
    assert len(node.connections) == 2
    assert (await watch.ask("connections", query={})).given["here:1"]["count"] == 1
    assert (await watch.ask("end", ids=[view["id"]])).given["here:1"] == []
    while (close := await leaving.receive_output(2))["type"] != "websocket.close":
        pass
    assert (close["code"], close["reason"]) == (4011, ENDED_BY_STAFF.reason)
    await leaving.disconnect()
    assert len(node.connections) == 1
    assert (await staying.ask({"type": "ping"}))["type"] == "pong"
    await staying.disconnect()
