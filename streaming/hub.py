"""Per process: topic -> connections. An event is encoded once per dialect and leaves in one write per connection and
loop turn.

Everything here runs on the event loop and nothing waits: a source calls `publish`, the frames leave in the same or the
next turn. What comes while a flush is running leaves together with the next one, so load makes batches by itself.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from engine.values import Candle
from streaming.dialects.base import Catalogue, Dialect
from streaming.frames import Batch
from streaming.messages import Heartbeat, News, Overview
from streaming.sink import Sink
from streaming.topics import topic_of

CHUNK = 100
"""Connections written to before the loop turns: about 0.8 ms, so that a private event never waits for a whole flush. A
hundred readers have their tick before anything else is done of it."""

PAUSE_S = 0.002
"""After so long without a flush an event does not wait for the end of its turn: its first chunk leaves before what its
source does behind it. Where events come more often, what they would gain is lost with the batches that turns make.
"""

MAX_PENDING = 1_000
"""Events of one topic that wait for the previous flush: beyond it this process is overloaded and the newest wins."""

MERGED = 10_000
"""Deliveries of several topics that are put together by connection, about 2 ms of work; the others follow."""

_NEVER = 1 << 63
"""The number of a join that is not there: after every job."""

_HEARTBEAT = "heartbeat"
"""What stands for a topic where a slow reader's heartbeats are concerned: the newest one is enough."""


@dataclass(slots=True)
class _Job:
    """A batch of one topic for the connections of one dialect, as far as `at`.

    `number` is of the last join before it, `changes` how often the room's members had changed.
    """

    number: int
    changes: int
    room: "_Room"
    topic: str
    members: dict[Sink, int]
    sinks: list[Sink]
    news: list[News]
    batch: Batch
    at: int = 0

    def advance(self, limit: int) -> tuple[int, int]:
        """Deliver to the next connections; return how many they were, and how many events."""
        sinks = self.sinks[self.at : self.at + limit]
        self.at += len(sinks)
        topic, news, batch = self.topic, self.news, self.batch
        for sink in sinks if self.room.changes == self.changes else filter(self.concerns, sinks):
            sink.deliver(topic, news, batch)
        return len(sinks), len(sinks) * len(news)

    def concerns(self, sink: Sink) -> bool:
        """Tell whether a connection is still to get this.

        Who left since must get nothing behind the confirmation of it; who left and came back, nothing older than the
        last known event, with which that began.
        """
        return self.members.get(sink, _NEVER) <= self.number


class _MergedJob:
    """What jobs of several topics of one turn have for the connections that read more than one of them."""

    __slots__ = ("_jobs", "at", "sinks")

    def __init__(self, by_sink: Mapping[Sink, list[_Job]]) -> None:
        self.sinks = list(by_sink)
        self.at = 0
        self._jobs = list(by_sink.values())

    def advance(self, limit: int) -> tuple[int, int]:
        begin, end = self.at, min(self.at + limit, len(self.sinks))
        self.at, delivered = end, 0
        for sink, jobs in zip(self.sinks[begin:end], self._jobs[begin:end], strict=True):
            parts = [job for job in jobs if job.room.changes == job.changes or job.concerns(sink)]
            sink.deliver_together(parts)
            for job in parts:
                delivered += len(job.news)
        return end - begin, delivered


class _Room:
    """One topic: its members by dialect, with the numbers of their joins, and what is published but not yet flushed."""

    __slots__ = ("changes", "members", "pending", "slow_lanes", "topic", "turn")

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.changes = 0
        self.members: dict[Dialect, dict[Sink, int]] = {}
        self.slow_lanes: dict[int, _SlowLane] = {}
        self.pending: list[News] = []
        self.turn = 0

    @property
    def empty(self) -> bool:
        return not any(self.members.values()) and not self.slow_lanes


