"""A thousand products on one connection, on both streams."""

import time

import pytest

from tests.journeys.clients import Client, event_client, tick_client
from tests.journeys.harness import RELAXED, Server, eventually

COUNT = 1_000
CREATE = f"""
from market.seed import Seed, product_create
for number in range({COUNT} + 1):
    product_create(Seed(f"P{{number:04d}}-USD", f"Product {{number}}", "crypto", 2, "100.00", "0.1", 10))
"""


@pytest.fixture
def crowded(tmp_path, server_env):
    """A server with a thousand more products, which only clients publish (and one to see when all are known)."""
    arguments = ("--workers", "2") if server_env else ()
    with Server(tmp_path, "--feed", "none", *arguments, env={**RELAXED, **server_env}) as server:
        server.manage("shell", "-c", CREATE)
        yield server


def publish(client, symbols):
    """Publish one tick of each; return how many were accepted."""
    now_ms = int(time.time() * 1000)
    return client.ask({"type": "publish", "ticks": [[symbol, 99.5, "100.5", now_ms] for symbol in symbols]})["accepted"]


def known_to_all(server):
    """Say whether whichever process answers, and the feed, know the last product."""
    with Client(server.ws_url + "/ws/events") as client:
        reply = client.ask({"type": "subscribe", "channels": [f"trading:quotes:P{COUNT:04d}-USD"]})
        return reply["type"] == "subscribed"


def test_a_thousand_products_on_one_connection_of_each_stream(crowded):
    symbols = [f"P{number:04d}USD" for number in range(COUNT)]
    publisher = tick_client(crowded, crowded.issue_key("pub", "--scope", "market", "--scope", "feed").secret)
    eventually(lambda: publish(publisher, [f"P{COUNT:04d}USD"]))
    for _ in range(20):  # the kernel chooses one of two processes: one in a million that it is the same each time
        eventually(lambda: known_to_all(crowded))
    events = event_client(crowded, *(f"trading:quotes:{symbol[:5]}-USD" for symbol in symbols))
    with tick_client(crowded, crowded.issue_key().secret) as ticks:
        reply = ticks.ask({"type": "subscribe", "symbols": symbols})
        assert (reply["symbols"], reply["totalSubscriptions"]) == (symbols, COUNT)
        assert publish(publisher, symbols) == COUNT
        assert {ticks.until(type="tick")["symbol"] for _ in symbols} == set(symbols)
        assert ticks.ask({"type": "list"})["totalSubscriptions"] == COUNT
    quoted = {events.until(event="quote")["data"][0].replace("-", "") for _ in symbols}
    assert quoted == set(symbols)
