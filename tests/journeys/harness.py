"""A real server for the journeys: `manage.py serve` as child processes, on a database and a port of their own.

with Server(data_dir) as server:
    key = server.issue_key("ann", "--scope", "market")
    socket = websocket.create_connection(server.ws_url)
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.sql import SQL, Identifier

from config.env import VARIABLES
from tests.plugins.services import ROOT, free_port

START_S = 60
"""A first start back-fills days of candles, beside other tests on the same two cores."""

STOP_S = 20
LIMITS = ("CONNECTIONS_PER_ADDRESS", "SUBSCRIBE_INTERVAL_S", "REST_LIMIT_PER_S", "REST_IDENTITY_LIMIT_PER_S")
RELAXED = dict.fromkeys(LIMITS, "0")
"""Limits off, for journeys that are about something else: `Server(data_dir, env=RELAXED)`."""


class ServerFailed(AssertionError):
    """A server that did not start or end as it should, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as `issue_key` prints it: the public id and the secret."""

    id: str
    secret: str


class Process:
    """One `manage.py` child process whose output goes to a file."""

    def __init__(self, arguments: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self._arguments, self._env, self._log = arguments, env, log
        self._child: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Start it, and wait for nothing."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "manage.py", *self._arguments],
                cwd=ROOT, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def start(self, ready: Callable[[], bool]) -> None:
        """Start it and wait until `ready`; raises `ServerFailed`."""
        self.spawn()
        self.wait_until(ready)

    def wait_until(self, ready: Callable[[], bool], within_s: float = START_S) -> None:
        """Wait until one that was started is `ready`; raises `ServerFailed`."""
        assert self._child is not None
        deadline_s = time.monotonic() + within_s
        while not ready():
            if self._child.poll() is not None:
                raise ServerFailed(f"it ended with {self._child.returncode}:\n{self.log()[-3000:]}")
            if time.monotonic() > deadline_s:
                self.kill()
                raise ServerFailed(f"it was not ready within {within_s} s:\n{self.log()[-3000:]}")
            time.sleep(0.03)

    def wait(self, timeout_s: float = STOP_S) -> int:
        """Wait for its end and return the exit code."""
        assert self._child is not None
        return self._child.wait(timeout_s)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask it to end, as Ctrl-C does, and return the exit code; raises `ServerFailed` when it does not end."""
        assert self._child is not None
        self._child.send_signal(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"it did not end within {STOP_S} s:\n{self.log()[-3000:]}") from None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def send_signal(self, number: int) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def processor_s(self) -> float:
        """How long it has had a processor, all its threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        """Return all that it has printed so far, earlier starts included."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""


class Clerk:
    """A process that runs one management command after the other: a second for the first, nothing for the next."""

    _CODE = """if True:
        import io, json, sys
        from django.core.management import call_command
        for line in sys.stdin:
            printed = io.StringIO()
            call_command(*json.loads(line), stdout=printed)
            print(json.dumps(printed.getvalue()), flush=True)
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", self._CODE],
            cwd=ROOT, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def manage(self, *arguments: str) -> str:
        """Return what a command prints; raises `ServerFailed`, and its words are the test run's own output then."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print(json.dumps(arguments), file=self._child.stdin, flush=True)
        answer = self._child.stdout.readline()
        if not answer:
            raise ServerFailed(f"manage.py {' '.join(arguments)} ended with {self._child.wait()}")
        printed: str = json.loads(answer)
        return printed

    def end(self) -> None:
        self._child.communicate()


class Server(Process):
    """A process that serves: everything in one (the default), or `("--role", "web")`, or `("--workers", "2")`."""

    def __init__(
        self, data_dir: Path, *arguments: str, env: Mapping[str, str] | None = None, port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.env = environment(data_dir, {"PORT": str(self.port), **(env or {})})
        self._clerk: Clerk | None = None
        super().__init__(["serve", *arguments], env=self.env, log=data_dir / f"server-{self.port}.log")

    def __enter__(self) -> Self:
        self.start(self.answers)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_or_stop()

    def kill_or_stop(self) -> None:
        """End it whatever it is doing: in order if it does, else by force."""
        if self._clerk is not None:
            self._clerk.end()
            self._clerk = None
        if self.running:
            try:
                self.stop(signal.SIGTERM)
            except ServerFailed:
                self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Say whether GET /time answers."""
        try:
            return "timestamp" in self.get("/time")
        except (OSError, ValueError):
            return False

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        """Return a REST answer's JSON; raises `urllib.error.HTTPError` for refusals."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def shown_once(self, what: str) -> str:
        """Return a secret that the first start has printed: `password` or `demo API key`."""
        found = re.search(rf"{what}\s+(\S+)  \(shown this once\)", self.log())
        assert found is not None, self.log()
        return found[1]

    def manage(self, *arguments: str) -> str:
        """Run another management command on the same data and return what it prints."""
        return manage(self.env, *arguments)

    def issue_key(self, user: str = "ann", *options: str) -> Key:
        """Issue an API key, with options as `manage.py issue_key` takes them."""
        self._clerk = self._clerk or Clerk(self.env)
        printed = json.loads(self._clerk.manage("issue_key", user, *options, "--json").splitlines()[-1])
        return Key(id=printed["id"], secret=printed["secret"])


@contextmanager
def fresh_database(template: str = "template0") -> Iterator[str]:
    """Give the address of a PostgreSQL database in the server that the test run has started: empty, or a copy."""
    name = f"journey_{uuid.uuid4().hex}"
    with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as connection:
        create = SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(Identifier(name), Identifier(template)))
        try:
            yield database_url(name)
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def database_url(name: str) -> str:
    """Return the address of a database in the run's PostgreSQL."""
    return os.environ["TEST_DATABASE_URL"].replace("/postgres?", f"/{name}?")


def eventually(condition: Callable[[], object], within_s: float = 10) -> None:
    """Wait until a condition is true; an assertion fails when it does not become so."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not true within {within_s} s"
        time.sleep(0.05)


def environment(data_dir: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: nothing of Tickwire's but what is given."""
    ours = {variable.name for variable in VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return {**inherited, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **given}


def manage(env: Mapping[str, str], *arguments: str, timeout_s: float = 60) -> str:
    """Run a management command and return what it prints; raises `ServerFailed` with its words when it fails."""
    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=timeout_s,
    )  # fmt: skip
    if ended.returncode != 0:
        raise ServerFailed(f"manage.py {' '.join(arguments)} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return ended.stdout
