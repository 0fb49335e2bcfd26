"""The node: board, staleness and revocations over processes, without a server."""

import asyncio
import uuid

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import OperationalError

from accounts.access_changes import access_changes_after
from accounts.errors import ACCESS_REVOKED, Close
from accounts.identity import Identity
from accounts.models import AccessChange
from engine.board import Board
from engine.values import MarketStatus, Quote
from streaming import topics
from streaming.bus import to_message
from streaming.node import _affects
from tests.streaming.books import DEMO, Book
from tests.streaming.nodes import candle, layer_of, make_node, quote, until
from tests.streaming.readers import Loop
from tests.streaming.readers import Reader as EventReader
from tests.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


class SilentDialect:
    def encode(self, news, catalogue):
        return b""


class Reader:
    """A hub's sink that notes what it is given."""

    def __init__(self):
        self.dialect = SilentDialect()
        self.news = []

    def deliver(self, topic, news, batch):
        self.news += news

    def deliver_together(self, parts):
        for part in parts:
            self.deliver(part.topic, part.news, part.batch)

    def forget(self, topic):
        pass


@pytest.fixture
async def web():
    """A process without the feed, and its reader of one product's quotes and state."""
    node = make_node(has_feed=False, stale_after_s=1.5)
    node.catalogue.products = {}
    await node.start()
    reader = Reader()
    for topic in (topics.quotes("EUR-USD"), topics.status("EUR-USD"), topics.candles("EUR-USD", "1")):
        node.hub.join(reader, topic)
    yield node, reader
    await node.stop()


def board_message(*news, epoch="one", replaying=False):
    entries = [to_message(item) for item in news]
    return {"type": "market.board", "origin": "feed", "epoch": epoch, "replaying": replaying, "news": entries}


async def heard(node, message, group=topics.BOARD):
    await layer_of(node).group_send(group, message)
    await asyncio.sleep(0.05)


async def test_the_board_delivers_what_was_lost_and_repeats_nothing(web):
    node, reader = web
    await node.bus.settled()
    await heard(node, {**to_message(quote(1)), "origin": "feed"}, topics.quotes("EUR-USD"))
    await heard(node, board_message(quote(1)))
    await heard(node, board_message(quote(3), candle(60, closed=True)))
    await heard(node, board_message(quote(2), candle(60, closed=True)))
    assert reader.news == [quote(1), quote(3), candle(60, closed=True)]


async def test_another_feed_process_is_a_new_epoch(web):
    node, reader = web
    await heard(node, board_message(quote(1_000)))
    await heard(node, board_message(quote(1), epoch="two"))
    assert [news.serial for news in reader.news] == [1_000, 1]


async def test_whether_the_source_is_a_replay_is_known_in_every_process(web):
    node, _ = web
    for replaying in (True, False):
        await heard(node, board_message(replaying=replaying))
        assert node.board.replaying is replaying


async def test_a_feed_that_is_silent_is_called_stale_and_asked_for_everything_when_it_is_back(web):
    node, reader = web
    feed = await layer_of(node).new_channel()
    await layer_of(node).group_add(topics.FEED, feed)
    await heard(node, board_message(MarketStatus("EUR-USD", "open")))
    await asyncio.sleep(3)
    assert reader.news == [MarketStatus("EUR-USD", "open"), MarketStatus("EUR-USD", "stale")]
    await heard(node, board_message())
    asked = await asyncio.wait_for(layer_of(node).receive(feed), 1)
    assert asked["type"] == "feed.board_wanted"


async def test_an_announcement_reaches_the_board_and_local_readers_first():
    node = make_node(board=Board())
    reader = Reader()
    node.hub.join(reader, topics.quotes("EUR-USD"))
    node.announce(quote(1))
    assert node.board.quotes["EUR-USD"] == quote(1)
    await asyncio.sleep(0)
    assert reader.news == [quote(1)]


def identity(**fields):
    return Identity(7, "ann", frozenset({"market"}), frozenset({"demo"}), **fields)


