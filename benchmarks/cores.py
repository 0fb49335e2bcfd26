"""Which processor is whose: what is measured has one for itself, and goes before others as far as we are allowed to."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRIORITY = -15

SERVES_SOCKETS = "--role\0web\0"
"""In the command line of a process that serves, where the engine and the feed have others."""


class CoreMissing(Exception):
    """A machine that cannot be measured on, in a sentence."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the measured server has, which the load, and which whatever else a server needs behind it."""

    server: int
    load: int
    behind: int
    further: tuple[int, ...] = ()

    @classmethod
    def of_this_machine(cls) -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise CoreMissing("A server and its load need a core each, and this machine has one.")
        return cls(cores[0], cores[1], cores[2] if len(cores) > 2 else cores[1], tuple(cores[3:]))

    def worker(self, number: int) -> int:
        """Return the core of one of several processes that serve: its own as long as there are any.

        On two cores they share one: not faster, but it shows what several cost. The other one has enough to do.
        """
        own = (self.server, *self.further)
        return own[number % len(own)]


def settle(process: "subprocess.Popen[Any]", core: int) -> None:
    """Put a process that has just started on a core, before others as far as we are allowed to."""
    _put(process.pid, core)


def settle_server(pid: int, cores: Cores) -> None:
    """Put a server that runs, with its threads, on its core, and the processes that it has started behind it.

    Where those serve the sockets, they are the server.
    """
    family = [pid, *_descendants(pid)]
    web = [one for one in family if SERVES_SOCKETS in Path(f"/proc/{one}/cmdline").read_text()]
    for one in family:
        for thread in Path(f"/proc/{one}/task").iterdir():
            _put(int(thread.name), cores.server if one in (web or [pid]) else cores.behind)


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Let this process, and those that are started meanwhile, be on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _put(thread: int, core: int) -> None:
    os.sched_setaffinity(thread, {core})
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, thread, PRIORITY)


def _descendants(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            yield child
            yield from _descendants(child)
