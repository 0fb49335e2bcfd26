"""Daphne, hardened: bounds both ways, close codes with reasons, a clean end, and a direct way to the socket.

Stock Daphne 4.2 buffers without bound in both directions, cannot send 1012 nor a reason, leaves half-sent headers open
for ever, and cuts sockets on SIGTERM. Each override below says which of these it mends; `tests/journeys/test_server.py`
has a test for each that fails on stock Daphne.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

from daphne.server import Server as DaphneServer  # isort: skip  # first: it installs the asyncio reactor
from autobahn.twisted import websocket as autobahn_twisted
from autobahn.websocket import protocol as autobahn_protocol
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer, reactor
from twisted.internet.protocol import connectionDone
from twisted.logger import globalLogBeginner
from twisted.web.http import HTTPChannel

from accounts.errors import TOO_LARGE
from streaming.direct import EXTENSION, Direct, DirectWriter
from streaming.frames import whole_text

logger = logging.getLogger(__name__)

BACKLOG = 4096
"""Connects waiting for accept: Twisted's 50 loses SYNs in a reconnect storm, each costing the client a second."""

MAX_MESSAGE_BYTES = 64 * 1024
"""A client's largest message: 1,000 products in one subscribe of the event stream take 25 KB."""

MAX_UNREAD_MESSAGES = 32
"""Messages waiting for the application before reading from the socket pauses."""

MAX_BODY_BYTES = 1024 * 1024
"""A request's body; Daphne would spool 200 MB to a URL that answers 404."""

HEADER_DEADLINE_S = 10
"""From connect to the end of the first request's headers; Twisted's own timer restarts with every byte."""

SEND_BUFFER_BYTES = 64 * 1024
"""SO_SNDBUF: with the kernel's own tuning a stalled client hides megabytes of stale prices."""

PING_INTERVAL_S = 20
PING_TIMEOUT_S = 30
DRAIN_S = 8
"""How long closing handshakes and running requests may take when the server ends."""