@pytest.mark.parametrize(
    ("change", "keys", "browsers"),
    [
        (AccessChange(user_id=7, key_id="k1"), {"k1"}, set()),
        (AccessChange(user_id=7, key_id="k1", generation=1), {"k1"}, set()),
        (AccessChange(user_id=7, key_id="k1", generation=2), set(), set()),
        (AccessChange(user_id=7, session="s1"), set(), {"s1"}),
        (AccessChange(user_id=7, session="*"), set(), {"s1", "s2"}),
        (AccessChange(user_id=7), {"k1", "k2"}, {"s1", "s2"}),
        (AccessChange(user_id=8), set(), set()),
        (AccessChange(user_id=8, session="*"), set(), set()),
    ],
)
def test_an_access_change_ends_what_it_names_and_nothing_else(change, keys, browsers):
    assert {key for key in ("k1", "k2") if _affects(change, identity(key_id=key, generation=1))} == keys
    assert {name for name in ("s1", "s2") if _affects(change, identity(session=name))} == browsers


class Socket:
    """A connection that notes how it was closed."""

    def __init__(self, key_id):
        self.identity = identity(key_id=key_id)
        self.closes: list[Close] = []

    def end(self, close, shutdown=None):
        self.closes.append(close)


def access_ended(key_id):
    return in_thread(AccessChange.objects.create, user_id=7, key_id=key_id)


async def polled(node):
    """Wait until the access changes have been read again: until one that is new has been acted on."""
    before = node.access_mark
    await access_ended("nobody's")
    await until(lambda: node.access_mark > before)


async def test_a_change_closes_whoever_it_concerns_once_also_across_an_outage(monkeypatch):
    """A key whose rights changed opens new sockets at once: what is read again must not close those too."""
    await access_ended(OLD := str(uuid.UUID(int=1)))
    node = make_node()
    old, new = Socket(OLD), Socket(str(uuid.UUID(int=2)))
    node.connections |= {old, new}
    await node.start()
    await polled(node)
    assert old.closes == []
    await access_ended(OLD)
    await until(lambda: old.closes)
    assert old.closes == [ACCESS_REVOKED]

    again = Socket(OLD)
    node.connections.add(again)
    read = access_changes_after
    outage = iter([True])

    def read_after_an_outage(cursor):
        if next(outage, False):
            raise OperationalError
        return read(cursor)

    monkeypatch.setattr("streaming.node.access_changes_after", read_after_an_outage)
    await polled(node)
    await access_ended(new.identity.key_id)
    await until(lambda: new.closes)
    assert new.closes == [ACCESS_REVOKED]
    assert again.closes == []
    await node.stop()


async def test_it_tells_what_ended_since_a_mark():
    node = make_node()
    await node.start()
    before = node.access_mark
    await access_ended(str(uuid.UUID(int=1)))
    await until(lambda: node.access_mark > before)
    first, other = identity(key_id=str(uuid.UUID(int=1))), identity(key_id=str(uuid.UUID(int=2)))
    assert node.ended_since(before, first)
    assert not node.ended_since(before, other)
    assert not node.ended_since(node.access_mark, first)
    await node.stop()


async def test_what_is_remembered_of_access_changes_is_bounded(monkeypatch):
    node = make_node()
    await node.start()
    monkeypatch.setattr("streaming.node.MAX_CHANGES", 200)
    many = [AccessChange(user_id=7, key_id=str(number)) for number in range(300)]
    await in_thread(AccessChange.objects.bulk_create, many)
    await until(lambda: node.access_mark == 300)
    assert len(node._changes) == 200
    await node.stop()


# ---- private events


async def following(node):
    """Return a connection's sink on a node, following the demo account."""
    reader = EventReader(Loop())
    await node.private.open(reader.sink, {"live": {}, "demo": {}}, {DEMO: None}, snapshot=False)
    node.private.follow(reader.sink, DEMO, frozenset({"orders", "positions", "balances"}))
    await node.bus.settled()
    return reader


def offsets(reader):
    return [message["offset"] for message in reader.messages]


