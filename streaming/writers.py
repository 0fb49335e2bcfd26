"""The way out where there is no direct one to the socket (`direct.py`): any ASGI server, TLS, compression."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from streaming.frames import payloads


class QueueWriter:
    """The way out on any ASGI server: the same bytes, unwrapped to messages, one `send` at a time."""

    MAX_PENDING = 256
    """Messages on their way before the sink holds the newest only: what a server buffers is out of our hands."""

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self.blocked = False
        self._send = send
        self._pending: deque[str] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._on_drained: Callable[[], None] = lambda: None

    def on_drained(self, call: Callable[[], None]) -> None:
        self._on_drained = call

    def write(self, frames: bytes) -> None:
        self._pending.extend(payloads(frames))
        self.blocked = len(self._pending) >= self.MAX_PENDING
        if self._pump is None or self._pump.done():
            self._pump = asyncio.ensure_future(self._send_pending())

    async def close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Close behind what is on its way."""
        if self._pump is not None:
            await self._pump
        await close()

    async def _send_pending(self) -> None:
        while self._pending:
            await self._send({"type": "websocket.send", "text": self._pending.popleft()})
            if self.blocked and not self._pending:
                self.blocked = False
                self._on_drained()
