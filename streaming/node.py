"""One process's streaming: hub, bus, board, catalogue, budgets and who is connected, wired together.

The composition root makes the one node, hands in what streaming may not import (feed and trading), and starts it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from accounts.access_changes import ALL_SESSIONS, access_changes_after, newest_access_change
from accounts.database import released
from accounts.errors import ACCESS_REVOKED, RESTART, Close
from accounts.identity import Identity
from accounts.kept import forget_keys
from accounts.limits import Budgets, Occupancy
from engine.board import Board
from engine.values import AccountId, MarketStatus, Quote, Tick
from streaming import topics
from streaming.bus import BOARD_INTERVAL_S, Announcement, Bus, from_message, from_private_message
from streaming.connections import View
from streaming.dialects.base import Catalogue
from streaming.gate import NoTrading, TradingGate
from streaming.hub import Hub
from streaming.lines import Line
from streaming.messages import PrivateEvent, Shutdown
from streaming.private import PrivateLogs

logger = logging.getLogger(__name__)

DATABASE_THREADS = 4
"""Threads for key look-ups: the loop never waits for the database, nor one client for another's query."""

ACCESS_POLL_S = 0.3
"""How often revocations are read: a revoked key's socket has to be closed within 1 s, in every process."""

MAX_CHANGES = 1_000
"""Access changes remembered: ten times what is read again, and more than come while one key is looked up."""

OCCUPANCY_REFRESH_S = 10
"""How often this process says that its connections are still there (a killed process's expire after 30 s)."""

SHUTDOWN_RETRY_MS = (500, 5_000)
"""When clients should come back after a restart: spread out, so that they do not all connect at once."""

FAREWELL_S = 5
"""How long an end waits for the orders that end with their connections: a standby engine has taken over by then."""

_Result = TypeVar("_Result")
Submit = Callable[[Sequence[Tick], str], Awaitable[Sequence[tuple[int, str]]]]


