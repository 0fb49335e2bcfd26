"""How many durable orders a second, and how long each takes: over the socket and REST, on SQLite and PostgreSQL.

    python -m benchmarks.orders [--seconds N] [sqlite] [postgres] [apart]

Beside every figure stands the database's own rate of tiny commits, measured in the same run: what a disk allows is no
merit of the server. The load generator runs in this process, on the same two cores. A measurement beside which the
machine itself was slow is made again (`pace.py`); what it was in the end stands in the last column.
"""

import argparse
import asyncio
import http.client
import itertools
import json
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.progress import Progress

from benchmarks import report
from benchmarks.databases import start_postgres
from benchmarks.pace import TURNS, Pace
from benchmarks.wire import Connection
from tests.journeys.harness import RELAXED, Key, Server, fresh_database
from tests.journeys.test_keys import auth_fields
from tests.plugins.services import start_valkey

CONNECTIONS = 20
USERS = 20
REST_CLIENTS = 8
AMOUNT = 10
"""Contracts of an order: so small that a demo account does not run dry of margin within a run."""

CLOSE_EVERY = 2
"""Every other command closes the position that the last one opened: accounts stay within their bounds."""

ISSUE = f"""
from accounts.models import User
from accounts.services import api_key_create
for number in range({USERS}):
    user = User.objects.create_user(f"trader{{number}}")
    key, secret = api_key_create(user=user, scopes=["read", "trade"], environments=["demo"])
    print(f"{{key.public_id}}:{{secret}}")
"""
"""All keys in one process: a command for each takes longer than what is measured."""

OPEN_LOOP_PER_S = 200
TICKS_PER_S = 100

SET_UPS = {
    "sqlite": "SQLite, one process",
    "postgres": "PostgreSQL, one process",
    "apart": "PostgreSQL and Valkey, web and engine apart",
}

HEAD = ["load", "per s", "p50 ms", "p99 ms", "max ms", "machine"]

Step = Callable[[str], None]
"""Says what is measured next."""


@dataclass(slots=True)
class Run:
    """Latencies in ms of what was answered, and how long it took in all."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def cells(self) -> list[str]:
        p50, p99 = (report.quantile(self.latencies, part) for part in (0.5, 0.99))
        return [f"{self.rate:,.0f}", f"{p50:.1f}", f"{p99:.1f}", f"{max(self.latencies):.1f}"]


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
    await _drained(traders)
    return run


async def open_loop(port: int, keys: list[str], *, per_s: float, seconds: float) -> Run:
    """Send at random times at a rate, whatever comes back."""
    run = Run()
    traders = [Trader(run) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(trader.start(port, keys[at % len(keys)]) for at, trader in enumerate(traders)))
    dice = random.Random(1)
    begun_s = time.perf_counter()
    at_s = begun_s
    while at_s < begun_s + seconds:
        at_s += dice.expovariate(per_s)
        await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
        dice.choice(traders).trade()
    run.seconds = time.perf_counter() - begun_s
    await _drained(traders)
    return run


async def _drained(traders: list[Trader]) -> None:
    for _ in range(500):
        if not any(trader.in_flight for trader in traders):
            break
        await asyncio.sleep(0.01)
    for trader in traders:
        trader.connection.close()


def rest_loop(port: int, keys: list[str], *, seconds: float) -> Run:
    """Place and close over REST, one request in flight on each of a few kept connections."""
    run = Run()
    until_s = time.perf_counter() + seconds

    def client(key: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {key.partition(':')[2]}", "Content-Type": "application/json"}
        place = json.dumps({"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "100", "amount": AMOUNT})
        path, body = "new", place
        while time.perf_counter() < until_s:
            sent_s = time.perf_counter()
            connection.request("POST", f"/trading/trade/{path}?demo=true", body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != 200:
                run.refused += 1
                path, body = "new", place
                continue
            run.latencies.append((time.perf_counter() - sent_s) * 1000)
            path, body = ("new", place) if path == "close" else ("close", json.dumps({"id": answer["id"]}))

    begun_s = time.perf_counter()
    with ThreadPoolExecutor(REST_CLIENTS) as threads:
        list(threads.map(client, keys[:REST_CLIENTS]))
    run.seconds = time.perf_counter() - begun_s
    return run


class TickProbe:
    """Publishes ticks whose time is the time of sending, and notes how long each takes to come back as a quote."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self._sent_s: dict[str, float] = {}
        self._numbers = itertools.cycle(range(10_000))

    async def run(self, port: int, feed_key: str, seconds: float) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def heard(payload: bytes) -> None:
            message = json.loads(payload)
            if message.get("event") == "quote":
                sent_s = self._sent_s.pop(message["data"][2], None)
                if sent_s is not None:
                    self.latencies.append((time.perf_counter() - sent_s) * 1000)
            elif message.get("type") == "subscribed":
                ready.set_result(None)

        reader = await Connection.connect(port, "/ws/events", heard)
        reader.send(b'{"type":"subscribe","channels":["trading:quotes:GBP-USD"]}')
        await ready
        writer = await Connection.connect(port, "/ws/ticks", lambda _: None)
        writer.send(json.dumps({"type": "auth", "apiKey": feed_key}).encode())
        until_s = time.perf_counter() + seconds
        await asyncio.sleep(0.2)
        while time.perf_counter() < until_s:
            bid = f"1.1{next(self._numbers):04d}"
            self._sent_s[bid] = time.perf_counter()
            tick = ["GBPUSD", bid, "1.30000", int(time.time() * 1000)]
            writer.send(json.dumps({"type": "publish", "ticks": [tick]}).encode())
            await asyncio.sleep(1 / TICKS_PER_S)
        reader.close()
        writer.close()


