"""The bus between processes, on the in-memory layer and on a real Valkey: hints in order, healed where one is lost."""

import asyncio
import uuid
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import redis
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from hypothesis import given
from hypothesis import strategies as st

from engine.board import Board
from engine.values import RESOLUTIONS, Candle, MarketStatus, Quote
from streaming import topics
from streaming.bus import (
    BOARD_PART,
    EVENTS_PART,
    MAX_OUTBOX,
    PAUSE_S,
    RETRY_S,
    Announcement,
    Bus,
    from_message,
    from_private_message,
    to_message,
    to_messages,
)
from streaming.lines import LayerLine, line_to
from streaming.messages import PrivateEvent
from tests.plugins.services import start_valkey
from tests.streaming.nodes import candle, make_node, quote, until
from tests.streaming.readers import Loop, Reader

EUR = topics.quotes("EUR-USD")


@pytest.fixture(scope="module")
def valkey():
    with ExitStack() as resources:
        yield start_valkey(resources)


class Memory:
    """Processes that share their layer's memory: the one that Tickwire has without Valkey."""

    def __init__(self):
        self._layer = InMemoryChannelLayer(capacity=10_000)

    def layer(self):
        return self._layer

    def line(self):
        return LayerLine(self._layer)


class Valkey:
    """Processes that have nothing in common but a Valkey."""

    def __init__(self, server):
        self.url = server.connection_url
        self.prefix = f"test-{uuid.uuid4().hex}-"

    def layer(self):
        hosts = [{"address": self.url, "socket_timeout": None}]
        return RedisPubSubChannelLayer(hosts=hosts, prefix=self.prefix)

    def line(self):
        return line_to(self.layer(), self.url)

    def publish_raw(self, group, payload):
        """Publish what no layer would have sent; return how many listened."""
        return redis.Redis.from_url(self.url).publish(f"{self.prefix}__group__{group}", payload)


@pytest.fixture(params=["memory", "valkey"])
def between(request):
    return Memory() if request.param == "memory" else Valkey(request.getfixturevalue("valkey"))


class Process:
    """One process's bus, running, and what it has heard."""

    def __init__(self, line):
        self.bus = Bus(line, Board())
        self.heard: list[Announcement] = []
        for kind in ("market.quote", "market.candle", "market.status"):
            self.bus.on(kind, lambda message: self.heard.append(from_message(message)))

    async def __aenter__(self):
        await self.bus.open()
        works = (self.bus.send_forever, self.bus.keep_groups_forever, self.bus.receive_forever)
        self._tasks = [asyncio.create_task(work()) for work in works]
        return self

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bus.close()

    async def listen(self, *groups):
        for group in groups:
            self.bus.want(group, True)
        await asyncio.wait_for(self.bus.settled(), 5)


# ---- the law of the wire between processes

digits = st.integers(0, 8)
prices = st.builds(lambda number, places: Decimal(number).scaleb(-places), st.integers(1, 10**12), digits)
names = st.sampled_from(["EUR-USD", "BTC-USD"])
ohlcs = st.tuples(prices, prices, prices, prices)
announcements = (
    st.builds(Quote, names, prices, prices, prices, prices, st.integers(0, 2**53), st.integers(1, 2**53))
    | st.builds(Candle, names, st.sampled_from(sorted(RESOLUTIONS)), st.integers(0), ohlcs, ohlcs, ohlcs, st.booleans())
    | st.builds(MarketStatus, names, st.sampled_from(["open", "stale", "closed", "halted"]))
)


@given(announcements)
def test_an_announcement_arrives_as_it_was_sent(news):
    arrived = from_message(to_message(news))
    assert repr(arrived) == repr(news)  # 1.10 == 1.1, but their digits are not the same


events = st.builds(
    PrivateEvent, st.sampled_from(["live", "demo"]), st.just(7), st.integers(1, 2**62), st.text(max_size=16), st.text()
)


@given(st.lists(events, min_size=1, max_size=3), st.integers(1, 100))
def test_private_events_arrive_as_they_were_sent_however_many(some, times):
    sent = [replace(event, environment=some[0].environment) for event in some] * times
    messages = list(to_messages(sent))
    assert [event for message in messages for event in from_private_message(message)] == sent
    assert all(0 < len(message["events"]) <= EVENTS_PART for message in messages)


