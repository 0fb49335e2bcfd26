"""How many durable orders a second, and how long each takes: over the socket and REST, on SQLite and PostgreSQL.

    python -m benchmarks.orders [--seconds N] [sqlite] [postgres] [apart]

Beside every figure stands the database's own rate of tiny commits, measured in the same run: what a disk allows is no
merit of the server. The load generator runs in this process, on the same two cores; the server and its database go
before it, as they would if its clients were elsewhere. Every figure is a median of rounds, and the last column says how
fast the machine was beside it (`pace.py`).
"""

import argparse
import asyncio
import http.client
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
from statistics import median

import psycopg
from rich.progress import Progress

from benchmarks import report
from benchmarks.cores import preferred
from benchmarks.databases import start_postgres
from benchmarks.pace import TURNS, Pace
from benchmarks.ticks import Ticking
from benchmarks.traders import AMOUNT, Run, closed_loop, drained, open_loop, start_traders, trade_at_random
from benchmarks.wire import Connection
from tests.journeys.harness import RELAXED, Server, fresh_database
from tests.plugins.services import start_valkey

USERS = 20
REST_CLIENTS = 8

ISSUE = f"""
from accounts.models import User
from accounts.services import api_key_create
for number in range({USERS}):
    user = User.objects.create_user(f"trader{{number}}")
    key, secret = api_key_create(user=user, scopes=["read", "trade"], environments=["demo"])
    print(f"{{key.public_id}}:{{secret}}")
"""
"""All keys in one process: a command for each takes longer than what is measured."""

ROUNDS = 3
"""All loads once, then again: a neighbour that takes the disk or a core for ten seconds spoils one of three."""
OPEN_LOOP_PER_S = 200
BESIDE_PER_S = 1_000
SLICE_S = 1.0
"""Ticks are measured with and without orders beside them, in turns of so long: the machine's speed changes."""
TICKING = 3
"""Times as long as the others: of a hundred ticks a second, the slowest hundredth has to be more than a few."""
SETTLE_S = 0.2
"""Between two turns, so that no tick waits for what the one before has left."""

SET_UPS = {
    "sqlite": "SQLite, one process",
    "postgres": "PostgreSQL, one process",
    "apart": "PostgreSQL and Valkey, web and engine apart",
}

HEAD = ["load", "per s", "p50 ms", "p99 ms", "max ms", "machine"]

Step = Callable[[str], None]
"""Says what is measured next."""


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
    with ExitStack() as resources:
        with preferred():
            server = resources.enter_context(
                Server(folder, "--feed", "none", *arguments, env={**RELAXED, "STALE_AFTER_S": "3600", **env})
            )
        keys = server.manage("shell", "-v", "0", "-c", ISSUE).split()
        yield server, keys, server.issue_key("feed", "--scope", "market", "--scope", "feed").secret


Figures = tuple[float, float, float, float]
"""Of one load: what was done a second (0: not asked), p50, p99 and the longest in ms."""


@dataclass(slots=True)
class Row:
    """A line of a table, from all its rounds; `turns_s`: how long the machine's own piece of work took beside each."""

    name: str
    format: str
    figures: list[Figures] = field(default_factory=list)
    turns_s: list[float] = field(default_factory=list)

    def line(self, pace: Pace) -> list[str]:
        """Return the medians, and the machine's speed."""
        per_s, *times = map(median, zip(*self.figures, strict=True))
        rate = f"{per_s:,.0f}" if per_s else ""
        return [
            self.name,
            rate,
            *(format(each, self.format) for each in times),
            f"{pace.part(median(self.turns_s)):.0%}",
        ]


def measure(server: Server, keys: list[str], feed_key: str, *, seconds: float, pace: Pace, step: Step) -> list[Row]:
    """Return a row for every kind of load; each is put on the server in every round."""
    port = server.port
    with asyncio.Runner() as loop:
        loads: list[tuple[str, Callable[[], Run]]] = [
            (
                f"socket, {width} in flight",
                lambda width=width: loop.run(closed_loop(port, keys, width=width, seconds=seconds)),
            )
            for width in (80, 320)
        ]
        loads += [
            (
                f"socket, {OPEN_LOOP_PER_S}/s",
                lambda: loop.run(open_loop(port, keys, per_s=OPEN_LOOP_PER_S, seconds=2 * seconds)),
            ),
            (
                f"REST, {REST_CLIENTS} clients",
                lambda: loop.run(asyncio.to_thread(rest_loop, port, keys, seconds=seconds)),
            ),
        ]
        rows = [Row(name, ".1f") for name, _ in loads]
        ticks = [Row(f"a tick, {name}", ".2f") for name in ("alone", f"beside {BESIDE_PER_S:,} orders/s")]
        pricing = loop.run(start_pricing(port, feed_key))
        for _ in range(ROUNDS):
            for row, (name, load) in zip(rows, loads, strict=True):
                step(name)
                run, turn_s = pace.beside(load)
                row.figures.append((run.rate, *quantiles(run.latencies)))
                row.turns_s.append(turn_s)
            step("a tick")
            both, turn_s = pace.beside(lambda: loop.run(tick_latencies(port, keys, feed_key, TICKING * seconds)))
            for row, latencies in zip(ticks, both, strict=True):
                row.figures.append((0, *quantiles(latencies)))
                row.turns_s.append(turn_s)
        pricing.cancel()
    return rows + ticks


def quantiles(latencies: list[float]) -> tuple[float, float, float]:
    """Return p50, p99 and the longest."""
    return report.quantile(latencies, 0.5), report.quantile(latencies, 0.99), max(latencies)


async def start_pricing(port: int, feed_key: str) -> "asyncio.Task[None]":
    pricing = asyncio.create_task(keep_priced(port, feed_key))
    await asyncio.sleep(0.5)
    return pricing


async def tick_latencies(port: int, keys: list[str], feed_key: str, seconds: float) -> tuple[list[float], list[float]]:
    """Return how long ticks take alone, and beside orders: so long each, in turns."""
    ticking, traders, dice = Ticking(port, feed_key), await start_traders(Run(), port, keys), random.Random(1)
    for number in range(2 * max(1, round(seconds / SLICE_S))):
        await asyncio.sleep(SETTLE_S)
        ticking.measure("beside" if number % 2 else "alone")
        if number % 2:
            await trade_at_random(traders, dice, per_s=BESIDE_PER_S, seconds=SLICE_S)
        else:
            await asyncio.sleep(SLICE_S)
        ticking.measure("")
    await drained(traders)
    latencies = ticking.end()
    return latencies["alone"], latencies["beside"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("set_ups", nargs="*", choices=[*SET_UPS, []], help="which to measure; default: all")
    options = parser.parse_args()
    seconds, names = options.seconds, options.set_ups or list(SET_UPS)
    pace = Pace()
    measured: list[tuple[str, float, list[Row]]] = []
    with ExitStack() as resources, Progress() as progress:
        task = progress.add_task("", total=5 * ROUNDS * len(names))

        def step(what: str) -> None:
            progress.update(task, advance=1, description=what)

        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        for name in names:
            with preferred():
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
        f"- medians of {ROUNDS} rounds; machine: its speed beside each figure, as a part of its best in this run "
        f"({pace.best_s * 1e3:.1f} ms for {TURNS:,} turns of an empty loop)"
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