async def keep_priced(port: int, feed_key: str) -> None:
    """Publish the price of what is traded once a second, so that it never gets stale."""
    connection = await Connection.connect(port, "/ws/ticks", lambda _: None)
    connection.send(json.dumps({"type": "auth", "apiKey": feed_key}).encode())
    while True:
        tick = ["EURUSD", "1.08500", "1.08502", int(time.time() * 1000)]
        connection.send(json.dumps({"type": "publish", "ticks": [tick]}).encode())
        await asyncio.sleep(1)


# ---- the databases alone


def sqlite_commits(seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "tiny.sqlite3", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE tiny (number integer)")
        return _commits(lambda: connection.execute("INSERT INTO tiny VALUES (1)"), seconds)


def postgres_commits(url: str, seconds: float) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE tiny (number integer)")
        rate = _commits(lambda: connection.execute("INSERT INTO tiny VALUES (1)"), seconds)
        connection.execute("DROP TABLE tiny")
        return rate


def _commits(commit: Callable[[], object], seconds: float) -> float:
    begun_s, count = time.perf_counter(), 0
    while time.perf_counter() < begun_s + seconds:
        commit()
        count += 1
    return count / (time.perf_counter() - begun_s)


# ---- a whole run


@contextmanager
def serving(folder: Path, arguments: list[str], env: dict[str, str]) -> Iterator[tuple[Server, list[str], str]]:
    """Give a server, the traders' keys (`id:secret`) and one that may publish ticks."""
    with Server(folder, "--feed", "none", *arguments, env={**RELAXED, "STALE_AFTER_S": "3600", **env}) as server:
        keys = server.manage("shell", "-v", "0", "-c", ISSUE).split()
        yield server, keys, server.issue_key("feed", "--scope", "market", "--scope", "feed").secret


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table, and how long the machine took for its own fixed piece of work meanwhile."""

    name: str
    cells: list[str]
    turn_s: float

    def line(self, pace: Pace) -> list[str]:
        return [self.name, *self.cells, f"{pace.part(self.turn_s):.0%}"]


def measure(server: Server, keys: list[str], feed_key: str, *, seconds: float, pace: Pace, step: Step) -> list[Row]:
    """Return a row for every kind of load."""
    port, rows = server.port, []

    def row(name: str, cells: Callable[[], list[str]]) -> None:
        step(name)
        rows.append(Row(name, *pace.at_full_speed(cells)))

    with asyncio.Runner() as loop:
        pricing = loop.run(start_pricing(port, feed_key))
        for width in (80, 320):
            row(
                f"socket, {width} in flight",
                lambda width=width: loop.run(closed_loop(port, keys, width=width, seconds=seconds)).cells(),
            )
        row(
            f"socket, {OPEN_LOOP_PER_S}/s",
            lambda: loop.run(open_loop(port, keys, per_s=OPEN_LOOP_PER_S, seconds=2 * seconds)).cells(),
        )
        row(
            f"REST, {REST_CLIENTS} clients",
            lambda: loop.run(asyncio.to_thread(rest_loop, port, keys, seconds=seconds)).cells(),
        )
        for load in (0, 1_000):
            row(
                f"a tick, beside {load:,} orders/s",
                lambda load=load: loop.run(tick_cells(port, keys, feed_key, load, seconds)),
            )
        pricing.cancel()
    return rows


async def start_pricing(port: int, feed_key: str) -> "asyncio.Task[None]":
    pricing = asyncio.create_task(keep_priced(port, feed_key))
    await asyncio.sleep(0.5)
    return pricing


async def tick_cells(port: int, keys: list[str], feed_key: str, load: int, seconds: float) -> list[str]:
    """Return how long ticks take beside so many orders a second."""
    probe = TickProbe()
    ticking = asyncio.create_task(probe.run(port, feed_key, seconds))
    if load:
        await open_loop(port, keys, per_s=load, seconds=seconds)
    await ticking
    p50, p99 = (f"{report.quantile(probe.latencies, part):.2f}" for part in (0.5, 0.99))
    return ["", p50, p99, f"{max(probe.latencies):.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("set_ups", nargs="*", choices=[*SET_UPS, []], help="which to measure; default: all")
    options = parser.parse_args()
    seconds, names = options.seconds, options.set_ups or list(SET_UPS)
    pace = Pace()
    measured: list[tuple[str, float, list[Row]]] = []
    with ExitStack() as resources, Progress() as progress:
        task = progress.add_task("", total=6 * len(names))

        def step(what: str) -> None:
            progress.update(task, advance=1, description=what)

        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        for name in names:
            arguments, env, commits = set_up(name, resources, seconds)
            place = folder / name
            place.mkdir()
            with serving(place, arguments, env) as (server, keys, feed_key):
                measured.append(
                    (SET_UPS[name], commits, measure(server, keys, feed_key, seconds=seconds, pace=pace, step=step))
                )
    lines = ["# Durable orders", "", *report.machine(), pace_line(pace), ""]
    for title, commits, rows in measured:
        lines += [f"## {title}", "", f"The database's own tiny commits: {commits:,.0f}/s.", ""]
        lines += [*report.table(HEAD, [row.line(pace) for row in rows]), ""]
    print("\n".join(lines))
    print(report.write("orders", lines))


def pace_line(pace: Pace) -> str:
    return (
        f"- machine: its speed beside each figure, as a part of its best in this run ({pace.best_s * 1e3:.1f} ms for "
        f"{TURNS:,} turns of an empty loop)"
    )


def set_up(name: str, resources: ExitStack, seconds: float) -> tuple[list[str], dict[str, str], float]:
    """Return how a server is started, and the tiny commits a second of its database."""
    if name == "sqlite":
        return [], {}, sqlite_commits(seconds / 2)
    if "TEST_DATABASE_URL" not in os.environ:
        start_postgres(resources)
    url = resources.enter_context(fresh_database())
    commits = postgres_commits(url, seconds / 2)
    if name == "postgres":
        return [], {"DATABASE_URL": url}, commits
    valkey = start_valkey(resources)
    return ["--workers", "1"], {"DATABASE_URL": url, "REDIS_URL": valkey.connection_url}, commits


if __name__ == "__main__":
    main()