@pytest.mark.parametrize(
    "bad",
    [
        {"environment": "paper"},
        {"environment": None},
        {"user_id": "7"},
        {"user_id": True},
        {"events": None},
        {"events": [[1, "balance"]]},
        {"events": [["1", "balance", "{}"]]},
        {"events": [[1, None, "{}"]]},
        {"events": [[1, "balance", {}]]},
    ],
    ids=str,
)
def test_a_foreign_message_of_private_events_is_not_believed(bad):
    (message,) = to_messages([PrivateEvent("demo", 7, 1, "balance", "{}")])
    with pytest.raises((ValueError, TypeError)):
        from_private_message({**message, **bad})


# ---- two processes


async def test_announcements_arrive_in_order(between):
    async with Process(between.line()) as feed, Process(between.line()) as web:
        await web.listen(EUR, topics.candles("EUR-USD", "1"))
        sent = []
        for serial in range(1, 301):
            sent += [quote(serial), candle(60 * serial, closed=True)]
        for news in sent:
            feed.bus.announce(topics.topic_of(news), news)
        await until(lambda: len(web.heard) == len(sent))
        assert web.heard == sent


async def test_after_a_pause_a_message_does_not_wait_for_its_turn(valkey, monkeypatch):
    between = Valkey(valkey)
    async with Process(between.line()) as feed, Process(between.line()) as web:
        await web.listen(EUR)
        feed.bus.announce(EUR, quote(1))
        await until(lambda: web.heard)
        await asyncio.sleep(2 * PAUSE_S)
        feed.bus.announce(EUR, quote(2))
        at_once = len(feed.bus._outbox)
        monkeypatch.setattr("streaming.bus.PAUSE_S", 60)  # the test itself may be kept waiting for longer than that
        feed.bus.announce(EUR, quote(3))
        assert (at_once, len(feed.bus._outbox)) == (0, 1)
        await until(lambda: len(web.heard) == 3)
        assert web.heard == [quote(serial) for serial in (1, 2, 3)]


async def test_a_process_hears_what_it_asked_for_and_never_itself(between):
    async with Process(between.line()) as feed, Process(between.line()) as web:
        await feed.listen(EUR)
        await web.listen(EUR)
        feed.bus.announce(topics.quotes("GBP-USD"), quote(1, product="GBP-USD"))
        feed.bus.announce(EUR, quote(1))
        await until(lambda: web.heard)
        assert (web.heard, feed.heard) == ([quote(1)], [])


async def test_a_group_that_is_left_is_quiet(between):
    gbp = topics.quotes("GBP-USD")
    async with Process(between.line()) as feed, Process(between.line()) as web:
        await web.listen(EUR, gbp)
        web.bus.want(EUR, False)
        await web.listen()
        feed.bus.announce(EUR, quote(1))
        feed.bus.announce(gbp, quote(1, product="GBP-USD"))
        await until(lambda: web.heard)
        assert web.heard == [quote(1, product="GBP-USD")]


async def test_wishes_that_change_while_the_layer_is_busy_end_as_the_last_one(between):
    async with Process(between.line()) as feed, Process(between.line()) as web:
        for wanted in (True, False, True, False, True):
            web.bus.want(EUR, wanted)
            await asyncio.sleep(0)
        await web.listen()
        feed.bus.announce(EUR, quote(1))
        await until(lambda: web.heard)


class SlowToLeave(LayerLine):
    """A line on which leaving a group takes as long as the test says."""

    def __init__(self, layer):
        super().__init__(layer)
        self.may_leave = asyncio.Event()

    async def leave(self, group):
        await self.may_leave.wait()
        await super().leave(group)


async def test_a_group_that_is_wanted_again_while_it_is_left_is_not_settled_before_it_is_joined_again():
    layer = InMemoryChannelLayer(capacity=10_000)
    line = SlowToLeave(layer)
    async with Process(LayerLine(layer)) as feed, Process(line) as web:
        await web.listen(EUR)
        web.bus.want(EUR, False)
        for _ in range(3):
            await asyncio.sleep(0)
        web.bus.want(EUR, True)
        settled = asyncio.create_task(web.bus.settled())
        await asyncio.sleep(0.02)
        assert not settled.done()
        line.may_leave.set()
        await asyncio.wait_for(settled, 5)
        feed.bus.announce(EUR, quote(1))
        await until(lambda: web.heard)


