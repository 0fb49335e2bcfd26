"""Starts the servers that are measured, each on its core, and says how a client of theirs begins."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from accounts.signing import sign
from benchmarks.cores import Cores, pinned, settle
from benchmarks.fanout import build
from benchmarks.fanout.peers.keys import KEY
from benchmarks.fanout.workloads import Workload
from tests.journeys.harness import RELAXED, environment
from tests.plugins.services import ROOT, free_port, start_valkey

START_S = 60
STOP_S = 20
PRODUCTS = 50
"""At least so many, whatever is asked for."""

SETTINGS = {
    **RELAXED, "CONNECTIONS_PER_KEY": "0", "SIGNATURE_SINGLE_USE": "0", "AUTH_WINDOW_S": "3600",
    "STALE_AFTER_S": "3600", "FEED": "none",
}  # fmt: skip
"""Tickwire's limits are per address and key, and all our clients have the same."""

TITLES = {
    "tickwire": "Tickwire",
    "tickwire-valkey": "Tickwire through Valkey",
    "plain": "plain Channels (A)",
    "starlette": "Starlette, uvloop",
    "picows": "picows, uvloop",
    "ceiling": "C server (H)",
}


class ServerFailed(Exception):
    """A server that did not start, with the end of what it said."""


@dataclass(slots=True)
class Serving:
    """A server that runs: where, as which processes, and with which key."""

    port: int
    pids: list[int]
    publisher: subprocess.Popen[bytes]
    key: tuple[str, str]
    is_tickwire: bool

    def tell(self, command: str) -> None:
        """Give the publisher a command."""
        assert self.publisher.stdin is not None
        self.publisher.stdin.write(command.encode() + b"\n")
        self.publisher.stdin.flush()

    def path(self, workload: Workload) -> str:
        return f"/ws/{workload.stream}s" if self.is_tickwire else "/"

    def script(self, workload: Workload) -> Iterator[str]:
        """Yield what each connection sends: its messages with tabs between them."""
        for number in range(workload.connections):
            first = number * workload.each
            mine = [f"S{(first + at) % workload.products:02d}" for at in range(workload.each)]
            if workload.stream == "event":
                channels = [f"trading:quotes:{product}" for product in mine]
                yield _text(type="subscribe", channels=channels)
            else:
                yield _text(type="auth", apiKey=self.key[1]) + "\t" + _text(type="subscribe", symbols=mine)

    def private_script(self) -> str:
        """Return what a connection sends that wants its account's events."""
        now_ms = int(time.time() * 1000)
        signature = sign(self.key[1], timestamp_ms=now_ms, method="GET", path="/ws-auth")
        auth = {"key": self.key[0], "sig": signature, "timestamp": now_ms}
        return _text(type="subscribe", channels=["trading:balances_demo"], auth=auth)


def _text(**fields: object) -> str:
    return json.dumps(fields, separators=(",", ":"))


class Servers:
    """Starts servers by name; Tickwire's database is made once for each number of products, and copied."""

    def __init__(self, folder: Path, cores: Cores) -> None:
        self._folder = folder
        self._cores = cores
        # number of products -> the key of the database with so many
        self._keys: dict[int, tuple[str, str]] = {}
        self._count = 0

    @contextmanager
    def running(self, name: str, workload: Workload) -> Iterator[Serving]:
        """Run a server for one measurement."""
        with ExitStack() as resources:
            if name == "tickwire":
                yield self._tickwire(resources, workload)
            elif name == "tickwire-valkey":
                yield self._tickwire_with_valkey(resources, workload)
            else:
                yield self._other(name, resources)

    def _other(self, name: str, resources: ExitStack) -> Serving:
        port = free_port()
        module = [sys.executable, "-m", f"benchmarks.fanout.peers.{name}"]
        command = [str(build.program("ceiling"))] if name == "ceiling" else module
        process = self._start(resources, [*command, str(port)], ready="ready")
        return Serving(port, [process.pid], process, ("", KEY), is_tickwire=False)

    def _tickwire(self, resources: ExitStack, workload: Workload) -> Serving:
        port = free_port()
        data, key = self._data(workload)
        env = environment(data, SETTINGS)
        process = self._start(resources, _serve("--port", str(port)), ready="Tickwire is ready", env=env)
        return Serving(port, [process.pid], process, key, is_tickwire=True)

    def _tickwire_with_valkey(self, resources: ExitStack, workload: Workload) -> Serving:
        """Some processes that serve on one port, one with the feed, and the Valkey between them."""
        port = free_port()
        with pinned(self._cores.behind):
            valkey = start_valkey(resources)
        data, key = self._data(workload)
        env = environment(data, {**SETTINGS, "REDIS_URL": valkey.connection_url})
        behind = self._cores.behind
        feed = self._start(resources, _serve("--role", "feed"), ready="feed is running", env=env, core=behind)
        serve = _serve("--role", "web", "--port", str(port), "--shared-port")
        webs = [
            self._start(resources, serve, ready="web process is ready", env=env, core=self._cores.worker(number))
            for number in range(workload.workers)
        ]
        pids = [process.pid for process in (*webs, feed)]
        with redis.from_url(valkey.connection_url) as client:
            pids.append(client.info("server")["process_id"])
        return Serving(port, pids, feed, key, is_tickwire=True)

    def _data(self, workload: Workload) -> tuple[Path, tuple[str, str]]:
        """Return a data folder of its own for one server, and the key of its database."""
        products = max(PRODUCTS, workload.products)
        made = self._folder / f"prepared-{products}"
        if products not in self._keys:
            command = [sys.executable, "-m", "benchmarks.fanout.peers.tickwire", "prepare", str(products)]
            env = environment(made, SETTINGS)
            said = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
            key_id, secret = said.split()[-2:]
            self._keys[products] = (key_id, secret)
        self._count += 1
        return Path(shutil.copytree(made, self._folder / f"data-{self._count}")), self._keys[products]

    def _start(
        self, resources: ExitStack, command: Sequence[str], *, ready: str, env: dict[str, str] | None = None,
        core: int | None = None,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        log = self._folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=output, stderr=output)
        resources.callback(_end, process)
        settle(process, self._cores.server if core is None else core)
        deadline_s = time.monotonic() + START_S
        while ready not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > deadline_s:
                said = log.read_text(errors="replace")[-3000:]
                raise ServerFailed(f"{' '.join(command[-4:])} did not start:\n{said}")
            time.sleep(0.02)
        return process


def _serve(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.fanout.peers.tickwire", "serve", *arguments]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
