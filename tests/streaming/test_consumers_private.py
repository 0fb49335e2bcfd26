"""Private channels and trades through the whole of a process but its socket: what comes in which order, and the end."""

import asyncio
import json
import time

import pytest

from accounts import signing
from accounts.errors import SLOW_CONSUMER
from accounts.models import User
from accounts.services import api_key_create
from engine.values import AccountId
from streaming import consumers
from streaming.trades import MAX_TRADES_IN_FLIGHT
from tests.streaming.books import EPOCH, Book, about
from tests.streaming.nodes import make_node, until
from tests.streaming.test_consumers import opened
from tests.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

DEMO_CHANNELS = ["trading:orders_demo", "trading:positions_demo", "trading:balances_demo"]


@pytest.fixture
async def floor(settings):
    """A running process on a book."""
    settings.SUBSCRIBE_INTERVAL_S = 0
    settings.SIGNATURE_SINGLE_USE = False
    book = Book()
    node = make_node(trading=book)
    await node.start()
    yield node, book
    await node.stop()


@pytest.fixture
async def trader(floor):
    """A client with a key that may do everything, subscribed to the demo account."""
    node, _ = floor
    client, answer = await subscribed(node, DEMO_CHANNELS)
    assert answer["accounts"] == {"demo": {"epoch": EPOCH, "offset": 0}}
    yield client
    await client.disconnect()


async def subscribed(node, channels, **fields):
    """Return a client that has authenticated as ann with a subscribe, and the answer to it."""
    client = await opened(node)
    answer = await client.ask({"type": "subscribe", "channels": channels, "auth": await auth(), **fields})
    return client, answer


async def auth():
    user, _ = await in_thread(User.objects.get_or_create, username="ann")
    scopes = ["market", "read", "trade"]
    key, secret = await in_thread(lambda: api_key_create(user=user, scopes=scopes))
    stamp_ms = time.time_ns() // 1_000_000
    sig = signing.sign(secret, timestamp_ms=stamp_ms, method="GET", path="/ws-auth")
    return {"key": str(key.public_id), "sig": sig, "timestamp": stamp_ms}


async def account():
    return AccountId("demo", (await in_thread(User.objects.get, username="ann")).pk)


def trade(number, action="new", **params):
    return json.dumps({"type": "trade", "id": number, "action": action, "demo": True, "params": params})


async def heard(client, count):
    return [await client.next() for _ in range(count)]


async def test_the_events_of_an_account_come_numbered_and_with_their_offsets(floor, trader):
    node, book = floor
    node.committed(book.commit(await account(), "order:new", "balance"))
    first, second = await heard(trader, 2)
    assert list(first) == ["event", "sequence", "data", "offset"]
    assert (first["event"], first["sequence"], first["offset"]) == ("order_demo:new", 1, 1)
    assert second == {"event": "balance_demo", "sequence": 2, "data": {"BTC": "10.00000000"}, "offset": 2}


async def test_who_comes_back_gets_what_was_missed_and_then_what_happens(floor, trader):
    node, book = floor
    node.committed(book.commit(await account(), "order:new"))
    await trader.next()
    await trader.disconnect()
    node.committed(book.commit(await account(), "order:cancel", "balance"))
    resume = {"demo": {"epoch": EPOCH, "offset": 1}}
    client, answer = await subscribed(node, DEMO_CHANNELS, resume=resume)
    assert answer["accounts"] == {"demo": {"epoch": EPOCH, "offset": 3, "recovered": True}}
    assert [message["offset"] for message in await heard(client, 2)] == [2, 3]
    node.committed(book.commit(await account(), "balance"))
    assert (await client.next())["offset"] == 4
    await client.disconnect()


async def test_a_result_comes_before_the_events_of_its_order(floor, trader):
    node, book = floor
    book.hold_up()
    await trader.send_to(text_data=trade(1, type="market"))
    await until(lambda: book.waiting)
    (trade_id,) = [asked[3] for asked in book.asked("trade")]
    node.committed(book.commit(await account(), ("order:new", about(trade_id)), "balance"))
    assert await trader.receive_nothing()
    book.let_go()
    result, order, balance = await heard(trader, 3)
    assert (result["type"], result["id"], result["data"]["id"]) == ("result", 1, trade_id)
    assert (order["event"], order["data"]["id"], balance["event"]) == ("order_demo:new", trade_id, "balance_demo")


