"""Traders: connections that open and close positions over the socket, as many at once or as often as is asked."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.wire import Connection
from tests.journeys.harness import Key
from tests.journeys.test_keys import auth_fields

CONNECTIONS = 20
AMOUNT = 10
"""Contracts of an order: so small that a demo account does not run dry of margin within a run."""

CLOSE_EVERY = 2
"""Every other command closes the position that the last one opened: accounts stay within their bounds."""


@dataclass(slots=True)
class Run:
    """Latencies in ms of what was answered, and how long it took in all."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class Trader:
    """One connection that opens and closes positions, `width` requests in flight."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._sent_s: dict[int, float] = {}
        self._numbers = itertools.count(1)
        self._open: list[str] = []
        self.stopped = False
        self._answered: Callable[[], None] = lambda: None
        self._ready = asyncio.get_running_loop().create_future()
        self.connection: Connection

    async def start(self, port: int, key: str, answered: "Callable[[Trader], None] | None" = None) -> None:
        if answered is not None:
            self._answered = lambda: answered(self)
        self.connection = await Connection.connect(port, "/ws/events", self._received)
        self.connection.send(subscription(key))
        await self._ready

    def trade(self) -> None:
        number = next(self._numbers)
        if self._open and number % CLOSE_EVERY == 0:
            action, params = "close", {"id": self._open.pop()}
        else:
            action = "new"
            params = {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "100", "amount": AMOUNT}
        self._sent_s[number] = time.perf_counter()
        message = {"type": "trade", "id": number, "action": action, "demo": True, "params": params}
        self.connection.send(json.dumps(message).encode())

    @property
    def in_flight(self) -> int:
        return len(self._sent_s)

    def _received(self, payload: bytes) -> None:
        if payload.startswith(b'{"event"'):
            return
        message = json.loads(payload)
        if message["type"] == "subscribed":
            self._ready.set_result(None)
            return
        sent_s = self._sent_s.pop(message.get("id", 0), None)
        if sent_s is None:
            raise RuntimeError(f"unexpected: {message}")
        if message["type"] == "error":
            self._run.refused += 1
        else:
            self._run.latencies.append((time.perf_counter() - sent_s) * 1000)
            if "close_price" not in message["data"]:
                self._open.append(message["data"]["id"])
        if not self.stopped:
            self._answered()


def subscription(key: str) -> bytes:
    """Return the subscribe with a signature; `key` is `id:secret`."""
    key_id, _, secret = key.partition(":")
    channels = ["trading:orders_demo", "trading:positions_demo", "trading:balances_demo"]
    auth = auth_fields(Key(key_id, secret))
    return json.dumps({"type": "subscribe", "channels": channels, "auth": auth}).encode()


async def closed_loop(port: int, keys: list[str], *, width: int, seconds: float) -> Run:
    """Keep so many orders in flight in all, for so long."""
    run = Run()
    traders = [Trader(run) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(trader.start(port, keys[at % len(keys)], Trader.trade) for at, trader in enumerate(traders)))
    begun_s = time.perf_counter()
    for trader in traders:
        for _ in range(width // CONNECTIONS):
            trader.trade()
    await asyncio.sleep(seconds)
    for trader in traders:
        trader.stopped = True
    run.seconds = time.perf_counter() - begun_s
    await drained(traders)
    return run


async def open_loop(port: int, keys: list[str], *, per_s: float, seconds: float) -> Run:
    """Send at random times at a rate, whatever comes back."""
    run = Run()
    traders = await start_traders(run, port, keys)
    begun_s = time.perf_counter()
    await trade_at_random(traders, random.Random(1), per_s=per_s, seconds=seconds)
    run.seconds = time.perf_counter() - begun_s
    await drained(traders)
    return run


async def start_traders(run: Run, port: int, keys: list[str]) -> list[Trader]:
    """Return traders that are subscribed to their accounts; they send when they are told to."""
    traders = [Trader(run) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(trader.start(port, keys[at % len(keys)]) for at, trader in enumerate(traders)))
    return traders


async def trade_at_random(traders: list[Trader], dice: random.Random, *, per_s: float, seconds: float) -> None:
    """Have one of them send something at random times."""
    at_s = time.perf_counter()
    until_s = at_s + seconds
    while at_s < until_s:
        at_s += dice.expovariate(per_s)
        await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
        dice.choice(traders).trade()


async def drained(traders: list[Trader]) -> None:
    """Wait for what is in flight, and close the connections."""
    for _ in range(500):
        if not any(trader.in_flight for trader in traders):
            break
        await asyncio.sleep(0.01)
    for trader in traders:
        trader.connection.close()