class Connection(Protocol):
    """What the node knows of an open socket."""

    @property
    def identity(self) -> Identity | None: ...

    @property
    def member(self) -> str: ...

    @property
    def ended(self) -> bool: ...

    @property
    def stream(self) -> str: ...

    @property
    def conflated(self) -> int: ...

    def view(self) -> View: ...

    def end(self, close: Close, shutdown: Shutdown | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class FeedGate:
    """The way to the feed, wherever it runs: hand in ticks, step a replay, say that a subscription stands."""

    submit: Submit
    step: Callable[[], None]
    subscribed: Callable[[], None]


@dataclass(slots=True)
class Node:
    """What every connection of this process shares."""

    line: Line
    board: Board
    catalogue: Catalogue
    budgets: Budgets
    occupancy: Occupancy
    gate: FeedGate
    has_feed: bool
    stale_after_s: float
    trading: TradingGate = field(default_factory=NoTrading)
    bus: Bus = field(init=False)
    hub: Hub = field(init=False)
    private: PrivateLogs = field(init=False)
    connections: set[Connection] = field(default_factory=set)
    quote_listeners: list[Callable[[Quote], None]] = field(default_factory=list)
    """Called with every quote that is news to this process, after its subscribers."""
    conflated: int = 0
    """Events that were replaced by newer ones on connections that are closed by now."""
    access_mark: int = 0
    """How many access changes this process has acted on; for `ended_since`."""
    _epoch: str = field(init=False, default="")
    _board_s: float = field(init=False, default_factory=time.monotonic)
    _threads: ThreadPoolExecutor = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _farewells: set[asyncio.Task[None]] = field(default_factory=set)
    # What was acted on, newest last: also what is read again and must not be acted on twice.
    _changes: dict[int, Any] = field(default_factory=dict)
    _cursor: int = 0

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="streaming-db")
        self.bus = Bus(self.line, self.board)
        self.hub = Hub(
            self.catalogue,
            call_soon=lambda call: asyncio.get_running_loop().call_soon(call),
            call_later=lambda delay_s, call: asyncio.get_running_loop().call_later(delay_s, call),
            on_topics=self._topic_changed,
        )
        self.private = PrivateLogs(self.trading, self.catalogue, on_followed=self._followed)
        for kind in ("market.quote", "market.candle", "market.status"):
            self.bus.on(kind, self._heard)
        self.bus.on("market.board", self._heard_board)
        self.bus.on("private.events", lambda message: self.private.committed(from_private_message(message)))

    # ---- life

    async def start(self) -> None:
        await self.bus.open()
        await self._note_old_changes()
        loop = asyncio.get_running_loop()
        works: list[Callable[[], Awaitable[None]]] = [
            self.bus.send_forever,
            self.bus.keep_groups_forever,
            self.bus.receive_forever,
            self._close_revoked_forever,
            self._refresh_forever,
            self.private.poll_forever,
            *([] if self.has_feed else [self._watch_feed_forever]),
        ]
        self._tasks = [loop.create_task(_forever(work)) for work in works]
        if not self.has_feed:
            self.bus.want(topics.BOARD, True)
            await self.bus.settled()
            self._want_board()

    async def stop(self) -> None:
        """Tell every client to come back soon, close their sockets, and end what runs."""
        for connection in list(self.connections):
            # Spreading clients is not cryptography.
            retry_after_ms = random.randint(*SHUTDOWN_RETRY_MS)  # noqa: S311
            connection.end(RESTART, Shutdown(retry_after_ms))
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=FAREWELL_S)
        self.private.stop()
        await self.occupancy.close()
        tasks = [*self._tasks, *self._farewells]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.bus.close()
        self._threads.shutdown(wait=False)

    def see_through(self, farewell: asyncio.Task[None]) -> None:
        """Keep what a connection leaves to be done; an end of this process waits for it a while."""
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    # ---- announcements

    def announce(self, news: Announcement) -> None:
        """Pass on what this process's feed says: local subscribers first, then other processes."""
        topic = topics.topic_of(news)
        self.board.apply(news)
        self.hub.publish(topic, news)
        self.bus.announce(topic, news)
        self._listen(news)

    def committed(self, events: Sequence[PrivateEvent]) -> None:
        """Pass on what this process's engine has committed, each account's events in order: local followers first."""
        self.private.committed(events)
        self.bus.announce_private(events)

    def is_heard(self, topic: str) -> bool:
        """Tell whether somebody may be listening, here or in another process."""
        return topic in self.hub.rooms or not self.line.alone(topic)

    def _listen(self, news: Announcement) -> None:
        if isinstance(news, Quote):
            for listener in self.quote_listeners:
                listener(news)

    def _heard(self, message: dict[str, Any]) -> None:
        self._take(from_message(message))

    def _heard_board(self, message: dict[str, Any]) -> None:
        if self._epoch not in ("", message["epoch"]):
            # Another feed process counts anew, and may replay another year.
            self.board.clear()
        self._epoch, self.board.replaying = message["epoch"], message["replaying"]
        silent, self._board_s = self._feed_silent(), time.monotonic()
        if silent:
            # We called everything stale meanwhile; what has not changed will not be told again by itself.
            self._want_board()
        for entry in message["news"]:
            self._take(from_message(entry))

    def _want_board(self) -> None:
        self.bus.post(topics.FEED, {"type": "feed.board_wanted", "origin": self.bus.origin})

    def _feed_silent(self) -> bool:
        return time.monotonic() - self._board_s > self.stale_after_s

    async def _watch_feed_forever(self) -> None:
        """Say stale for a feed process that is dead or out of reach: it cannot say so itself."""
        while True:
            await asyncio.sleep(BOARD_INTERVAL_S)
            if self._feed_silent():
                for product, state in list(self.board.states.items()):
                    if state == "open":
                        self._take(MarketStatus(product, "stale"))

    def _take(self, news: Announcement) -> None:
        if self.board.apply(news):
            self.hub.publish(topics.topic_of(news), news)
            self._listen(news)

    def _topic_changed(self, topic: str, wanted: bool) -> None:
        # With the feed in this process, everything public is said here first. Who listens to quotes wants them anyway.
        if (
            not self.has_feed
            and topic != topics.OVERVIEW
            and (wanted or not (self.quote_listeners and topic.startswith("quotes.")))
        ):
            self.bus.want(topic, wanted)

    def _followed(self, account: AccountId, wanted: bool) -> None:
        self.bus.want(topics.account(*account), wanted)

    # ---- access

    async def in_thread(self, call: Callable[[], _Result]) -> _Result:
        """Run a database call off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, released, call)

    async def _note_old_changes(self) -> None:
        """Sockets are opened after these, by who may: they must not close any."""
        self._cursor = cursor = await self.in_thread(newest_access_change)
        self._changes = {change.pk: change for change in await self.in_thread(lambda: access_changes_after(cursor))}

    async def _close_revoked_forever(self) -> None:
        while True:
            await asyncio.sleep(ACCESS_POLL_S)
            await self._close_revoked(self._cursor)

    async def _close_revoked(self, cursor: int) -> None:
        """Close the sockets that access changes concern; what is read again is not acted on twice."""
        for change in await self.in_thread(lambda: access_changes_after(cursor)):
            if change.pk not in self._changes:
                self._changes[change.pk] = change
                self._cursor = max(self._cursor, change.pk)
                self.access_mark += 1
                forget_keys()
                self._close_affected(change)
        for old in list(self._changes)[:-MAX_CHANGES]:
            del self._changes[old]

    def _close_affected(self, change: Any) -> None:
        for connection in list(self.connections):
            identity = connection.identity
            if identity is not None and _affects(change, identity):
                connection.end(ACCESS_REVOKED)

    def ended_since(self, mark: int, identity: Identity) -> bool:
        """Tell whether an access has ended since `access_mark` was that."""
        newer = self.access_mark - mark
        return any(_affects(change, identity) for change in list(self._changes.values())[-newer:]) if newer else False

    async def _refresh_forever(self) -> None:
        while True:
            await asyncio.sleep(OCCUPANCY_REFRESH_S)
            await self.occupancy.refresh()


def _affects(change: Any, identity: Identity) -> bool:
    """Tell whether an access change ends this identity: its key or secret, its browser session, or its whole user."""
    if change.key_id:
        secret_concerned = change.generation in (0, identity.generation)
        return bool(identity.key_id == str(change.key_id) and secret_concerned)
    if change.session == ALL_SESSIONS:
        return bool(identity.session and identity.user_id == change.user_id)
    if change.session:
        return bool(identity.session == change.session)
    return bool(identity.user_id == change.user_id)


async def _forever(work: Callable[[], Awaitable[None]]) -> None:
    """Run a background work, and run it again when it breaks: the socket side must outlive a database's restart."""
    while True:
        try:
            await work()
        except Exception as error:
            logger.warning("%s was interrupted: %s", getattr(work, "__name__", "work"), type(error).__name__)
            await asyncio.sleep(1)