class _SlowLane:
    """The members of a topic who asked for at most one event per interval: the newest one, and always the last."""

    __slots__ = ("cooling", "interval_ms", "members", "newcomers", "newest", "owed")

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self.members: dict[Sink, None] = {}
        # Joined during the running interval with the last known event in hand: not due before the next one.
        self.newcomers: dict[Sink, None] = {}
        self.newest: News | None = None
        self.owed: tuple[dict[Sink, None], News] | None = None
        self.cooling = False


class Hub:
    """`on_topics` is told of every topic that gets its first or loses its last connection."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], object],
        on_topics: Callable[[str, bool], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rooms: dict[str, _Room] = {}
        self.delivered = 0
        self.overrun = 0
        self._catalogue = catalogue
        self._call_soon = call_soon
        self._call_later = call_later
        self._on_topics = on_topics
        self._now_s = now_s
        self._flushed_s = now_s()
        self._dirty: list[_Room] = []
        self._jobs: deque[_Job | _MergedJob] = deque()
        self._scheduled = False
        self._joins = 0

    # ---- membership

    def join(self, sink: Sink, topic: str, interval_ms: int = 0) -> None:
        """Deliver the topic to this connection from now on; a second join only changes the interval."""
        self.leave(sink, topic)
        room = self.rooms.get(topic)
        if room is None:
            room = self.rooms[topic] = _Room(topic)
            self._on_topics(topic, True)
        # What is pending was published before: it belongs to those who are here, the newcomer gets the last known.
        self._begin(room)
        if self._jobs:
            self._schedule()
        if interval_ms:
            lane = room.slow_lanes.setdefault(interval_ms, _SlowLane(interval_ms))
            (lane.newcomers if lane.cooling else lane.members)[sink] = None
            if not lane.cooling:
                self._cool(room, lane)
        else:
            assert sink.dialect is not None
            self._joins += 1
            room.changes += 1
            room.members.setdefault(sink.dialect, {})[sink] = self._joins

    def leave(self, sink: Sink, topic: str) -> None:
        room = self.rooms.get(topic)
        if room is None:
            return
        room.changes += 1
        for members in room.members.values():
            members.pop(sink, None)
        for lane in list(room.slow_lanes.values()):
            lane.members.pop(sink, None)
            lane.newcomers.pop(sink, None)
            if not lane.members and not lane.newcomers:
                del room.slow_lanes[lane.interval_ms]
        sink.forget(topic)
        if room.empty:
            del self.rooms[topic]
            self._on_topics(topic, False)

    # ---- delivery

    def publish(self, topic: str, news: News) -> None:
        """Send an event to the topic's connections; returns at once."""
        room = self.rooms.get(topic)
        if room is None:
            return
        is_first = not room.pending
        if len(room.pending) >= MAX_PENDING:
            self.overrun += len(room.pending)
            room.pending = [item for item in room.pending if isinstance(item, Candle) and item.closed]
        room.pending.append(news)
        for lane in room.slow_lanes.values():
            self._offer(room, lane, news)
        if is_first:
            self._dirty.append(room)
            if not self._scheduled:
                self._start()

    def emit(self, sink: Sink, news: News) -> None:
        """Send an event to one connection: a heartbeat, the last known of a topic.

        A newer one may take its place, like any other event's: a thousand last quotes at once make no reader slow.
        """
        assert sink.dialect is not None
        self.delivered += 1
        topic = _HEARTBEAT if isinstance(news, Heartbeat | Overview) else topic_of(news)
        sink.deliver(topic, [news], Batch([sink.dialect.encode(news, self._catalogue)]))

    def _start(self) -> None:
        """Write at once after a pause, else at the end of the turn."""
        if self._now_s() - self._flushed_s >= PAUSE_S:
            self._flush()
        else:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._flush)

    def _flush(self) -> None:
        """Write the next chunk; come again while anything is left."""
        self._scheduled = False
        if not self._jobs:
            dirty, self._dirty = self._dirty, []
            for room in dirty:
                self._begin(room)
            if len(self._jobs) > 1:
                self._jobs = _merged(self._jobs)
        left = CHUNK
        while self._jobs and left > 0:
            job = self._jobs[0]
            written, delivered = job.advance(left)
            left -= written
            self.delivered += delivered
            if job.at >= len(job.sinks):
                self._jobs.popleft()
        self._flushed_s = self._now_s()
        if self._jobs or self._dirty:
            self._schedule()

    def _begin(self, room: _Room) -> None:
        """Turn what is pending into one job per dialect, encoded once for all its readers."""
        if not room.pending:
            return
        news, room.pending = room.pending, []
        for dialect, members in room.members.items():
            if not members:
                continue
            batch = Batch([dialect.encode(item, self._catalogue) for item in news])
            sinks = self._rotated(room, list(members))
            self._jobs.append(_Job(self._joins, room.changes, room, room.topic, members, sinks, news, batch))

    def _rotated(self, room: _Room, sinks: list[Sink]) -> list[Sink]:
        """Start each time a chunk further on, so that nobody is always last."""
        if len(sinks) <= CHUNK:
            return sinks
        room.turn = (room.turn + CHUNK) % len(sinks)
        return sinks[room.turn :] + sinks[: room.turn]

    # ---- conflation

    def _offer(self, room: _Room, lane: _SlowLane, news: News) -> None:
        if lane.cooling:
            lane.newest = news
        else:
            self._deliver(room, lane.members, news)
            self._cool(room, lane)

    def _cool(self, room: _Room, lane: _SlowLane) -> None:
        lane.cooling = True
        self._call_later(lane.interval_ms / 1000, lambda: self._warm(room, lane))

    def _warm(self, room: _Room, lane: _SlowLane) -> None:
        """An interval has passed: the newest leaves, newcomers become members.

        A newcomer has had the last known event within this interval, so the newest is owed to it at the next one.
        """
        lane.cooling = False
        newcomers, lane.newcomers = lane.newcomers, {}
        owed, lane.owed = lane.owed, None
        if lane.newest is not None:
            news, lane.newest = lane.newest, None
            self._deliver(room, lane.members, news)
            lane.owed = (newcomers, news)
        elif owed is not None:
            self._deliver(room, [sink for sink in owed[0] if sink in lane.members], owed[1])
        lane.members |= newcomers
        if lane.owed or owed or newcomers:
            self._cool(room, lane)

    def _deliver(self, room: _Room, sinks: Iterable[Sink], news: News) -> None:
        by_dialect: dict[Dialect, Batch] = {}
        for sink in sinks:
            assert sink.dialect is not None
            batch = by_dialect.get(sink.dialect)
            if batch is None:
                batch = by_dialect[sink.dialect] = Batch([sink.dialect.encode(news, self._catalogue)])
            sink.deliver(room.topic, [news], batch)
            self.delivered += 1


def _merged(jobs: "deque[_Job | _MergedJob]") -> "deque[_Job | _MergedJob]":
    """Put a turn's jobs together, in their order, as many at a time as their size allows."""
    groups: list[list[_Job]] = []
    room = 0
    for job in jobs:
        assert isinstance(job, _Job)
        if len(job.sinks) > room:
            groups.append([])
            room = MERGED
        groups[-1].append(job)
        room -= len(job.sinks)
    return deque(chain.from_iterable(_together(group) for group in groups))


def _together(jobs: list[_Job]) -> Iterator[_Job | _MergedJob]:
    """Take the connections that read more than one topic out of the jobs, and give them one of their own.

    Most read one of those that have news in a turn: their jobs stay as plain as if they were alone.
    """
    counts = Counter(chain.from_iterable(job.sinks for job in jobs)) if len(jobs) > 1 else {}
    several: dict[Sink, list[_Job]] = {sink: [] for sink, count in counts.items() if count > 1}
    if several:
        for job in jobs:
            for sink in job.sinks:
                if sink in several:
                    several[sink].append(job)
            job.sinks = [sink for sink in job.sinks if sink not in several]
        yield _MergedJob(several)
    yield from jobs
