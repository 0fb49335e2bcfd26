"""What a Python server publishes, and when: commands on standard input, one a line.

max BURST PRODUCTS    as fast as it goes: a burst of each product per turn of the event loop
rate PER_S PRODUCTS   an open loop: every product so many times a second, taking turns
burst COUNT           so many ticks of the first product, one behind the other
stop
"""

import asyncio
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable

FIRST_BID = 1_000_000
"""Prices are whole numbers that count the ticks of their product; so large that one more is no jump."""

Put = Callable[[int, int], Awaitable[None]]
"""Publishes a tick: the product's number, its bid."""


class Publisher:
    """`unsent` tells how many published ticks are not yet with everybody; at `in_flight` bursts of them it waits."""

    def __init__(self, put: Put, *, unsent: Callable[[], float] = lambda: 0.0, in_flight: int = 1) -> None:
        self.published = 0
        self.products = 1
        self._put = put
        self._unsent = unsent
        self._in_flight = in_flight
        self._counts: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Take commands from standard input from now on."""
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)
        print("ready", flush=True)

    def _read(self) -> None:
        text = os.read(sys.stdin.fileno(), 4096).decode()
        if not text:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        for line in text.splitlines():
            self.obey(line)

    def obey(self, command: str) -> None:
        """Begin what the command says, and end what was going on."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._run(*command.split()))

    async def _run(self, mode: str, *words: str) -> None:
        numbers = [int(word) for word in words]
        try:
            await self.modes()[mode](*numbers)
        except Exception:
            traceback.print_exc()

    def modes(self) -> dict[str, Callable[..., Awaitable[None]]]:
        """Return what each command does, by its first word."""
        return {"max": self.max, "rate": self.rate, "burst": self.burst, "stop": self.stop}

    async def max(self, burst: int, products: int) -> None:
        self.products = products
        while True:
            for product in range(products):
                for _ in range(burst):
                    await self._tick(product)
                await asyncio.sleep(0)
                while self._unsent() > burst * self._in_flight:  # noqa: ASYNC110  # a turn each, as in a server
                    await asyncio.sleep(0)

    async def rate(self, per_s: int, products: int) -> None:
        step_s = 1 / per_s / products
        due_s, turn = time.monotonic(), 0
        while True:
            while due_s <= time.monotonic():
                await self._tick(turn % products)
                turn += 1
                due_s += step_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def burst(self, count: int) -> None:
        for _ in range(count):
            await self._tick(0)

    async def stop(self) -> None:
        """Whatever was going on has ended already."""

    async def _tick(self, product: int) -> None:
        self._counts[product] += 1
        self.published += 1
        await self._put(product, FIRST_BID + self._counts[product])


def tick(product: int, bid: int) -> dict[str, object]:
    """Return a tick as Tickwire's tick stream spells it; its time is the monotonic clock's, in ns."""
    return {"type": "tick", "symbol": f"S{product:02d}", "bid": bid, "ask": bid + 1, "time": time.monotonic_ns()}