class Protocol(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """One WebSocket."""

    data: bytes  # received and not yet read (Autobahn's)
    _paused = False
    _writer: DirectWriter | None = None

    def onConnect(self, request: Any) -> Any:
        # A client must not be able to move the prefix of our redirects.
        request.headers.pop("daphne-root-path", None)
        self.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return super().onConnect(request)

    def direct_writer(self) -> DirectWriter | None:
        """Return this connection's direct way out, or None where frames go through Autobahn, or nowhere any more."""
        if self._writer is None and self.transport.connected and not (self._perMessageCompress or self.transport.TLS):
            # twisted.web would stay registered and stop reading from a client that reads slowly.
            self.transport.unregisterProducer()
            self._writer = DirectWriter(self)
        return self._writer

    def connectionLost(self, reason: Any = connectionDone) -> None:
        super().connectionLost(reason)
        # Each of them holds this in turn: without them it goes with its last use, not with a garbage collection, which
        # holds the loop for 0.2 s where thousands of connections come and go.
        self._writer = self.is_closed = None

    def dataReceived(self, data: bytes) -> None:
        # Autobahn's own makes a line for its log first, and throws it away.
        self._dataReceived(data)

    def processData(self) -> bool:
        """Take a text that is there in one frame; Autobahn, which costs ten times as much, sees to everything else."""
        if self.state == self.STATE_OPEN and self.current_frame is None and not self.inside_message:
            found = whole_text(self.data, MAX_MESSAGE_BYTES)
            if found is not None:
                text, end = found
                self.data = self.data[end:]
                self._received(text)
                return len(self.data) > 0
        return bool(super().processData())

    def sendData(self, *data: Any, **options: Any) -> None:
        """Everything that Autobahn writes comes by here."""
        if self._writer is not None:
            self._writer.look_again()
        super().sendData(*data, **options)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if isBinary:
            super().onMessage(payload, isBinary)
            self._pause_when_behind()
        else:
            self._received(payload.decode())

    def _received(self, text: str) -> None:
        if not self.muted:
            self.last_ping = time.time()
            self.application_queue.put_nowait({"type": "websocket.receive", "text": text})
            self._pause_when_behind()

    def _pause_when_behind(self) -> None:
        # Daphne's queue has no bound: stop reading, so that TCP tells the client to wait.
        if self.application_queue.qsize() >= MAX_UNREAD_MESSAGES and not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def taken(self) -> None:
        """Go on reading when the application has caught up."""
        if self._paused and self.application_queue.qsize() < MAX_UNREAD_MESSAGES // 2:
            self._paused = False
            if self.transport.connected:
                self.transport.resumeProducing()

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            self.close(message.get("code") or 1000, message.get("reason") or "")
        elif message["type"] == "websocket.send" and self.state == self.STATE_OPEN:
            # Daphne drops empty messages.
            binary = message.get("bytes") is not None
            self.sendMessage(message["bytes"] if binary else message["text"].encode(), binary)
        elif self.state not in (self.STATE_CLOSING, self.STATE_CLOSED):
            super().handle_reply(message)

    def close(self, code: int, reason: str) -> None:
        """Close with any code and its reason: Autobahn's `sendClose` refuses 1012 and Daphne drops the reason."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, reasonUtf8=reason.encode(), isReply=False)

    def _max_message_size_exceeded(self, _size: int, _limit: int, _reason: str) -> None:
        self._fail_connection(TOO_LARGE.code, TOO_LARGE.reason)


class Request(WebRequest):  # type: ignore[misc]  # Daphne has no types
    """One HTTP request, or the handshake of a WebSocket."""

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        if self.content is not None and self.content.tell() + len(data) > MAX_BODY_BYTES:
            self._refuse_body()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        self.requestHeaders.removeHeader(b"daphne-root-path")
        processed = super().process()
        if self.transport is None:
            # It has become a WebSocket: the channel, which held this, has come to its end.
            self.channel.requests.clear()
        return processed

    def _refuse_body(self) -> None:
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        self.channel.loseConnection()


class Channel(HTTPChannel):  # type: ignore[misc]  # Twisted's class attributes confuse mypy
    """One HTTP connection: its first headers have an absolute deadline."""

    requestFactory = Request

    def connectionMade(self) -> None:
        super().connectionMade()
        self._header_deadline = reactor.callLater(HEADER_DEADLINE_S, self.forceAbortClient)

    def allHeadersReceived(self) -> None:
        self._cancel_deadline()
        super().allHeadersReceived()

    def connectionLost(self, reason: Any) -> None:
        self._cancel_deadline()
        super().connectionLost(reason)

    def _cancel_deadline(self) -> None:
        if self._header_deadline.active():
            self._header_deadline.cancel()


class Connections(WebSocketFactory):  # type: ignore[misc]  # Daphne has no types
    protocol = Protocol


class Requests(HTTPFactory):  # type: ignore[misc]  # Daphne has no types
    protocol = Channel

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel


class Server(DaphneServer):  # type: ignore[misc]  # Daphne has no types
    """The one server. `on_stop` is awaited once when it ends, before what is still open is cut."""

    def __init__(self, application: Any, *, on_stop: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            application,
            endpoints=["adopted"],
            websocket_timeout=-1,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            verbosity=0,
            server_name="",
        )
        self.connections: dict[Any, dict[str, Any]] = {}
        self.failed = False
        self._on_stop = on_stop

    def run(self, listening: socket.socket, ready: Callable[[], Awaitable[None]]) -> None:
        """Serve on a listening socket until a signal ends it; `ready` is awaited before the first accept."""
        # Autobahn formats all its options for a debug line that is never printed: half of a handshake's time. And it
        # colours what it names in such lines: a twentieth of a connection's.
        autobahn_protocol.pformat = repr
        for module in (autobahn_protocol, autobahn_twisted):
            module.hltype = module.hlval = _uncoloured
        globalLogBeginner.beginLoggingTo([lambda _: None], redirectStandardIO=False, discardBuffer=True)
        self.http_factory = Requests(self)
        self.ws_factory = Connections(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=MAX_MESSAGE_BYTES,
            maxFramePayloadSize=MAX_MESSAGE_BYTES,
            # A protocol error gets its close code instead of a cut connection.
            failByDrop=False,
        )
        loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.addSystemEventTrigger("before", "shutdown", self._stopped)
        reactor.callWhenRunning(lambda: loop.create_task(self._start(listening, ready)))
        reactor.run()

    async def _start(self, listening: socket.socket, ready: Callable[[], Awaitable[None]]) -> None:
        try:
            await ready()
        except Exception:
            logger.exception("Tickwire could not start")
            self.failed = True
            reactor.stop()
            return
        self._port = reactor.adoptStreamPort(listening.fileno(), listening.family, self.http_factory)
        listening.close()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, Protocol):
            scope["extensions"] = {EXTENSION: Direct(protocol)}
        return super().create_application(protocol, scope)

    def _stopped(self) -> Any:
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        """Let everybody close in order, then cut what is left; Daphne would cut at once, without a close frame."""
        if hasattr(self, "_port"):
            self._port.stopListening()
        try:
            await self._on_stop()
        except Exception:
            logger.exception("Tickwire did not end in order")
        running = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details
        ]
        if running:
            _, late = await asyncio.wait(running, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _uncoloured(value: Any, **_: Any) -> Any:
    return value


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a listening socket; `shared` lets several processes of ours accept on one port. Raises `OSError`."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(address)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening
