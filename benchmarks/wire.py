"""A WebSocket client that costs next to nothing, so that what is measured is the server."""

import asyncio
import base64
import os
from collections.abc import Callable

_MASKED = 0x80
_NO_MASK = b"\0\0\0\0"
"""A masking key of zeros is a valid one (RFC 6455, 5.3), and leaves the payload as it is."""


class Connection(asyncio.Protocol):
    """One connection: `send` writes a text message, `received` is called with every one that comes."""

    def __init__(self, path: str, received: Callable[[bytes], None]) -> None:
        self._path = path
        self._received = received
        self._buffer = b""
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    @classmethod
    async def connect(cls, port: int, path: str, received: Callable[[bytes], None]) -> "Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: cls(path, received), "127.0.0.1", port)
        await connection._open
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open.done():
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise ConnectionError(head.decode("latin-1"))
            self._buffer = rest
            self._open.set_result(None)
        self._read_frames()

    def _read_frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(buffer[start : start + 2]), start + 2
            elif length == 127:
                length, start = int.from_bytes(buffer[start : start + 8]), start + 8
            if len(buffer) < start + length:
                break
            opcode, payload = buffer[at] & 0x0F, buffer[start : start + length]
            at = start + length
            if opcode == 1:
                self._received(payload)
            elif opcode == 9:
                self._frame(0x8A, payload)
        self._buffer = buffer[at:]

    def send(self, text: bytes) -> None:
        self._frame(0x81, text)

    def close(self) -> None:
        self._transport.close()

    def _frame(self, first: int, payload: bytes) -> None:
        length = len(payload)
        long = length >= 126
        size = b"" if not long else length.to_bytes(2)
        self._transport.write(bytes((first, _MASKED | (126 if long else length))) + size + _NO_MASK + payload)
