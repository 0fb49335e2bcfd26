"""Small clients in the words of the two documents, over the websocket-client library."""

import json
import time
from typing import Any, Self

import websocket

WAIT_S = 10


class Client:
    """One connection that reads and writes JSON messages."""

    def __init__(self, url: str, **options: Any) -> None:
        self.ws = websocket.create_connection(url, timeout=WAIT_S, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ws.close()

    def send(self, message: Any) -> None:
        self.ws.send(message if isinstance(message, str) else json.dumps(message))

    def next(self, within_s: float = WAIT_S) -> dict[str, Any]:
        """Return the next message; raises `WebSocketTimeoutException` or `WebSocketConnectionClosedException`."""
        self.ws.settimeout(within_s)
        message: dict[str, Any] = json.loads(self.ws.recv())
        return message

    def until(self, within_s: float = WAIT_S, **wanted: Any) -> dict[str, Any]:
        """Return the first message that has these fields with these values."""
        deadline_s = time.monotonic() + within_s
        while True:
            message = self.next(max(0.01, deadline_s - time.monotonic()))
            if wanted.items() <= message.items():
                return message

    def ask(self, message: dict[str, Any] | str, **wanted: Any) -> dict[str, Any]:
        """Send a message and return its reply: the first message with a `type` that is no tick and no status."""
        self.send(message)
        while True:
            reply = self.next()
            if reply.get("type", "tick") not in ("tick", "status") and wanted.items() <= reply.items():
                return reply

    def closed(self, within_s: float = WAIT_S) -> tuple[int, str]:
        """Read up to the close frame; return its code and reason."""
        self.ws.settimeout(within_s)
        while True:
            # Frame by frame: the library would answer, and fail where the server has not waited for that.
            frame = self.ws.recv_frame()
            if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(frame.data[:2]), frame.data[2:].decode()


def tick_client(server: Any, secret: str, path: str = "/ws/ticks") -> Client:
    """Return a tick-stream connection that is authenticated."""
    client = Client(server.ws_url + path)
    assert client.next()["type"] == "welcome"
    assert client.ask({"type": "auth", "apiKey": secret})["success"] is True
    return client


def event_client(server: Any, *channels: str, path: str = "/ws/events", **fields: Any) -> Client:
    """Return an event-stream connection that is subscribed to the channels."""
    client = Client(server.ws_url + path)
    reply = client.ask({"type": "subscribe", "channels": list(channels), **fields})
    assert reply["type"] == "subscribed", reply
    return client
