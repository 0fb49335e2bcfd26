"""Several processes on one machine: N web processes on one port, one with the feed and one with the engine, started
and kept by a parent.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from config.env import BASE_DIR

RESTART_S = 1.0
"""Pause before a process that ended by itself is started again."""

POLL_S = 0.1
"""How often the parent looks at its children and at its signals."""

GRACE_S = 15
"""How long the processes may take to end in order."""


def supervise(options: dict[str, Any], say: Callable[[str], object]) -> int:
    """Run the processes until a signal comes; return the exit code.

    The feed comes first: what is wrong with its source ends everything at once, and a web process that answers has
    quotes to give.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopping.set())
    behind = [_feed_command(options), _base(options, "engine")]
    commands = [*behind, *([_web_command(options)] * options["workers"])]
    children: list[subprocess.Popen[bytes]] = []
    for command in behind:
        children.append(_spawn_ready(command, stopping))
        if children[-1].poll() is not None or stopping.is_set():
            _end(children)
            return children[-1].returncode
    children += [_spawn(command) for command in commands[len(behind) :]]
    say(f"Tickwire is starting {options['workers']} web processes: http://{options['host']}:{options['port']}/")
    while not stopping.wait(POLL_S):
        for index, child in enumerate(children):
            if child.poll() is not None and not stopping.is_set():
                say(f"{' '.join(commands[index][3:5])} ended with {child.returncode}; starting it again")
                stopping.wait(RESTART_S)
                children[index] = _spawn(commands[index], again=True)
    # Clients first: some orders end with their connection, and the engine has to be there for that.
    _end(children[len(behind) :])
    return _end(children[: len(behind)])


def _spawn_ready(command: list[str], stopping: threading.Event) -> subprocess.Popen[bytes]:
    """Start a process and wait until it says (on the pipe it is given) that it is ready, or has ended."""
    reading, writing = os.pipe()
    try:
        child = _spawn([*command, "--ready-fd", str(writing)], pass_fds=(writing,))
    finally:
        os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        while not stopping.is_set() and child.poll() is None:
            if select.select([pipe], [], [], POLL_S)[0] and pipe.read(1):
                break
    return child


def _end(children: list[subprocess.Popen[bytes]]) -> int:
    for child in children:
        child.terminate()
    deadline_s = time.monotonic() + GRACE_S
    for child in children:
        try:
            child.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
    return 0


def _spawn(command: list[str], *, again: bool = False, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    # Its own group: a terminal's Ctrl-C reaches this parent only, which then ends the children in order.
    if again:
        # A restarted feed goes on; it must not clear the history a second time.
        command = [part for part in command if part != "--fresh"]
    return subprocess.Popen(command, start_new_session=True, env={**os.environ}, pass_fds=pass_fds)  # noqa: S603  # ours


def _base(options: dict[str, Any], role: str) -> list[str]:
    address = ["--host", options["host"], "--port", str(options["port"])]
    return [sys.executable, str(BASE_DIR / "manage.py"), "serve", "--role", role, *address]


def _web_command(options: dict[str, Any]) -> list[str]:
    return [*_base(options, "web"), "--shared-port"]


def _feed_command(options: dict[str, Any]) -> list[str]:
    command = [*_base(options, "feed"), "--feed", options["feed"], "--speed", options["speed"]]
    command += ["--wait-clients", str(options["wait_clients"])]
    return command + [f"--{name}" for name in ("loop", "fresh") if options[name]]
