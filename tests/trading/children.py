"""Other processes on the test's own database: engines that are killed, or that hang."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from tests.plugins.services import ROOT

# The settings' database is not the tests' one, whose name only the test run knows.
_BEGIN = """
import os, signal, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
"""


class Child:
    """A process of ours; what it prints is read a line at a time, and a line wakes it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def wait_until_frozen(self) -> None:
        """Wait until it has stopped itself."""
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def child(code: str, **environment: str) -> Iterator[Child]:
    """Run code in a process of its own on the test's database; it is killed at the end."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    process = subprocess.Popen(
        [sys.executable, "-c", _BEGIN + code, str(connection.settings_dict["NAME"])],
        env={**os.environ, **environment, "PYTHONPATH": path}, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Child(process)
    finally:
        process.kill()
        process.communicate()
