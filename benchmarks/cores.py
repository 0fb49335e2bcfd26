"""Which processor is whose, and who goes before others: what is measured does, as far as we are allowed to."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

PRIORITY = -15


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
    os.sched_setaffinity(process.pid, {core})
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, process.pid, PRIORITY)


@contextmanager
def preferred() -> Iterator[None]:
    """Let the processes that are started meanwhile go before others as far as we are allowed to."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    try:
        yield
    finally:
        with suppress(PermissionError):  # who was not allowed to go up has nothing to come down from
            os.setpriority(os.PRIO_PROCESS, 0, before)


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Let this process, and those that are started meanwhile, be on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
