"""The one server command: everything in one process, or one role of several."""

import argparse
import asyncio
import gc
import io
import os
import resource
import signal
import socket
import sys
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.database import released

BEHIND = ("feed", "engine")
"""Roles that listen on no port."""

ROLES = ("web", *BEHIND)

SWITCH_S = 0.001
"""How long a thread may keep the interpreter when the loop wants it: Python's own 5 ms are five ticks' time."""


class Command(BaseCommand):
    help = "Serve sockets, REST and pages, and the feed and the engine behind them."
    requires_system_checks = ()  # see `handle`

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", choices=ROLES, help="run one role only (needs REDIS_URL); default: all in one")
        parser.add_argument("--workers", type=int, default=0, metavar="N",
                            help="N web processes, and one each for feed and engine (needs REDIS_URL)")  # fmt: skip
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (HOST)")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port to listen on (PORT)")
        parser.add_argument("--feed", default=settings.FEED, metavar="SOURCE",
                            help="sim, replay:[SYMBOL=]FILE[,…] or none (FEED)")  # fmt: skip
        parser.add_argument("--speed", default="1", help="replay: a factor, max, or step (a client's message each)")
        parser.add_argument("--loop", action="store_true", help="replay: begin again at the end")
        parser.add_argument("--wait-clients", type=int, default=0, metavar="N",
                            help="replay: begin with the Nth subscription")  # fmt: skip
        parser.add_argument("--fresh", action="store_true", help="forget the stored candles first")
        parser.add_argument("--shared-port", action="store_true", help=argparse.SUPPRESS)
        parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)  # the supervisor's pipe

    def handle(self, *args: Any, **options: Any) -> None:
        settings.HOST, settings.PORT = options["host"], options["port"]
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A secret that is shown once must not wait in a buffer when the output goes to a file.
            sys.stdout.reconfigure(line_buffering=True)
        self._check(options)
        if options["role"] not in BEHIND:
            self.check()  # it loads all the pages, which those never show
        self._raise_file_limit()
        self._await_database()
        if options["role"] in BEHIND:
            asyncio.run(self._run_behind(options))
            return
        listening = self._listening(options, shared=bool(options["workers"]) or options["shared_port"])
        if options["role"] is None:
            from config.preparation import prepare

            prepare(self.stdout.write)  # says its secrets at once: whatever goes wrong later, they have been shown
        if options["workers"]:
            from config.supervisor import supervise

            listening.close()
            sys.exit(supervise(options, self.stdout.write))
        self._serve(options, listening)

    # ---- what can be wrong, each in one sentence

    def _check(self, options: dict[str, Any]) -> None:
        several = options["role"] is not None or options["workers"]
        if several and not settings.REDIS_URL:
            raise CommandError("Several processes need a channel layer between them: set REDIS_URL.")
        if options["role"] and options["workers"]:
            raise CommandError("--workers starts the roles itself: leave --role away.")
        if options["workers"] < 0 or options["wait_clients"] < 0:
            raise CommandError("--workers and --wait-clients count from 0.")

    def _feed_options(self, options: dict[str, Any]) -> Any:
        from config.feed_role import FeedOptions
        from market.sources import SourceInvalid, parse_spec, prepare_source

        try:
            source = parse_spec(options["feed"])
            speed = _speed(options["speed"])
            prepare_source(source, fresh=options["fresh"], say=self.stdout.write)
        except SourceInvalid as error:
            raise CommandError(str(error)) from None
        return FeedOptions(source, speed, loop=options["loop"], wait_clients=options["wait_clients"])

    def _listening(self, options: dict[str, Any], *, shared: bool) -> socket.socket:
        from streaming.server import listen

        try:
            return listen(options["host"], options["port"], shared=shared)
        except OSError as error:
            place = f"{options['host']}:{options['port']}"
            raise CommandError(
                f"Cannot listen on {place} ({error.strerror}): end what uses it, or choose another with --port."
            ) from None

    def _await_database(self) -> None:
        from config.patience import DatabaseAway, database_wait

        try:
            database_wait(self.stdout.write)
        except DatabaseAway as away:
            raise CommandError(str(away)) from None

    # ---- the processes

    def _serve(self, options: dict[str, Any], listening: socket.socket) -> None:
        from config.asgi import make_application
        from config.house import House
        from streaming.server import Server

        house = House(None if options["role"] == "web" else self._feed_options(options), engine=options["role"] is None)

        async def ready() -> None:
            await house.ready()
            settle()
            name = "This web process" if options["role"] else "Tickwire"
            self.stdout.write(f"{name} is ready: http://{options['host']}:{options['port']}/  (Ctrl-C ends it)")

        server = Server(make_application(house), on_stop=house.stop)
        server.run(listening, ready)
        if server.failed:
            sys.exit(1)

    async def _run_behind(self, options: dict[str, Any]) -> None:
        """Run the feed or an engine: a process that listens on no port."""
        from config.house import House

        if options["role"] == "feed":
            house = House(await asyncio.to_thread(released, partial(self._feed_options, options)))
        else:
            house = House(engine=True)
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await house.ready()
        settle()
        self.stdout.write(f"The {options['role']} is running.")
        if options["ready_fd"] is not None:
            os.write(options["ready_fd"], b"1")
            os.close(options["ready_fd"])
        await ended.wait()
        await house.stop()

    def _raise_file_limit(self) -> None:
        """Allow as many sockets as the machine lets us have."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _speed(text: str) -> float | str:
    if text in ("max", "step"):
        return text
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed < float("inf"):
        raise CommandError("--speed is a factor above 0, max or step.")
    return speed


def settle() -> None:
    """Let nothing hold the loop: a full garbage collection over what start-up made takes 90 ms, a thread's turn 5."""
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
