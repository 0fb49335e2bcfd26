"""The composition root: one process's roles, wired. What may not import one another meets here."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

import market.live
import streaming.live
import trading.live
from accounts.errors import Code, Refused
from accounts.limits import Budgets, Occupancy
from config.engine_role import EngineRole, process_name
from config.feed_role import FeedOptions, FeedRole
from engine.values import Tick, plain
from market.catalogue import Catalogue, rows_stored
from streaming import topics
from streaming.lines import line_to
from streaming.node import FeedGate, Node
from streaming.watch import Watch
from trading.gate import Gate
from trading.remote import RemoteEngine

logger = logging.getLogger(__name__)

CATALOGUE_RELOAD_S = 2
"""How often it is asked what has changed of the products: a new or halted one is known everywhere within this time."""

FEED_ANSWER_S = 2
"""How long a process without the feed waits for the feed's answer before it says `unavailable`."""


@dataclass(slots=True)
class House:
    """One process. `feed_options` is None in a process without the feed, `engine` says whether it has the engine."""

    feed_options: FeedOptions | None = None
    engine: bool = False
    node: Node = field(init=False)
    watch: Watch = field(init=False)
    feed_role: FeedRole | None = field(init=False, default=None)
    engine_role: EngineRole | None = field(init=False, default=None)
    _catalogue: Catalogue = field(init=False)
    _calls: dict[str, asyncio.Future[list[tuple[int, str]]]] = field(default_factory=dict)
    _pending: set[asyncio.Task[None]] = field(default_factory=set)
    # The products as they were taken in last, and by which engine.
    _taken_in: object = None
    _reloading: asyncio.Task[None] | None = field(init=False, default=None)
    _starting: asyncio.Task[None] | None = field(init=False, default=None)

    async def ready(self) -> Node:
        """Return the node, started on first use (a stock ASGI server tells no other moment)."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        await asyncio.shield(self._starting)
        return self.node

    async def _start(self) -> None:
        """Wire the parts and start them: catalogue, feed (if here), node, then the source."""
        self._catalogue = Catalogue()
        self.node = Node(
            line=line_to(get_channel_layer(), settings.REDIS_URL),
            board=market.live.board,
            catalogue=self._catalogue,
            budgets=Budgets(settings.REDIS_URL),
            occupancy=Occupancy(settings.REDIS_URL),
            gate=FeedGate(self._submit, self._step, self._subscribed),
            has_feed=self.feed_options is not None,
            stale_after_s=settings.STALE_AFTER_S,
            trading=Gate(lambda call: self.node.in_thread(call)),  # noqa: PLW0108  # there is no node yet
        )
        await self.node.in_thread(self._catalogue.load)
        if self.feed_options is not None:
            self.feed_role = FeedRole(self.node, self.feed_options)
            await self.feed_role.start()
        else:
            self.node.bus.on("feed.submitted", self._submitted)
        await self.node.start()
        market.live.submit_ticks = self._submit
        await self._start_engine()
        if self.feed_role is not None:
            self.feed_role.run()
        self._reloading = asyncio.get_running_loop().create_task(self._reload_forever())
        self._start_watch()

    async def _start_engine(self) -> None:
        """Start the engine, or find the way to the process that has it."""
        if self.engine:
            self.engine_role = EngineRole(self.node)
            await self.engine_role.start()
            trading.live.submit, trading.live.tell_inbox = (
                self.engine_role.runner.submit,
                self.engine_role.runner.inbox_changed,
            )
        else:
            remote = RemoteEngine(self.node.bus)
            trading.live.submit, trading.live.tell_inbox = remote.submit, remote.tell_inbox

    def _start_watch(self) -> None:
        """Let this process say what goes on in it, and ask the others."""
        self.watch = Watch(
            self.node,
            process=process_name(),
            roles=self._roles,
            feed=None if self.feed_role is None else self.feed_role.figures,
            engine=None if self.engine_role is None else self.engine_role.figures,
        )
        if self.feed_role is not None:
            self.watch.peers.answer("refusals", self.feed_role.refusals)
        self.watch.start()
        streaming.live.ask, streaming.live.processes = self.watch.ask, self.watch.processes

    @property
    def _roles(self) -> list[str]:
        """Name what this process does: one that has neither feed nor engine serves, and one that has both does too."""
        feed = self.feed_role is not None
        wanted = {"web": feed == self.engine, "feed": feed, "engine": self.engine}
        return [role for role, has in wanted.items() if has]

    async def stop(self) -> None:
        """End in order: no more ticks, no more clients (some orders end with them), then the engine."""
        if self._reloading is not None:
            self._reloading.cancel()
            await self.watch.stop()
        if self.feed_role is not None:
            await self.feed_role.stop()
        await self.node.stop()
        if self.engine_role is not None:
            await self.engine_role.stop()

    async def _reload_forever(self) -> None:
        while True:
            await asyncio.sleep(CATALOGUE_RELOAD_S)
            try:
                await self.reload()
            except Exception as error:
                logger.warning("The products could not be read again: %s", type(error).__name__)

    async def reload(self) -> None:
        """Take in what an administrator has changed of the products; an engine that has taken over compares all."""
        rows = await self.node.in_thread(rows_stored)
        found = rows, 0 if self.engine_role is None else self.engine_role.fence
        if found == self._taken_in:
            return
        await self.node.in_thread(self._catalogue.load)
        if self.feed_role is not None:
            await self.feed_role.reload_products()
        if self.engine_role is not None:
            await self.engine_role.reload_products()
        self._taken_in = found

    # ---- the way to the feed

    async def _submit(self, ticks: Sequence[Tick], source: str) -> Sequence[tuple[int, str]]:
        if self.feed_role is not None:
            return await self.feed_role.submit(ticks, source)
        call = uuid.uuid4().hex
        answer: asyncio.Future[list[tuple[int, str]]] = asyncio.get_running_loop().create_future()
        self._calls[call] = answer
        self._tell_feed(
            "feed.submit",
            call=call,
            reply=self.node.bus.channel,
            source=source,
            ticks=[[tick.product, plain(tick.bid), plain(tick.ask), tick.time_ms] for tick in ticks],
        )
        try:
            return await asyncio.wait_for(answer, FEED_ANSWER_S)
        except TimeoutError:
            raise Refused(Code.UNAVAILABLE, "The feed does not answer") from None
        finally:
            del self._calls[call]

    def _submitted(self, message: dict[str, Any]) -> None:
        answer = self._calls.get(message["call"])
        if answer is not None and not answer.done():
            answer.set_result([(int(index), str(code)) for index, code in message["refused"]])

    def _step(self) -> None:
        if self.feed_role is not None:
            self.feed_role.step()
        else:
            self._tell_feed("feed.step")

    def _subscribed(self) -> None:
        if self.feed_role is not None:
            self.feed_role.subscribed()
        else:
            # A replay may start with this: the group has to be joined first, or its first ticks pass by.
            task = asyncio.get_running_loop().create_task(self._tell_subscribed())
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def _tell_subscribed(self) -> None:
        await self.node.bus.settled()
        self._tell_feed("feed.subscribed")

    def _tell_feed(self, kind: str, **fields: Any) -> None:
        self.node.bus.post(topics.FEED, {"type": kind, "origin": self.node.bus.origin, **fields})
