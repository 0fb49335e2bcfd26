"""One connection's way out: numbers events, holds the newest while the reader is slow, never waits."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from accounts.errors import SLOW_CONSUMER, Close
from engine.values import Candle
from streaming.dialects.base import Dialect
from streaming.frames import Batch, Encoded, Numbered
from streaming.messages import News

MAX_HELD = 20_000
"""Newest-per-topic events held for a reader that does not read: 8,000 subscriptions and the candles that closed."""

MAX_QUEUED = 1_000
"""Messages that may not be conflated (replies, private events) queued for such a reader before it is closed."""


class Writer(Protocol):
    """Takes ready frames without waiting. `blocked` from the first byte that the peer has no room for until drained."""

    blocked: bool

    def write(self, frames: bytes) -> None: ...


class Part(Protocol):
    """A topic's events of one loop turn."""

    topic: str
    news: list[News]
    batch: Batch


class Sink:
    """Stamps the sequence at the moment of writing, so that what is conflated leaves no gap.

    `end` closes the connection; it is called when too much waits here.
    """

    __slots__ = ("_held", "_on_room", "_queue", "closed", "conflated", "dialect", "end", "sequence", "writer")

    def __init__(self, writer: Writer, end: Callable[[Close], None]) -> None:
        self.writer = writer
        self.dialect: Dialect | None = None
        self.sequence = 0
        self.conflated = 0
        self.closed = False
        # what may be replaced -> its newest event, in the order of arrival
        self._held: dict[object, Encoded] = {}
        self._queue: deque[Encoded] = deque()
        self._on_room: dict[Callable[[], None], None] = {}
        self.end = end

    def send(self, *encoded: Encoded) -> None:
        """Write messages that must not be lost: at once and in one piece, or first when the reader has room again."""
        if self.closed or not encoded:
            return
        if self.writer.blocked:
            self._queue.extend(encoded)
            if len(self._queue) > MAX_QUEUED:
                self.end(SLOW_CONSUMER)
            return
        self.writer.write(b"".join([self._stamped(ready) for ready in encoded]))

    def deliver(self, topic: str, news: Sequence[News], batch: Batch) -> None:
        """Write a topic's events of one loop turn; `batch` is what they are in this reader's dialect."""
        if self.closed:
            return
        if self.writer.blocked:
            for item, ready in zip(news, batch.encoded, strict=True):
                self._hold(_replaceable(topic, item), ready)
            return
        if batch.numbered:
            # Nearly all stand where somebody stood before: then a look saves the call.
            at = self.sequence
            frames, self.sequence = batch.known.get(at) or batch.after(at)
            self.writer.write(frames)
        else:
            self.writer.write(batch.plain)

    def deliver_together(self, parts: Sequence[Part]) -> None:
        """Write the events of several topics of one loop turn in one piece."""
        if self.closed or not parts:
            return
        if self.writer.blocked or len(parts) == 1:
            for part in parts:
                self.deliver(part.topic, part.news, part.batch)
            return
        together = []
        for part in parts:
            frames, self.sequence = part.batch.after(self.sequence)
            together.append(frames)
        self.writer.write(b"".join(together))

    def drained(self) -> None:
        """Write what was queued and held, as far as the reader takes it now."""
        while self._queue and not self._stuck():
            self.writer.write(self._stamped(self._queue.popleft()))
        while self._held and not self._stuck():
            self.writer.write(self._stamped(self._held.pop(next(iter(self._held)))))
        while self._on_room and not self._stuck():
            call = next(iter(self._on_room))
            del self._on_room[call]
            call()

    def when_free(self, call: Callable[[], None]) -> None:
        """Call this once, when everything that waits here has been written."""
        self._on_room[call] = None

    @property
    def held(self) -> int:
        """How many events and replies wait here for the reader."""
        return len(self._held) + len(self._queue)

    def forget(self, topic: str) -> None:
        """Drop what is held of a topic that the client has left."""
        for key in [key for key in self._held if key == topic or (isinstance(key, tuple) and key[0] == topic)]:
            del self._held[key]

    def _stuck(self) -> bool:
        return self.closed or self.writer.blocked

    def _hold(self, key: object, encoded: Encoded) -> None:
        if self._held.pop(key, None) is not None:
            self.conflated += 1
        self._held[key] = encoded
        if len(self._held) > MAX_HELD:
            self.end(SLOW_CONSUMER)

    def _stamped(self, encoded: Encoded) -> bytes:
        if isinstance(encoded, Numbered):
            self.sequence += 1
            return encoded.frame(self.sequence)
        return encoded


def _replaceable(topic: str, news: News) -> object:
    """Return what a newer event may replace: the topic's last one, but never a closed candle."""
    if isinstance(news, Candle) and news.closed:
        return (topic, news.start_s)
    return topic
