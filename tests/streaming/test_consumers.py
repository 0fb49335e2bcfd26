"""The consumer on a server without the direct way to the socket: same bytes, same order, nothing unbounded."""

import asyncio
import gc
import json
import time
import weakref
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.utils import timezone

from accounts import services, signing
from accounts.models import User
from accounts.services import api_key_create, api_key_revoke
from engine.values import MarketStatus, Product
from streaming.dialects.base import MAX_NAMES
from streaming.dialects.event_stream import EventStream
from streaming.routing import websocket_application
from tests.streaming.nodes import FixedCatalogue, make_node, quote
from tests.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def relaxed(settings):
    settings.SUBSCRIBE_INTERVAL_S = 0
    settings.AUTH_WINDOW_S = 30
    return settings


@pytest.fixture
async def node(relaxed):
    running = make_node()
    await running.start()
    yield running
    await running.stop()


class Client(WebsocketCommunicator):
    """A client in the test's own process."""

    def __init__(self, node, path="/ws/events", headers=(), address="127.0.0.1"):
        async def ready():
            return node

        application: Any = websocket_application(ready)  # Channels types it more narrowly than ASGI is
        super().__init__(application, path, headers=list(headers))
        self.scope["client"] = (address, 50_000)

    async def ask(self, message):
        await self.send_to(text_data=message if isinstance(message, str) else json.dumps(message))
        return json.loads(await self.receive_from(2))

    async def next(self):
        return json.loads(await self.receive_from(2))


async def opened(node, path="/ws/events", **options):
    client = Client(node, path, **options)
    connected, _ = await client.connect()
    assert connected
    return client


async def test_an_event_has_the_same_bytes_as_over_the_direct_way(node):
    client = await opened(node)
    subscribed = '{"type":"subscribed","channels":["trading:quotes:EUR-USD"]}'
    await client.send_to(text_data='{"type":"subscribe","channels":["trading:quotes:EUR-USD"]}')
    assert await client.receive_from() == subscribed
    status = '{"event":"status","sequence":1,"data":{"product":"EUR-USD","state":"stale"}}'
    assert await client.receive_from() == status
    node.announce(quote(1))
    event = '{"event":"quote","sequence":2,"data":["EUR-USD","1.12442","1.12439","1.12445","1.12411",1511434319320]}'
    assert await client.receive_from() == event
    await client.disconnect()


async def test_the_reply_comes_first_then_the_last_known_then_what_is_new(node):
    node.announce(quote(1, bid="1.10001"))
    node.announce(MarketStatus("EUR-USD", "open"))
    client = await opened(node)
    await client.send_to(text_data='{"type":"subscribe","channels":["trading:quotes:EUR-USD"]}')
    node.announce(quote(2, bid="1.10002"))
    assert (await client.next())["type"] == "subscribed"
    bids = [(await client.next())["data"][2]]
    if bids == ["1.10001"]:
        bids.append((await client.next())["data"][2])
    assert bids[-1] == "1.10002"
    assert await client.receive_nothing()
    await client.disconnect()


async def test_nothing_of_a_topic_follows_the_confirmation_that_it_was_left(node):
    client = await opened(node)
    await client.ask({"type": "subscribe", "channels": ["trading:quotes:EUR-USD"]})
    await client.next()
    for serial in range(1, 4):
        node.announce(quote(serial))
    await client.send_to(text_data='{"type":"unsubscribe"}')
    while (await client.next()).get("type") != "unsubscribed":
        pass
    node.announce(quote(9))
    assert await client.receive_nothing()
    await client.disconnect()


async def test_leaving_forgets_the_connection_everywhere(node):
    client = await opened(node)
    await client.ask({"type": "subscribe", "channels": ["trading:quotes:EUR-USD", "trading:candles:EUR-USD:1"]})
    assert node.hub.rooms
    assert len(node.connections) == 1
    await client.disconnect()
    assert not node.hub.rooms
    assert not node.connections


@pytest.mark.parametrize("path", ["/ws/ticks", "/ws/events"])
async def test_a_thousand_products_stream_on_one_connection(relaxed, path):
    products = {f"P{n:04d}-USD": Product(f"P{n:04d}-USD", f"P{n:04d}USD", 5) for n in range(1_000)}
    node = make_node(catalogue=FixedCatalogue(products))
    await node.start()
    client = await opened(node, path)
    if path == "/ws/ticks":
        user = await in_thread(User.objects.create, username="ann")
        _, secret = await in_thread(lambda: api_key_create(user=user))
        await client.next()
        await client.ask({"type": "auth", "apiKey": secret})
        reply = await client.ask({"type": "subscribe", "symbols": [product.symbol for product in products.values()]})
        assert reply["totalSubscriptions"] == 1_000
    else:
        channels = [f"trading:quotes:{name}" for name in products]
        assert (await client.ask({"type": "subscribe", "channels": channels}))["channels"] == channels
    for name in products:
        assert (await client.next())["type" if path == "/ws/ticks" else "event"] == "status"
        node.announce(quote(1, product=name))
    seen = {json.dumps(await client.next()) for _ in products}
    assert len(seen) == 1_000
    await client.disconnect()
    await node.stop()


async def test_everything_known_of_two_thousand_products_is_no_reason_to_call_a_reader_slow(relaxed):
    products = {f"P{n:04d}-USD": Product(f"P{n:04d}-USD", f"P{n:04d}USD", 5) for n in range(MAX_NAMES)}
    node = make_node(catalogue=FixedCatalogue(products))
    await node.start()
    for name in products:
        node.announce(quote(1, product=name))
    client = await opened(node)
    await client.send_to(
        text_data=json.dumps({"type": "subscribe", "channels": [f"trading:quotes:{n}" for n in products]})
    )
    assert (await client.next())["type"] == "subscribed"
    events = [await client.next() for _ in range(2 * MAX_NAMES)]
    assert [event["sequence"] for event in events] == list(range(1, 2 * MAX_NAMES + 1))
    assert {event["data"][0] for event in events if event["event"] == "quote"} == products.keys()
    assert {event["data"]["product"] for event in events if event["event"] == "status"} == products.keys()
    await client.disconnect()
    await node.stop()


async def test_a_connection_that_has_ended_goes_with_its_last_use(node):
    """A garbage collection that finds thousands of them holds the loop for tenths of a second."""
    gc.disable()
    try:
        client = await opened(node, "/ws/ticks")
        [connection] = node.connections
        ended = [weakref.ref(connection), weakref.ref(connection._session)]
        del connection
        await client.disconnect()
        del client
        await asyncio.sleep(0)
        assert [each() for each in ended] == [None, None]
    finally:
        gc.enable()


async def test_a_bare_connection_that_wants_heartbeats_only_gets_them(node, monkeypatch):
    monkeypatch.setattr(EventStream, "policy", replace(EventStream.policy, heartbeat_s=0.05))
    client = await opened(node, "/")
    assert (await client.next())["type"] == "welcome"
    assert (await client.ask({"type": "subscribe", "channels": ["heartbeat"]}))["channels"] == ["heartbeat"]
    for sequence in (1, 2):
        event = await client.next()
        assert (event["event"], event["sequence"]) == ("heartbeat", sequence)
    await client.disconnect()


async def test_a_key_that_is_revoked_while_it_is_being_looked_up_opens_nothing(node, monkeypatch):
    user = await in_thread(User.objects.create, username="ann")
    key, secret = await in_thread(lambda: api_key_create(user=user))
    look_up = services.identity_for_token

    def slow_look_up(**asked):
        identity = look_up(**asked)
        seen = node.access_mark
        api_key_revoke(key)
        while node.access_mark == seen:
            time.sleep(0.01)
        return identity

    monkeypatch.setattr(services, "identity_for_token", slow_look_up)
    client = await opened(node, "/ws/ticks")
    await client.next()
    assert (await client.ask({"type": "auth", "apiKey": secret}))["code"] == "key_revoked"
    await client.disconnect()


