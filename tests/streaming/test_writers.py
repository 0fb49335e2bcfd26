"""The way out without a direct one to the socket: in order, bounded, and closed last."""

import asyncio

from streaming.frames import text_frame
from streaming.writers import QueueWriter


class StuckServer:
    """A server whose `send` waits until it is let go."""

    def __init__(self):
        self.sent = []
        self.room = asyncio.Event()

    async def send(self, message):
        await self.room.wait()
        self.sent.append(message.get("text", message["type"]))


async def test_the_queue_to_a_slow_server_is_bounded_and_reports_when_it_is_empty():
    server = StuckServer()
    writer = QueueWriter(server.send)
    drained = asyncio.Event()
    writer.on_drained(drained.set)
    for number in range(QueueWriter.MAX_PENDING):
        assert not writer.blocked
        writer.write(text_frame(b"%d" % number))
    full = writer.blocked
    server.room.set()
    await asyncio.wait_for(drained.wait(), 2)
    assert (full, writer.blocked) == (True, False)
    assert server.sent == [str(number) for number in range(QueueWriter.MAX_PENDING)]


async def test_closing_comes_behind_what_is_on_its_way():
    server = StuckServer()
    writer = QueueWriter(server.send)
    writer.write(text_frame(b"last words"))
    closing = asyncio.ensure_future(writer.close(lambda: server.send({"type": "websocket.close"})))
    server.room.set()
    await closing
    assert server.sent == ["last words", "websocket.close"]
