"""The feed role: one source, the clock that closes candles, and other processes' wishes."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.errors import Code
from engine.values import Candle, NumberInvalid, Tick, parse_number, plain
from market import store
from market.feed import Feed
from market.sources import ReplaySpec, SourceSpec, run
from streaming import topics
from streaming.bus import BOARD_INTERVAL_S, Announcement
from streaming.figures import MAX_LISTED, FeedFigures
from streaming.node import Node

logger = logging.getLogger(__name__)

REPORT_S = 60.0
"""How often the log says which ticks were refused since it last did."""

CLOCK_S = 0.05
"""How often the feed looks at the clock: candles close within 1 s of their end, open ones go out every 250 ms."""


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What `manage.py serve` was told about its source. `speed` is a factor, or `max`, or `step`."""

    source: SourceSpec
    speed: float | str = 1.0
    loop: bool = False
    wait_clients: int = 0


@dataclass(slots=True)
class FeedRole:
    """Everything that only the one process with the feed does."""

    node: Node
    options: FeedOptions
    feed: Feed = field(init=False)
    _store: store.Store = field(init=False)
    _changed: dict[object, Announcement] = field(default_factory=dict)
    _subscriptions: int = 0
    _clients_ready: asyncio.Event = field(default_factory=asyncio.Event)
    _steps: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Take up where the stored history ends, then let ticks in."""
        self._store = store.Store()
        self.feed = await self.node.in_thread(
            lambda: store.restore_feed(
                announce=self._announce,
                is_heard=lambda product, resolution: self.node.is_heard(topics.candles(product, resolution)),
                live=not isinstance(self.options.source, ReplaySpec),
                stale_after_s=settings.STALE_AFTER_S,
            )
        )
        self._store.start()
        self.node.board.replaying = isinstance(self.options.source, ReplaySpec)
        for kind, handler in (
            ("feed.submit", self._submit_from_afar),
            ("feed.step", lambda _: self.step()),
            ("feed.subscribed", lambda _: self.subscribed()),
            ("feed.board_wanted", lambda _: self._post_whole_board()),
        ):
            self.node.bus.on(kind, handler)
        self.node.bus.want(topics.FEED, True)

    def run(self) -> None:
        """Start the source and the clock; the node is ready for what they announce."""
        loop = asyncio.get_running_loop()
        self._post_whole_board()
        if self._subscriptions >= self.options.wait_clients:
            self._clients_ready.set()
        self._tasks = [
            loop.create_task(self._watch_clock()),
            loop.create_task(self._post_board()),
            loop.create_task(self._run_source()),
            loop.create_task(self._report_refusals()),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.node.in_thread(self._store.stop)

    async def reload_products(self) -> None:
        """Take in what an administrator changed: new products, halts, hours, bands."""
        self.feed.set_products(await self.node.in_thread(store.feed_products))

    # ---- the gate, from this process

    async def submit(self, ticks: Sequence[Tick], source: str) -> list[tuple[int, Code]]:
        return self.feed.submit(ticks, source=source, wall_ms=_wall_ms(), now_s=time.monotonic())

    def step(self) -> None:
        self._steps.release()

    def subscribed(self) -> None:
        self._subscriptions += 1
        if self._subscriptions >= self.options.wait_clients:
            self._clients_ready.set()

    # ---- for administrators

    def figures(self) -> FeedFigures:
        """Return what the overview shows of the feed: products that should be open and are not, first."""
        lines = self.feed.silences(time.monotonic())
        quiet = [line for line in lines if line[1] in ("open", "stale")]
        quiet.sort(key=lambda line: float("inf") if line[2] is None else line[2], reverse=True)
        return FeedFigures(
            accepted=self.feed.accepted,
            refused=self.feed.refusals.total(),
            states=dict(Counter(state for _, state, _ in lines)),
            silent=[
                (product, state, None if age_s is None else round(age_s, 1))
                for product, state, age_s in quiet[:MAX_LISTED]
            ],
        )

    async def refusals(self, _fields: dict[str, Any]) -> Any:
        """Answer an administrator's page: how many ticks were refused, by product and code, and the last of them."""
        counts = [[product, str(code), count] for (product, code), count in self.feed.refusals.most_common()]
        recent = [
            [at.time_ms, at.product, at.named, str(at.code), plain(at.bid), plain(at.ask), at.tick_ms, at.source]
            for at in reversed(self.feed.recent)
        ]
        return {"accepted": self.feed.accepted, "counts": counts, "recent": recent}

    # ---- announcements

    def _announce(self, news: Announcement) -> None:
        self.node.announce(news)
        self._changed[_slot(news)] = news
        if isinstance(news, Candle):
            self._store.put(news)
            if news.closed:
                # REST of the other processes must not lag behind the stream's closed candles.
                self.node.bus.post_board([news], self.node.bus.origin)

    async def _post_board(self) -> None:
        while True:
            await asyncio.sleep(BOARD_INTERVAL_S)
            changed, self._changed = self._changed, {}
            self.node.bus.post_board(changed.values(), self.node.bus.origin)

    def _post_whole_board(self) -> None:
        board = self.node.board
        news: list[Announcement] = [board.status(product) for product in board.states]
        for closed in board.closed_candles.values():
            news += closed
        news += [*board.open_candles.values(), *board.quotes.values()]
        self.node.bus.post_board(news, self.node.bus.origin)

    # ---- other processes

    def _submit_from_afar(self, message: dict[str, Any]) -> None:
        ticks = [_tick(fields) for fields in message["ticks"]]
        refused = self.feed.submit(ticks, source=message["source"], wall_ms=_wall_ms(), now_s=time.monotonic())
        answer = {
            "type": "feed.submitted",
            "call": message["call"],
            "refused": [[at, str(code)] for at, code in refused],
        }
        task = asyncio.get_running_loop().create_task(self.node.bus.answer(message["reply"], answer))
        task.add_done_callback(_log_failure)

    # ---- works

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_S)
            while self.feed.on_clock(wall_ms=_wall_ms(), now_s=time.monotonic()):  # noqa: ASYNC110  # others' turn
                await asyncio.sleep(0)

    async def _run_source(self) -> None:
        try:
            await self._clients_ready.wait()
            await run(
                self.options.source,
                self.feed,
                speed=self.options.speed,
                loop=self.options.loop,
                step=self._steps,
            )
        except Exception:
            logger.exception("The source of ticks has failed; the streams say stale")
        else:
            while self._store.waiting:  # noqa: ASYNC110  # a thread cannot set an asyncio.Event
                await asyncio.sleep(CLOCK_S)
            logger.info("The source has ended, its candles are stored: %s", tally(self.feed))

    async def _report_refusals(self) -> None:
        """Say what was refused, when something was: a wrong source must not fail in silence."""
        told = 0
        while True:
            await asyncio.sleep(REPORT_S)
            refused = self.feed.refusals.total()
            if refused != told:
                told = refused
                logger.warning("Ticks since the start: %s", tally(self.feed))


def tally(feed: Feed) -> str:
    """Return how many ticks a feed has accepted, refused (by product and reason) and rounded."""
    reasons = ", ".join(f"{product or '?'} {code} {count}" for (product, code), count in sorted(feed.refusals.items()))
    refused = f"{feed.refusals.total()} refused" + (f" ({reasons})" if reasons else "")
    return f"{feed.accepted} accepted, {refused}, {feed.rounded.total()} rounded"


def _slot(news: Announcement) -> object:
    if isinstance(news, Candle):
        return (news.product, news.resolution, news.start_s if news.closed else "open")
    return (type(news), news.product)


def _tick(fields: list[Any]) -> Tick:
    product, bid, ask, time_ms = fields
    try:
        return Tick(product, parse_number(bid), parse_number(ask), int(time_ms))
    except (NumberInvalid, TypeError):
        raise ValueError("not a tick") from None


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.warning("An answer could not be sent: %s", type(task.exception()).__name__)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
