"""The lines to other processes, where they differ from the layer; what both do is the bus's (`test_bus.py`)."""

import asyncio
import uuid
from contextlib import ExitStack, asynccontextmanager

import pytest
import redis
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from streaming.lines import LayerLine, ValkeyLine, line_to
from tests.plugins.services import start_valkey
from tests.streaming.nodes import until


@pytest.fixture(scope="module")
def server():
    with ExitStack() as resources:
        yield start_valkey(resources)


@pytest.fixture
def new_line(server):
    """Give a function that returns one more process's line."""
    prefix = f"test-{uuid.uuid4().hex}-"

    def new(url=server.connection_url):
        return line_to(RedisPubSubChannelLayer(hosts=[url], prefix=prefix), url)

    return new


@asynccontextmanager
async def listening(line):
    """Give what an open line hears; it listens again whenever it is cut."""
    heard: list[dict[str, object]] = []
    cuts = 0

    async def listen():
        nonlocal cuts
        while True:
            try:
                await line.listen(heard.append)
            except ConnectionError:
                cuts += 1

    await line.open()
    task = asyncio.create_task(listen())
    yield heard
    task.cancel()
    await line.close()


def test_without_valkey_the_layer_is_the_line():
    assert isinstance(line_to(InMemoryChannelLayer(), ""), LayerLine)


def test_on_valkey_a_line_is_never_known_to_be_alone(new_line):
    line = new_line()
    assert isinstance(line, ValkeyLine)
    assert not line.alone("quotes.EUR-USD")


async def test_a_line_that_was_cut_listens_again_to_everything_it_had_joined(new_line, server):
    ears, mouth = new_line(), new_line()
    await mouth.open()
    async with listening(ears) as heard:
        for group in ("one", "two", "left"):
            await ears.join(group)
        await ears.leave("left")
        redis.Redis.from_url(server.connection_url).client_kill_filter(_type="pubsub")
        await asyncio.sleep(0)

        async def again():
            # What is said while nobody listens is lost: that is what lines do.
            await mouth.say([(group, {"said": group}) for group in ("one", "left", "two")])
            await mouth.answer(ears.name, {"said": "to you"})

        async with asyncio.timeout(10):
            while len(heard) < 3:
                await again()
                await asyncio.sleep(0.05)
        assert {message["said"] for message in heard} == {"one", "two", "to you"}
    await mouth.close()


async def test_wishes_at_the_same_moment_share_a_connection(new_line, server):
    line = new_line()
    await line.open()
    manager = redis.Redis.from_url(server.connection_url)
    before = len(manager.client_list(_type="pubsub"))
    manager.client_kill_filter(_type="pubsub")
    await until(lambda: line._ears.is_cut)
    await asyncio.gather(*(line.join(f"group-{number}") for number in range(20)))
    assert len(manager.client_list(_type="pubsub")) == 1 <= before
    await line.close()


async def test_what_no_layer_has_packed_is_passed_over(new_line, server, caplog):
    line = new_line()
    async with listening(line) as heard:
        await line.join("news")
        redis.Redis.from_url(server.connection_url).publish(line._channel("news"), b"\xc1")
        await line.say([("news", {"said": "this"})])
        await until(lambda: heard)
        assert heard == [{"said": "this"}]
    assert "could not be read" in caplog.text


async def test_what_is_said_at_once_keeps_its_place_between_what_is_said(new_line):
    line = new_line()
    assert not line.say_at_once("news", {"said": 0})  # nothing is open yet
    async with listening(line) as heard:
        await line.join("news")
        await line.say([("news", {"said": 1})])
        assert line.say_at_once("news", {"said": 2})
        await line.say([("news", {"said": 3})])
        await until(lambda: len(heard) == 3)
        assert [message["said"] for message in heard] == [1, 2, 3]


async def test_nothing_is_said_at_once_to_a_valkey_that_is_gone_or_takes_nothing(new_line, server):
    line = new_line()
    await line.open()
    await line.say([("news", {})])
    line._mouth.pause_writing()
    assert not line.say_at_once("news", {})
    line._mouth.resume_writing()
    redis.Redis.from_url(server.connection_url).client_kill_filter(_type="normal", skipme=True)
    await until(lambda: not line.say_at_once("news", {}))
    await line.close()


async def test_what_is_said_is_not_answered(new_line, server):
    """An answer to every message would wake this process once more for each."""
    ears, mouth, manager = new_line(), new_line(), redis.Redis.from_url(server.connection_url)

    async def told():
        """Say and hear a hundred messages; return how many bytes Valkey has sent to who said them."""
        heard.clear()
        await mouth.say([("news", {})] * 100)
        await until(lambda: len(heard) == 100)
        return [client["tot-net-out"] for client in manager.client_list() if client["id"] not in before]

    async with listening(ears) as heard:
        await ears.join("news")
        before = {client["id"] for client in manager.client_list()}
        first = await told()
        assert len(first) == 1
        assert await told() == first
    await mouth.close()


async def test_who_may_not_publish_is_told_so(new_line, server):
    redis.Redis.from_url(server.connection_url).execute_command(
        "ACL", "SETUSER", "mute", "on", ">secret", "~*", "&*", "+@all", "-publish"
    )
    line = new_line(server.connection_url.replace("//", "//mute:secret@"))
    with pytest.raises(ConnectionError, match="NOPERM"):
        await line.say([("news", {"said": 1})])
    await line.close()