@pytest.fixture
async def pair():
    """A process with an engine and another one, on one channel layer, and the accounts behind both."""
    layer, book = InMemoryChannelLayer(capacity=1_000), Book()
    nodes = [make_node(layer=layer, trading=book) for _ in range(2)]
    for node in nodes:
        await node.start()
    yield book, *nodes
    for node in nodes:
        await node.stop()


async def test_what_is_committed_reaches_followers_here_at_once_and_those_of_other_processes(pair):
    book, engine, web = pair
    here, there = await following(engine), await following(web)
    engine.committed(book.commit(DEMO, "order:new", "balance"))
    assert offsets(here) == [1, 2]
    await until(lambda: offsets(there) == [1, 2])
    assert not book.asked("page")


async def test_a_process_that_was_told_nothing_reads_the_log(pair):
    book, _, web = pair
    there = await following(web)
    book.commit(DEMO, "order:new", "balance")
    await until(lambda: offsets(there) == [1, 2])


async def test_a_process_hears_of_an_account_while_somebody_follows_it(pair):
    book, engine, web = pair
    there = await following(web)
    assert topics.account("demo", 7) in layer_of(web).groups
    web.private.leave(there.sink)
    await web.bus.settled()
    assert topics.account("demo", 7) not in layer_of(web).groups
    engine.committed(book.commit(DEMO, "balance"))
    assert not engine.bus._outbox


async def test_an_end_stops_reading_logs(pair):
    book, _, web = pair
    there = await following(web)
    book.hold_up()
    web.private.committed(book.commit(DEMO, "balance", "balance")[1:])
    await until(lambda: book.waiting)
    await web.stop()
    assert all(answer.cancelled() for answer in book.waiting)
    assert offsets(there) == []
    book.go_on()


# ---- who listens to quotes


async def test_every_quote_that_is_news_is_heard_whoever_announced_it():
    feed, other = make_node(), make_node(has_feed=False)
    heard: dict[str, list[Quote]] = {"feed": [], "other": []}
    feed.quote_listeners.append(heard["feed"].append)
    other.quote_listeners.append(heard["other"].append)
    feed.announce(quote(1))
    feed.announce(MarketStatus("EUR-USD", "open"))
    feed.announce(candle(60))
    for serial in (1, 1, 2):
        other._heard(to_message(quote(serial)))
    assert heard == {"feed": [quote(1)], "other": [quote(1), quote(2)]}


async def test_who_listens_hears_quotes_also_after_the_last_subscriber_has_left(web):
    node, reader = web
    node.quote_listeners.append(lambda _: None)
    for topic in (topics.quotes("EUR-USD"), topics.status("EUR-USD")):
        node.hub.leave(reader, topic)
    await node.bus.settled()
    assert topics.quotes("EUR-USD") in layer_of(node).groups
    assert topics.status("EUR-USD") not in layer_of(node).groups
    node.bus.want(topics.quotes("EUR-USD"), False)


# ---- what connections leave behind


async def test_an_end_waits_for_what_connections_have_left_to_be_done_but_not_for_ever(monkeypatch):
    monkeypatch.setattr("streaming.node.FAREWELL_S", 0.05)
    node = make_node()
    await node.start()
    done = []

    async def farewell(turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        done.append(turns)

    long = asyncio.create_task(asyncio.Event().wait())
    node.see_through(asyncio.create_task(farewell(5)))
    node.see_through(long)
    await node.stop()
    assert done == [5]
    assert long.cancelled()


async def test_a_topic_is_heard_by_its_readers_here_and_by_other_processes():
    layer = InMemoryChannelLayer(capacity=1_000)
    feed, web = make_node(layer=layer), make_node(layer=layer, has_feed=False)
    for node in (feed, web):
        await node.start()
    local, afar = topics.candles("EUR-USD", "1"), topics.candles("EUR-USD", "5")
    assert not feed.is_heard(local)
    feed.hub.join(Reader(), local)
    web.hub.join(Reader(), afar)
    await web.bus.settled()
    assert [feed.is_heard(topic) for topic in (local, afar, topics.candles("EUR-USD", "15"))] == [True, True, False]
    for node in (feed, web):
        await node.stop()