async def test_a_consumer_of_somebody_elses_gets_the_same_messages(between):
    layer = between.layer()
    channel = await layer.new_channel()
    await layer.group_add(EUR, channel)
    async with Process(between.line()) as feed:
        feed.bus.announce(EUR, quote(7))
        message = await asyncio.wait_for(layer.receive(channel), 5)
    assert message == {
        "type": "market.quote",
        "product": "EUR-USD",
        "bid": "1.12439",
        "ask": "1.12445",
        "mid": "1.12442",
        "mid_day_ago": "1.12411",
        "time_ms": 1_511_434_319_320,
        "serial": 7,
        "origin": feed.bus.origin,
    }
    if isinstance(between, Valkey):
        await layer.flush()


async def test_a_consumer_of_somebody_elses_gets_an_accounts_events(between):
    layer = between.layer()
    channel = await layer.new_channel()
    await layer.group_add("account.demo.7", channel)
    async with Process(between.line()) as engine:
        engine.bus.announce_private(
            [
                PrivateEvent("demo", 7, 41, "balance", '{"BTC":"1"}'),
                PrivateEvent("live", 7, 1, "balance", '{"BTC":"2"}'),
                PrivateEvent("demo", 7, 42, "balance", '{"BTC":"3"}'),
            ]
        )
        message = await asyncio.wait_for(layer.receive(channel), 5)
    assert message == {
        "type": "private.events",
        "environment": "demo",
        "user_id": 7,
        "events": [[41, "balance", '{"BTC":"1"}'], [42, "balance", '{"BTC":"3"}']],
        "origin": engine.bus.origin,
    }
    if isinstance(between, Valkey):
        await layer.flush()


async def test_an_answer_goes_to_one_process(between):
    async with Process(between.line()) as feed, Process(between.line()) as web:
        answers: list[dict[str, Any]] = []
        web.bus.on("feed.submitted", answers.append)
        await feed.bus.answer(web.bus.channel, {"type": "feed.submitted", "call": "1"})
        await until(lambda: answers)


async def test_a_process_that_is_alone_sends_nothing():
    memory = Memory()
    async with Process(memory.line()) as only:
        await only.listen(EUR)
        await only.listen(topics.account("demo", 7))
        only.bus.announce(EUR, quote(1))
        only.bus.announce_private([PrivateEvent("demo", 7, 1, "balance", "{}")])
        assert not only.bus._outbox


# ---- what must not end a process's reception

