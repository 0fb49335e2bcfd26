"""A client that follows an account's private channels, and resumes where it was whatever happens to the server."""

import asyncio
import time
from contextlib import suppress
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection

from tests.crashes.account import Account, Event
from tests.crashes.course import Course
from tests.crashes.wire import AGAIN_S, GONE, next_message, open_stream, spelled, subscribe

KINDS = ("orders", "positions", "balances")

STAY_S = 4.0
"""How long a connection is kept, on average, before its client leaves by itself: most resumes have no crash behind."""

_PREFIXES = {"order_demo": "orders", "position_demo": "positions", "balance_demo": "balances"}


def kind_of(name: str) -> str:
    """Return the channel of an event.

    >>> kind_of("position_demo:close"), kind_of("balance_demo")
    ('positions', 'balances')
    """
    return _PREFIXES[name.partition(":")[0]]


class Follower:
    """`log`: what it was told, from `start` on; `position`: up to where it knows everything, of its `kinds`."""

    def __init__(self, course: Course, account: Account, kinds: tuple[str, ...], chance: Random) -> None:
        self.account = account
        self.kinds = kinds
        self.log: list[Event] = []
        self.start = 0
        self.position = 0
        self.epoch = ""
        self._course = course
        self._chance = chance

    @property
    def sees_all(self) -> bool:
        return self.kinds == KINDS

    @property
    def name(self) -> str:
        return f"{self.account.name}/{'all' if self.sees_all else '+'.join(self.kinds)}"

    async def run(self) -> None:
        """Follow, for ever."""
        while True:
            with suppress(*GONE):
                await self._visit()
            await asyncio.sleep(self._chance.uniform(*AGAIN_S))

    async def _visit(self) -> None:
        """Be connected for a while: subscribe, resume and read."""
        async with await open_stream(self._course.any_port(self._chance)) as stream:
            if not await self._subscribe(stream):
                await asyncio.sleep(0.1)
                return
            leave_s = time.monotonic() + self._chance.expovariate(1 / STAY_S)
            sequence = 0
            while self._course.settling or time.monotonic() < leave_s:
                message = await next_message(stream)
                if "event" not in message:
                    continue
                sequence += 1
                if message["sequence"] != sequence:
                    self._wrong(f"sequence {message['sequence']} instead of {sequence}")
                self._take(message)
            if self._chance.random() < 0.5:
                stream.transport.abort()

    async def _subscribe(self, stream: ClientConnection) -> bool:
        """Subscribe, resuming if this is not the first time; say whether the server could do it now."""
        channels = [f"trading:{kind}_demo" for kind in self.kinds]
        resume = {"resume": {"demo": {"epoch": self.epoch, "offset": self.position}}} if self.epoch else {}
        reply = await subscribe(stream, self.account.key, channels, **resume)
        if reply["type"] == "error":
            if reply["code"] not in ("unavailable", "signature_reused"):
                self._wrong(f"was refused: {reply}")
            return False
        self._opened(reply["accounts"]["demo"])
        return True

    def _opened(self, standing: dict[str, Any]) -> None:
        if not self.epoch:
            self.epoch = standing["epoch"]
            self.start = self.position = standing["offset"]
            return
        self._course.tally.resumes += 1
        if standing.get("recovered") is not True or standing["epoch"] != self.epoch:
            self._wrong(f"resumed at {self.position} of {self.epoch} and was told {standing}")
        if standing["offset"] < self.position:
            self._wrong(f"knew {self.position} events and was told that there are {standing['offset']}")

    def _take(self, message: dict[str, Any]) -> None:
        name = message["event"]
        if name == "heartbeat":
            self._heard(message["data"]["offset"]["demo"])
        elif name != "status":
            self._note(Event(message["offset"], name, spelled(message["data"])), message["data"])

    def _heard(self, offset: int) -> None:
        """Believe a heartbeat: all of our kinds up to there has been told to us."""
        if offset < self.position or (self.sees_all and offset != self.position):
            self._wrong(f"knew all up to {self.position} and heard a heartbeat say {offset}")
        self.position = offset

    def _note(self, event: Event, data: dict[str, Any]) -> None:
        follows = event.offset == self.position + 1 if self.sees_all else event.offset > self.position
        if not follows:
            self._wrong(f"knew all up to {self.position} and was told {event}")
        if kind_of(event.name) not in self.kinds:
            self._wrong(f"was told of what it did not ask for: {event}")
        self.position = event.offset
        self.log.append(event)
        self._course.tally.events += 1
        if self.sees_all:
            self.account.view.take(event.name, data)

    def _wrong(self, words: str) -> None:
        self._course.fail(f"follower {self.name} {words}")
