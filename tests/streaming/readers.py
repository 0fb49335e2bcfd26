"""Readers of a hub without sockets: an event loop that a test turns by hand, and a way out that can be stopped up."""

import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable

from accounts.errors import Close
from streaming.dialects import EVENT_STREAM
from streaming.frames import payloads, text_frame
from streaming.hub import Hub
from streaming.sink import Sink
from tests.streaming.nodes import FixedCatalogue


class Loop:
    """What a hub needs of an event loop. Its time stands still unless a test lets it pass."""

    def __init__(self):
        self.now_s = 0.0
        self._soon: deque[Callable[[], None]] = deque()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def call_soon(self, call):
        self._soon.append(call)

    def call_later(self, delay_s, call):
        heapq.heappush(self._later, (self.now_s + delay_s, next(self._count), call))

    def turn(self):
        """Run what is ready now, not what that makes ready."""
        for _ in range(len(self._soon)):
            self._soon.popleft()()

    def run(self):
        while self._soon:
            self.turn()

    def wait(self, seconds):
        """Let time pass, with everything that is due on the way."""
        end_s = self.now_s + seconds
        self.run()
        while self._later and self._later[0][0] <= end_s:
            self.now_s, _, call = heapq.heappop(self._later)
            call()
            self.run()
        self.now_s = end_s


class Pipe:
    """A writer that is blocked when the test says so, or when its room (in writes) is used up."""

    def __init__(self, loop):
        self.blocked = False
        self.room = None
        self.written = []  # (time, message)
        self.writes = 0
        self._loop = loop

    def write(self, frames):
        assert not self.blocked, "written to a blocked writer"
        self.writes += 1
        self.written += [(self._loop.now_s, json.loads(text)) for text in payloads(frames)]
        if self.room is not None:
            self.room -= 1
            self.blocked = self.room <= 0


class Reader:
    """One connection: its sink, and what has come out of it."""

    def __init__(self, loop, dialect=EVENT_STREAM):
        self.pipe = Pipe(loop)
        self.closed_with: list[Close] = []
        self.sink = Sink(self.pipe, self._end)
        self.sink.dialect = dialect

    def _end(self, close):
        self.closed_with.append(close)
        self.sink.closed = True

    @property
    def messages(self):
        return [message for _, message in self.pipe.written]

    def tell(self, fields):
        """Send a control message."""
        self.sink.send(text_frame(json.dumps(fields).encode()))

    def block(self):
        self.pipe.blocked = True

    def drain(self, room=None):
        """Give the reader room for some writes, or for all."""
        self.pipe.room = room
        self.pipe.blocked = False
        self.sink.drained()


def make_hub(loop, on_topics=lambda topic, wanted: None):
    return Hub(
        FixedCatalogue(),
        call_soon=loop.call_soon,
        call_later=loop.call_later,
        on_topics=on_topics,
        now_s=lambda: loop.now_s,
    )


def serial_of(message):
    """Return a quote's time, which the tests use as its number."""
    return message["time"] if "symbol" in message else message["data"][5]
