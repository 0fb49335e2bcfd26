"""The engine role: the runner, fed with this node's quotes, its events announced, other processes let in."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.margin import Side
from engine.values import Environment, Market, Quote
from streaming import topics
from streaming.figures import MAX_LISTED, EngineFigures
from streaming.messages import PrivateEvent
from streaming.node import Node
from trading.book import LoggedEvent
from trading.remote import EngineDoor
from trading.runner import Runner

logger = logging.getLogger(__name__)

TELL_S = 1.0
"""How often the processes without an engine are told which one there is."""


def process_name() -> str:
    """Return what a process is called where people look."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(slots=True)
class EngineRole:
    """Everything that a process with an engine does; a standby does it once it holds the lease."""

    node: Node
    runner: Runner = field(init=False)
    _door: EngineDoor = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _quote_ms: int = 0

    async def start(self) -> None:
        """Start, and wait until the engine works or stands by: whoever is told that we are ready may trade."""
        self.runner = Runner(
            holder=process_name(),
            market=self._market,
            clock_ms=self._clock_ms,
            announce=self._announce,
            changed=self._changed,
        )
        self._door = EngineDoor(self.node.bus, self.runner)
        self.node.quote_listeners.append(self._on_quote)
        self._listen()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self.runner.run()), loop.create_task(self._tell_forever())]
        await self.runner.settled.wait()

    @property
    def fence(self) -> int:
        """The number of this engine's reign: a higher one after every take-over, 0 while it stands by."""
        return self.runner.fence

    async def reload_products(self) -> None:
        """Take in what an administrator changed of the products; new ones are listened to."""
        self._listen()
        await self.runner.reload_products()

    def figures(self) -> EngineFigures:
        """Return what the overview shows of the engine; a standby's say only that it is there."""
        desk = self.runner.desk
        if desk is None:
            return EngineFigures(fence=0)
        state = desk.book.state
        interest = _interest(state.interest)
        positions = sum(len(account.positions) for account in state.accounts.values())
        return EngineFigures(
            fence=self.runner.fence,
            lag_ms=self.runner.pace.take_lag_ms(),
            waiting=desk.waiting,
            commands=self.runner.pace.commands,
            orders=len(state.owners) - positions,
            positions=positions,
            products=len(interest),
            interest=interest[:MAX_LISTED],
        )

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self) -> None:
        """Hear all that a feed in another process says of its products, whether or not anybody here subscribes to it.

        States too: the board heals one that was lost, but a second after the quotes that it lets through.
        """
        if not self.node.has_feed:
            for product in self.node.catalogue.products:
                self.node.bus.want(topics.quotes(product), True)
                self.node.bus.want(topics.status(product), True)

    def _on_quote(self, quote: Quote) -> None:
        self._quote_ms = max(self._quote_ms, quote.time_ms)
        self.runner.on_quote(quote)

    def _market(self, product: str) -> Market | None:
        quote = self.node.board.quotes.get(product)
        return None if quote is None else Market(quote.bid, quote.ask, self.node.board.status(product).state)

    def _clock_ms(self) -> int:
        """Return the feed's time: the newest quote's while a replay plays, else the wall's."""
        return self._quote_ms if self.node.board.replaying else time.time_ns() // 1_000_000

    def _announce(self, log: Sequence[LoggedEvent]) -> None:
        self.node.committed([PrivateEvent(*event.account, event.offset, event.name, event.data) for event in log])

    def _changed(self, fence: int) -> None:
        self._door.open(fence)

    async def _tell_forever(self) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            self._door.tell()


def _interest(open_contracts: Mapping[tuple[Environment, str, Side], int]) -> list[tuple[str, str, int, int]]:
    """Return environment, product, contracts long, contracts short; the most first."""
    places = {(environment, product) for environment, product, _ in open_contracts}
    rows: list[tuple[str, str, int, int]] = []
    for environment, product in places:
        bought = open_contracts.get((environment, product, "buy"), 0)
        sold = open_contracts.get((environment, product, "sell"), 0)
        rows.append((environment, product, bought, sold))
    return sorted(rows, key=lambda row: (-(row[2] + row[3]), row[:2]))
