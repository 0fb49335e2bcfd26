"""The direct way to a connection's socket, past Autobahn and Twisted, for ready frames. The server offers it."""

from collections.abc import Awaitable, Callable
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

EXTENSION = "tickwire.frames"
"""ASGI scope extension: `scope["extensions"]["tickwire.frames"]` is a `Direct`."""


class Direct:
    """What the scope extension offers of one connection."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def writer(self) -> "DirectWriter | None":
        """Return the connection's direct way out, or None where frames must go through the server's own path."""
        writer: DirectWriter | None = self._protocol.direct_writer()
        return writer

    @property
    def transport(self) -> Any:
        """The connection's way to the client, for figures about it."""
        return self._protocol.transport

    def taken(self) -> None:
        """Tell the server that the application has taken a message off its queue."""
        self._protocol.taken()


class DirectWriter:
    """Writes frames to the socket at once while Twisted holds nothing of this connection, else behind what it holds.

    Offered for plain TCP without compression only: TLS and permessage-deflate need Autobahn's own path.
    """

    __slots__ = ("_is_direct", "_on_drained", "_protocol", "_send", "_transport", "blocked")

    def __init__(self, protocol: Any) -> None:
        self.blocked = False
        # Whether nothing has come between since it was looked at: looking touches a dozen places in memory, a flag one.
        self._is_direct = False
        self._protocol = protocol
        self._transport = protocol.transport
        self._send = protocol.transport.socket.send
        self._on_drained: Callable[[], None] = lambda: None

    def on_drained(self, call: Callable[[], None]) -> None:
        """Say what to call whenever a blocked writer has room again."""
        self._on_drained = call

    def write(self, frames: bytes) -> None:
        """Send the frames; what the socket does not take now goes to Twisted's buffer and blocks this writer."""
        if not self._is_direct and not self._way_is_free(frames):
            return
        try:
            sent = self._send(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The connection is gone; Twisted finds out in this turn and tells the application.
            return
        if sent < len(frames):
            self._transport.write(frames[sent:])
            self._block()

    def look_again(self) -> None:
        """Something else was written: a control frame, which Twisted may hold still, or the last frame of all."""
        self._is_direct = False

    def _way_is_free(self, frames: bytes) -> bool:
        """Look whether frames may go to the socket; otherwise put them behind what Twisted holds, or drop them."""
        transport = self._transport
        if self._protocol.state != WebSocketProtocol.STATE_OPEN:
            return False
        if transport.dataBuffer or transport._tempDataBuffer:
            transport.write(frames)
            self._block()
            return False
        self._is_direct = True
        return True

    async def close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Close behind what is written; Twisted keeps the order."""
        await close()

    def _block(self) -> None:
        self._is_direct = False
        if not self.blocked:
            self.blocked = True
            self._transport.registerProducer(_Drained(self), False)

    def _resume(self) -> None:
        self._transport.unregisterProducer()
        self.blocked = False
        self._on_drained()


class _Drained:
    """A Twisted pull producer that produces nothing: being asked for more means that the buffer is empty."""

    def __init__(self, writer: DirectWriter) -> None:
        self._writer = writer
        # Twisted asks once on registering, before anything has left.
        self._registering = True

    def resumeProducing(self) -> None:
        if self._registering:
            self._registering = False
        else:
            self._writer._resume()

    def stopProducing(self) -> None:
        pass