async def test_a_key_that_has_only_been_proven_is_closed_when_it_is_revoked(node, monkeypatch):
    """Its message was refused, but its signature stays accepted on this connection."""
    user = await in_thread(User.objects.create, username="ann")
    key, secret = await in_thread(lambda: api_key_create(user=user, scopes=["market"]))
    client = await opened(node)
    stamp_ms = time.time_ns() // 1_000_000
    sig = signing.sign(secret, timestamp_ms=stamp_ms, method="GET", path="/ws-auth")
    auth = {"key": str(key.public_id), "sig": sig, "timestamp": stamp_ms}
    refused = await client.ask({"type": "subscribe", "channels": ["trading:orders"], "auth": auth})
    assert refused["code"] == "scope_denied"
    await in_thread(api_key_revoke, key)
    assert (await client.receive_output(2))["code"] == 4010
    await client.disconnect()


async def test_a_revoked_key_is_closed_with_its_code(node):
    user = await in_thread(User.objects.create, username="ann")
    key, secret = await in_thread(lambda: api_key_create(user=user))
    client = await opened(node, "/ws/ticks")
    assert (await client.next())["type"] == "welcome"
    assert (await client.ask({"type": "auth", "apiKey": secret}))["success"] is True
    await in_thread(api_key_revoke, key)
    closed = await client.receive_output(2)
    assert (closed["type"], closed["code"], closed["reason"]) == ("websocket.close", 4010, "access_revoked")
    await client.disconnect()


async def test_a_key_that_expires_is_closed_then(node):
    user = await in_thread(User.objects.create, username="ann")
    soon = timezone.now() + timedelta(seconds=0.7)
    expires_at = soon.replace(microsecond=soon.microsecond // 1000 * 1000)  # a key's end counts in whole milliseconds
    _, secret = await in_thread(lambda: api_key_create(user=user, expires_at=expires_at))
    client = await opened(node, "/ws/ticks")
    await client.next()
    assert (await client.ask({"type": "auth", "apiKey": secret}))["success"] is True
    assert (await client.next())["code"] == "key_expired"
    assert timezone.now() >= expires_at
    closed = await client.receive_output(2)
    assert (closed["code"], closed["reason"]) == (4010, "access_revoked")
    await client.disconnect()


async def test_a_bug_of_ours_is_an_internal_error_to_the_peer(node, monkeypatch, caplog):
    client = await opened(node)
    monkeypatch.setattr(node.catalogue, "products", None)
    reply = await client.ask({"type": "subscribe", "channels": ["trading:quotes:EUR-USD"]})
    assert reply["code"] == "internal_error"
    closed = await client.receive_output(2)
    assert (closed["code"], closed["reason"]) == (1011, "internal_error")
    assert "could not be handled" in caplog.text
    await client.disconnect()


async def test_a_database_that_is_away_is_no_bug_and_the_connection_stays(node, monkeypatch, caplog):
    def away(**_):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(services, "identity_for_token", away)
    client = await opened(node, "/ws/ticks")
    await client.next()
    assert (await client.ask({"type": "auth", "apiKey": "tk_live_any"}))["code"] == "unavailable"
    assert (await client.ask({"type": "ping"}))["type"] == "pong"
    assert "could not be handled" not in caplog.text
    await client.disconnect()


async def test_the_pages_endpoint_wants_an_allowed_origin_and_a_login(node, settings):
    for origin in (b"https://evil.example", b"http://127.0.0.1:1", b"null", b""):
        client = Client(node, "/ws/app", headers=[(b"origin", origin)])
        connected, _ = await client.connect()
        assert not connected
    own = f"http://127.0.0.1:{settings.PORT}".encode()
    anonymous = await opened(node, "/ws/app", headers=[(b"origin", own)])
    assert (await anonymous.next())["code"] == "authentication_required"
    closed = await anonymous.receive_output(2)
    assert (closed["code"], closed["reason"]) == (1008, "login_required")
    await anonymous.disconnect()


async def test_one_ipv6_line_is_one_caller(node, settings):
    settings.SUBSCRIBE_INTERVAL_S = 60
    answers = []
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        client = await opened(node, address=address)
        answers.append((await client.ask({"type": "subscribe", "channels": ["heartbeat"]})).get("code"))
        await client.disconnect()
    assert answers == [None, "rate_limited", None]


async def test_an_unknown_address_is_refused(node):
    connected, _ = await Client(node, "/ws/nowhere").connect()
    assert not connected