async def test_what_is_sent_behind_a_trade_is_not_kept_waiting(floor, trader):
    _, book = floor
    book.hold_up()
    for number in range(MAX_TRADES_IN_FLIGHT + 1):
        await trader.send_to(text_data=trade(number))
    refused = await trader.next()
    assert (refused["code"], refused["id"], refused["retryAfterMs"]) == ("rate_limited", MAX_TRADES_IN_FLIGHT, 100)
    assert (await trader.ask({"type": "ping"}))["type"] == "pong"
    while book.waiting:
        book.let_go()
    answers = await heard(trader, MAX_TRADES_IN_FLIGHT)
    assert {answer["id"] for answer in answers} == set(range(MAX_TRADES_IN_FLIGHT))


async def test_a_client_that_sends_without_end_leaves_the_loop_to_others(floor, trader, monkeypatch):
    monkeypatch.setattr(consumers, "BURST_S", 0)
    turns = 0

    async def count():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    for _ in range(20):
        await trader.send_to(text_data='{"type":"ping"}')
    await heard(trader, 20)
    counting.cancel()
    assert turns > 20


async def test_a_heartbeat_says_how_far_the_logs_are(floor, trader):
    node, book = floor
    node.committed(book.commit(await account(), "balance"))
    await trader.next()
    (connection,) = node.connections
    await until(lambda: len(node.private.offsets(connection._sink)) == 2)
    connection._session._heartbeat_s = 0.0
    connection._on_deadline()
    assert (await trader.next())["data"]["offset"] == {"live": 0, "demo": 1}


async def test_a_page_of_a_process_without_accounts_is_refused(settings):
    settings.SUBSCRIBE_INTERVAL_S = 0
    node = make_node()
    await node.start()
    client, answer = await subscribed(node, DEMO_CHANNELS)
    assert answer["code"] == "unavailable"
    assert (await client.ask({"type": "subscribe", "channels": ["heartbeat"]}))["type"] == "subscribed"
    await client.disconnect()
    await node.stop()


# ---- orders that end with their connection


async def with_a_pending_order(client, wanted=True):
    assert (await client.ask({"type": "session", "cancelOnDisconnect": wanted})) == {
        "type": "session", "cancelOnDisconnect": wanted,
    }  # fmt: skip
    return (await client.ask(trade(1, type="pending")))["data"]["id"]


@pytest.mark.parametrize("code", [1001, 1005, 1006, 4000])
async def test_a_connection_that_is_cut_takes_its_pending_orders_with_it(floor, trader, code):
    _, book = floor
    order_id = await with_a_pending_order(trader)
    await trader.disconnect(code)
    await until(lambda: book.cancelled)
    assert book.cancelled == [("demo", order_id)]


async def test_one_that_its_client_closes_with_1000_leaves_them(floor, trader):
    node, book = floor
    await with_a_pending_order(trader)
    await trader.disconnect(1000)
    await node.stop()
    assert not book.cancelled


async def test_and_so_does_one_that_did_not_ask_for_it(floor, trader):
    node, book = floor
    await with_a_pending_order(trader, wanted=False)
    await trader.disconnect(1006)
    await node.stop()
    assert not book.cancelled


async def test_a_server_that_ends_cancels_before_it_does(floor, trader):
    node, book = floor
    order_id = await with_a_pending_order(trader)
    await node.stop()
    assert book.cancelled == [("demo", order_id)]
    assert (await trader.next())["type"] == "shutdown"
    assert (await trader.receive_output(2))["code"] == 1012


async def test_a_connection_that_we_close_is_cut_too_whatever_its_client_answers(floor, trader):
    node, book = floor
    order_id = await with_a_pending_order(trader)
    (connection,) = node.connections
    connection._sink.end(SLOW_CONSUMER)
    await trader.disconnect(1000)
    await until(lambda: book.cancelled)
    assert book.cancelled == [("demo", order_id)]


async def test_leaving_forgets_the_accounts(floor, trader):
    node, book = floor
    await trader.disconnect()
    book.calls.clear()
    await node.private.heads()
    assert not book.calls
