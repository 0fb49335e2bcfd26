"""What goes on in this process? Gathered once a second, told to the others, and shown to the staff who watch here."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from accounts.errors import ENDED_BY_STAFF
from streaming import topics
from streaming.connections import Query, View, first_of, matches
from streaming.figures import EngineFigures, FeedFigures, Figures, Rates, overview
from streaming.messages import Overview
from streaming.node import Node
from streaming.peers import Answers, Peers

EVERY_S = 1.0

PROBE_S = 0.1
"""How often the loop is asked whether it comes in time."""

LOOKED_AT_ONCE = 100
"""Connections looked at before the loop turns: about 2 ms."""


class Watch:
    """`feed` and `engine` are handed in by a process that has them."""

    def __init__(
        self,
        node: Node,
        *,
        process: str,
        roles: Sequence[str],
        feed: Callable[[], FeedFigures] | None = None,
        engine: Callable[[], EngineFigures] | None = None,
    ) -> None:
        self.peers = Peers(node.bus, process)
        self._node = node
        self._roles = list(roles)
        self._feed = feed
        self._engine = engine
        self._rates = Rates(time.monotonic)
        self._late_s = 0.0
        self._own = self._gathered()
        self._tasks: list[asyncio.Task[None]] = []
        self.peers.answer("connections", self._connections)
        self.peers.answer("end", self._end)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._tell_forever()), loop.create_task(self._probe_forever())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def processes(self) -> list[Figures]:
        """Return the newest figures of all processes, this one's first."""
        return [self._own, *self.peers.heard()]

    async def ask(self, what: str, **fields: Any) -> Answers:
        """Ask all processes; call it on this process's own loop."""
        return await self.peers.ask(what, **fields)

    # ---- works

    async def _tell_forever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.tell()

    def tell(self) -> None:
        """Gather, tell the others, and show it to whoever watches here."""
        self._own = self._gathered()
        self.peers.tell(self._own)
        if topics.OVERVIEW in self._node.hub.rooms:
            shown = overview(self.processes(), time.time_ns() // 1_000_000)
            self._node.hub.publish(topics.OVERVIEW, Overview(msgspec.json.encode(shown).decode()))

    async def _probe_forever(self) -> None:
        while True:
            due_s = time.monotonic() + PROBE_S
            await asyncio.sleep(PROBE_S)
            self._late_s = max(self._late_s, time.monotonic() - due_s)

    def _gathered(self) -> Figures:
        node = self._node
        feed = None if self._feed is None else self._feed()
        engine = None if self._engine is None else self._engine()
        conflated = node.conflated + sum(connection.conflated for connection in node.connections)
        rates = self._rates.take(
            delivered=node.hub.delivered,
            conflated=conflated,
            ticks=feed.accepted if feed else 0,
            refused=feed.refused if feed else 0,
            commands=engine.commands if engine else 0,
        )
        late_s, self._late_s = self._late_s, 0.0
        return Figures(
            process=self.peers.process,
            roles=self._roles,
            connections=dict(Counter(connection.stream for connection in node.connections)),
            delivered=node.hub.delivered,
            conflated=conflated,
            lost=node.bus.lost + node.hub.overrun,
            late_ms=round(late_s * 1000, 1),
            feed=feed,
            engine=engine,
            **{f"{name}_per_s": rate for name, rate in rates.items()},
        )

    # ---- questions of other processes

    async def _connections(self, fields: dict[str, Any]) -> Any:
        """Answer with the connections that a query finds."""
        query = msgspec.convert(fields["query"], Query)
        found: list[View] = []
        for number, connection in enumerate(list(self._node.connections), 1):
            if not connection.ended and matches(view := connection.view(), query):
                found.append(view)
            if number % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return msgspec.to_builtins(first_of(found, query))

    async def _end(self, fields: dict[str, Any]) -> Any:
        """Close those of these connections that are here; answer with what they were."""
        wanted = set(fields["ids"])
        views = []
        for connection in list(self._node.connections):
            if connection.member in wanted and not connection.ended:
                views.append(msgspec.to_builtins(connection.view()))
                connection.end(ENDED_BY_STAFF)
        return views