MALFORMED = {
    "no type": {},
    "a type that is a list": {"type": ["market.quote"]},
    "no fields": {"type": "market.quote"},
    "prices that are none": {**to_message(quote(1)), "bid": "abc"},
    "a serial that is text": {**to_message(quote(1)), "serial": "1"},
    "a time that is a fraction": {**to_message(quote(1)), "time_ms": 1.5},
    "a product that is a list": {**to_message(quote(1)), "product": []},
    "too few prices": {**to_message(candle(0)), "prices": ["1"]},
    "a candle's start that is text": {**to_message(candle(0)), "start_s": "0"},
    "a candle that is perhaps closed": {**to_message(candle(0)), "closed": "no"},
    "a state nobody knows": {"type": "market.status", "product": "EUR-USD", "state": "asleep"},
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_a_malformed_message_of_somebody_elses_is_passed_over(between, what, caplog):
    layer = between.layer()
    async with Process(between.line()) as feed, Process(between.line()) as web:
        await web.listen(EUR)
        await layer.group_send(EUR, MALFORMED[what])
        await asyncio.sleep(0.05)
        feed.bus.announce(EUR, quote(2))
        await until(lambda: web.heard)
        assert web.heard == [quote(2)]
        assert not any(task.done() for task in web._tasks)
    if isinstance(between, Valkey):
        await layer.flush()


async def test_bytes_that_no_layer_sent_are_passed_over(valkey):
    between = Valkey(valkey)
    async with Process(between.line()) as feed, Process(between.line()) as web:
        await web.listen(EUR)
        for payload in (b"\xc1", b"", b"\x93\x01\x02\x03"):  # no msgpack, nothing, a list
            assert between.publish_raw(EUR, payload) == 1
        feed.bus.announce(EUR, quote(2))
        await until(lambda: web.heard)
        assert not any(task.done() for task in web._tasks)


# ---- what is lost


@pytest.mark.django_db(transaction=True)
async def test_the_board_heals_a_lost_message_and_repeats_nothing(between):
    web = make_node(has_feed=False, line=between.line())
    await web.start()
    reader = Reader(Loop())
    web.hub.join(reader.sink, EUR)
    await web.bus.settled()
    async with Process(between.line()) as feed:
        feed.bus.announce(EUR, quote(1, time_ms=1))
        # quote 2 is announced by a process that the layer does not hear
        feed.bus.post_board([quote(2, time_ms=2)], epoch="one")
        feed.bus.announce(EUR, quote(2, time_ms=2))
        feed.bus.announce(EUR, quote(3, time_ms=3))
        await until(lambda: len(reader.messages) >= 3)
        feed.bus.post_board([quote(3, time_ms=3)], epoch="one")
        feed.bus.announce(EUR, quote(4, time_ms=4))
        await until(lambda: len(reader.messages) >= 4)
    assert [message["data"][5] for message in reader.messages] == [1, 2, 3, 4]
    await web.stop()


async def test_a_board_is_sent_in_parts_and_says_that_we_are_here_even_when_nothing_is_new():
    layer = InMemoryChannelLayer()
    bus = Bus(LayerLine(layer), Board())
    bus.post_board([quote(1)], epoch="one")
    assert not bus._outbox  # nobody is there who could miss it
    await layer.group_add(topics.BOARD, await layer.new_channel())
    bus.post_board([], epoch="one")
    bus.post_board([quote(serial) for serial in range(BOARD_PART + 1)], epoch="one")
    assert [group for group, _ in bus._outbox] == [topics.BOARD] * 3
    assert [len(message["news"]) for _, message in bus._outbox] == [0, BOARD_PART, 1]
    assert {message["epoch"] for _, message in bus._outbox} == {"one"}


def test_what_waits_for_the_layer_is_bounded_and_the_oldest_goes():
    bus = Bus(LayerLine(InMemoryChannelLayer()), Board())
    for number in range(MAX_OUTBOX + 2):
        bus.post("group", {"n": number})
    assert bus.lost == 2
    assert len(bus._outbox) == MAX_OUTBOX
    assert bus._outbox[0] == ("group", {"n": 2})


class Flaky(InMemoryChannelLayer):
    """A layer that can be away."""

    away = False

    async def group_send(self, group, message):
        self._fail_if_away()
        await super().group_send(group, message)

    async def group_add(self, group, channel):
        self._fail_if_away()
        await super().group_add(group, channel)

    def _fail_if_away(self):
        if self.away:
            raise ConnectionError("away")


async def test_a_layer_that_is_back_is_used_again_and_what_waited_is_dropped(caplog):
    layer = Flaky()
    async with Process(LayerLine(layer)) as feed, Process(LayerLine(layer)) as web:
        await web.listen(EUR)
        layer.away = True
        web.bus.want(topics.quotes("GBP-USD"), True)
        for serial in (1, 2):
            feed.bus.announce(EUR, quote(serial))
        await asyncio.sleep(0.01)
        layer.away = False
        await asyncio.wait_for(web.bus.settled(), 3 * RETRY_S)
        feed.bus.announce(EUR, quote(3))
        await until(lambda: web.heard, within_s=3 * RETRY_S)
        assert web.heard == [quote(3)]
        assert feed.bus.lost == 2
    assert [record.getMessage() for record in caplog.records] == [
        "The channel layer does not answer: ConnectionError"
    ] * 2  # once for each process


async def test_a_valkey_that_is_restarted_is_used_again_and_groups_are_kept():
    with ExitStack() as resources:
        server = start_valkey(resources)
        between = Valkey(server)
        async with Process(between.line()) as feed, Process(between.line()) as web:
            await web.listen(EUR)
            feed.bus.announce(EUR, quote(1))
            await until(lambda: web.heard)
            port = server.port
            await asyncio.to_thread(server.stop)
            feed.bus.announce(EUR, quote(2))
            web.bus.want(topics.quotes("GBP-USD"), True)
            await until(lambda: feed.bus.lost == 1)
            await asyncio.to_thread(start_valkey, resources, port=port)
            await asyncio.wait_for(web.bus.settled(), 5)

            async with asyncio.timeout(10):
                serial = 2
                while web.heard[-1].serial < 3:  # what is said before it listens again is lost; the board heals that
                    serial += 1
                    feed.bus.announce(EUR, quote(serial))
                    await asyncio.sleep(0.1)
            assert [news.serial for news in web.heard] == [1, *range(web.heard[1].serial, serial + 1)]
