"""The connection to Valkey: a real one, and peers that are none."""

import asyncio
from contextlib import ExitStack, asynccontextmanager

import pytest
import redis

from streaming import valkey
from streaming.valkey import MAX_UNSENT_BYTES, connect
from tests.plugins.services import free_port, start_valkey
from tests.streaming.nodes import until


@pytest.fixture(scope="module")
def server():
    with ExitStack() as resources:
        yield start_valkey(resources)


@pytest.fixture
def url(server):
    return server.connection_url


def ignored(message):
    """Nothing is subscribed to."""


async def test_what_is_published_is_heard_in_order_by_whoever_subscribed(url):
    heard: list[bytes] = []
    ears, mouth = await connect(url, heard.append), await connect(url, ignored)
    await ears.ask(b"SUBSCRIBE", b"news")
    sent = [b"%d\r\n\x00" % number for number in range(3_000)]
    for message in sent:
        mouth.write(b"PUBLISH", b"news", message)
        mouth.write(b"PUBLISH", b"other", message)
    await mouth.drained()
    await until(lambda: len(heard) == len(sent))
    assert heard == sent
    await ears.ask(b"UNSUBSCRIBE", b"news")
    mouth.write(b"PUBLISH", b"news", b"late")
    await mouth.ask(b"PING")
    assert heard == sent
    for connection in (ears, mouth):
        connection.close()


async def test_a_refusal_is_an_error_and_the_end(url):
    connection = await connect(url, ignored)
    with pytest.raises(ConnectionError, match="unknown command"):
        await connection.ask(b"NO-SUCH-COMMAND")
    with pytest.raises(ConnectionError):
        await connection.ended()
    with pytest.raises(ConnectionError):
        connection.write(b"PING")


async def test_a_password_is_said(server, url):
    manager = redis.Redis.from_url(url)
    manager.config_set("requirepass", "secret word")
    try:
        address = f"127.0.0.1:{server.port}"
        for login in (":secret%20word", "default:secret%20word"):
            connection = await connect(f"redis://{login}@{address}", ignored)
            await connection.ask(b"PING")
            connection.close()
        with pytest.raises(ConnectionError, match="WRONGPASS"):
            await connect(f"redis://:wrong@{address}", ignored)
        silent = await connect(f"redis://{address}", ignored)
        with pytest.raises(ConnectionError, match="NOAUTH"):
            await silent.ask(b"SUBSCRIBE", b"news")
    finally:
        redis.Redis.from_url(url, password="secret word").config_set("requirepass", "")


async def test_an_address_where_nobody_is_is_an_error():
    with pytest.raises(ConnectionRefusedError):
        await connect(f"redis://127.0.0.1:{free_port()}", ignored)


@asynccontextmanager
async def peer(says):
    """Give the address of somebody who says this, and then neither reads nor says anything."""
    over = asyncio.Event()

    async def met(reader, writer):
        writer.write(says)
        await over.wait()
        writer.close()

    listening = await asyncio.start_server(met, "127.0.0.1", 0, limit=1)
    yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    over.set()
    listening.close()


async def test_a_peer_that_takes_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(valkey, "ANSWER_S", 0.05)
    async with peer(b"") as address:
        connection = await connect(address, ignored)
        for _ in range(20):
            connection.write(b"PUBLISH", b"news", bytes(MAX_UNSENT_BYTES))
        with pytest.raises(TimeoutError):
            await connection.drained()
        await until(lambda: connection.is_cut)


async def test_a_peer_that_does_not_answer_is_waited_for_no_longer_than_that(monkeypatch):
    monkeypatch.setattr(valkey, "ANSWER_S", 0.05)
    async with peer(b"") as address:
        connection = await connect(address, ignored)
        with pytest.raises(TimeoutError):
            await connection.ask(b"PING")
        await until(lambda: connection.is_cut)


async def test_a_peer_that_speaks_another_language_is_left():
    async with peer(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        connection = await connect(address, ignored)
        with pytest.raises(ConnectionError):
            await connection.ask(b"PING")
        assert connection.is_cut
