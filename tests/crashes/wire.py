"""The two ways to a server, for a client that expects it to die at any moment: REST and the event stream."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.journeys.harness import Key
from tests.journeys.test_keys import auth_fields

ANSWER_S = 8.0
"""A client waits longer than the server, which says after 5 s that it does not know."""

OPEN_S = 3.0

AGAIN_S = (0.05, 0.4)
"""Before a client tries again: many of them that never pause would keep a server from starting."""

GONE = (OSError, TimeoutError, EOFError, WebSocketException, InvalidHandshake)
"""What a client meets when a server dies."""


class NoAnswer(Exception):
    """Nobody knows what became of a request."""


class NotSent(NoAnswer):
    """There was nobody to send it to: it has not happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server has said: the result's JSON text with its keys in their order, or (`code`) why it refuses."""

    text: str = ""
    code: str = ""

    @property
    def data(self) -> Any:
        return json.loads(self.text)

    @property
    def brief(self) -> str:
        return self.code or str(self.data.get("id", "done"))


def spelled(data: Any) -> str:
    """Return JSON with its keys as they came, so that two answers can be compared whatever way they came."""
    return json.dumps(data, separators=(",", ":"))


def answered(code: str) -> Answer:
    """Return a refusal; raises `NoAnswer` for one that says that the outcome is not known."""
    if code == "unavailable":
        raise NoAnswer(code)
    return Answer(code=code)


# ---- REST


async def rest(port: int, method: str, path: str, secret: str, body: Mapping[str, Any] | None = None) -> Answer:
    """Make a REST call; raises `NoAnswer`."""
    try:
        async with asyncio.timeout(ANSWER_S):
            status, text = await _http(port, method, path, secret, body)
    except ConnectionRefusedError as error:
        raise NotSent from error
    except GONE as error:
        raise NoAnswer(type(error).__name__) from error
    data = json.loads(text)
    return Answer(spelled(data)) if status == 200 else answered(data["code"])


def query(path: str, **params: object) -> str:
    """Return a path of the demo account with its query string."""
    return f"{path}?{urlencode({'demo': 'true', **params})}"


async def _http(port: int, method: str, path: str, secret: str, body: Mapping[str, Any] | None) -> tuple[int, bytes]:
    """Send a request on a connection of its own; return the status and the whole body, or raise one of `GONE`."""
    content = b"" if body is None else json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + content)
        status_line, _, fields = (await reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")
        lengths = [line for line in fields.lower().splitlines() if line.startswith("content-length:")]
        return int(status_line.split()[1]), await reader.readexactly(int(lengths[0].split(":")[1]))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


# ---- the event stream


async def open_stream(port: int) -> ClientConnection:
    url = f"ws://127.0.0.1:{port}/ws/events"
    # proxy: looking for one reads the whole environment, at every attempt.
    return await connect(url, open_timeout=OPEN_S, close_timeout=0.5, max_queue=None, proxy=None)


async def subscribe(stream: ClientConnection, key: Key, channels: list[str], **fields: Any) -> dict[str, Any]:
    """Subscribe, authenticated; return the reply, an error too."""
    message = {"type": "subscribe", "channels": channels, "auth": auth_fields(key), **fields}
    await stream.send(json.dumps(message))
    while True:
        reply = await next_message(stream)
        if "type" in reply:
            return reply


async def next_message(stream: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(ANSWER_S):
        message: dict[str, Any] = json.loads(await stream.recv())
    return message
