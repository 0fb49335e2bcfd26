"""A connection to Valkey that publishes, or hears what is published, as much at once as there is (RESP2)."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
from redis.asyncio.connection import parse_url

ANSWER_S = 5.0
"""How long Valkey may take to connect, to answer, or to take what waits; then it is away, and asked again."""

MAX_UNSENT_BYTES = 1 << 20
"""Bytes that wait for Valkey before the sender waits, too: what is behind them waits in the bus, which has a bound."""

KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
"""Seconds, seconds and attempts: a peer that is gone without a word is noticed after eleven seconds."""


async def connect(url: str, heard: Callable[[bytes], None]) -> "Connection":
    """Return a connection to `redis[s]://[[user]:password@]host[:port]` or `unix://…`; raises `OSError`.

    `heard` is given every message of the channels subscribed to, and must not raise.
    """
    loop, options = asyncio.get_running_loop(), parse_url(url)
    async with asyncio.timeout(ANSWER_S):
        if "path" in options:
            _, connection = await loop.create_unix_connection(lambda: Connection(heard), options["path"])
        else:
            secure = ssl.create_default_context() if url.startswith("rediss:") else None
            host, port = options.get("host", "localhost"), options.get("port", 6379)
            _, connection = await loop.create_connection(lambda: Connection(heard), host, port, ssl=secure)
    if password := options.get("password"):
        user = options.get("username")
        await connection.ask(b"AUTH", *([user.encode()] if user else []), password.encode())
    return connection


class Connection(asyncio.Protocol):
    """Asks, publishes, hears. `is_cut` once it has ended, for whatever reason."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self._replies = hiredis.Reader()
        self._asked: deque[asyncio.Future[None]] = deque()
        self._end = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._transport: asyncio.Transport

    @property
    def is_cut(self) -> bool:
        return self._end.is_set()

    @property
    def has_room(self) -> bool:
        """Tell whether a command leaves as soon as it is written."""
        return self._room.is_set() and not self.is_cut

    async def ask(self, *command: bytes) -> None:
        """Send a command and wait for its one reply; raises `OSError`, for a refusal too.

        After it has waited in vain the connection is cut: nobody would use it, and nobody else would close it.
        """
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append(answered)
        self.write(*command)
        try:
            async with asyncio.timeout(ANSWER_S):
                await answered
        except TimeoutError:
            self._transport.abort()
            raise

    def write(self, *command: bytes) -> None:
        """Send a command whose reply nobody waits for; raises `OSError`."""
        if self.is_cut:
            raise _cut()
        words = [b"$%d\r\n%b\r\n" % (len(word), word) for word in command]
        self._transport.write(b"*%d\r\n%b" % (len(words), b"".join(words)))

    async def drained(self) -> None:
        """Wait until Valkey has taken most of what was written; raises `OSError` where it does not."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._room.wait()
        except TimeoutError:
            self._transport.abort()
            raise
        if self.is_cut:
            raise _cut()

    async def ended(self) -> None:
        """Wait until the connection is cut, and raise `ConnectionError`."""
        await self._end.wait()
        raise _cut()

    def close(self) -> None:
        self._transport.close()

    # ---- asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(MAX_UNSENT_BYTES)
        line: socket.socket = transport.get_extra_info("socket")
        if line.family != socket.AF_UNIX:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEPALIVE.items():
                if hasattr(socket, name):  # not on every system
                    line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def data_received(self, data: bytes) -> None:
        self._replies.feed(data)
        while True:
            try:
                reply = self._replies.gets()
            except hiredis.ProtocolError:
                self._transport.abort()
                return
            if reply is False:
                return
            self._take(reply)

    def _take(self, reply: Any) -> None:
        if isinstance(reply, list) and reply[0] == b"message":
            self._heard(reply[2])
            return
        asked = self._asked.popleft() if self._asked else None
        if isinstance(reply, hiredis.ReplyError):
            # Whatever it refuses, it will refuse again: a new connection says so to whoever asks next.
            self._transport.abort()
            if asked is not None and not asked.done():
                asked.set_exception(ConnectionError(f"Valkey refuses: {reply}"))
        elif asked is not None and not asked.done():
            asked.set_result(None)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, _error: Exception | None) -> None:
        self._end.set()
        self._room.set()
        for asked in self._asked:
            if not asked.done():
                asked.set_exception(_cut())


def _cut() -> ConnectionError:
    return ConnectionError("the connection to Valkey is cut")
