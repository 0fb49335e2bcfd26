"""The journal in a process of its own: what a database takes, it does not take from the loop.

    desk ── a batch ──▶ JournalProcess ══ socket ══▶ serve(): journal.py, one transaction
                             ◀══ an empty frame when it is committed, else what went wrong

A thread would share Python's one interpreter with the loop: ticks waited for it (docs/decisions/0019). Whatever ends
the engine ends this process too, after its batch, for the socket closes; whether that counts, its fence decides.

A frame is a length and so many bytes. `marshal` is for values of the very same Python, which is what both ends are.
"""

import asyncio
import contextlib
import marshal
import os
import signal
import socket
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence

from django.db import connection

from trading.journal import Inbox, Journal

HEADER = struct.Struct("!I")

LOST = "JournalLost"


class CommitFailed(Exception):
    """A batch was not written, or nobody knows. The text is the name of what was raised, or `LOST`."""


class JournalProcess(asyncio.Protocol):
    """The loop's end, from `start` to `kill`; one batch is on its way at a time. `lost`: called if it goes alone."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._child: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._committed: asyncio.Future[None] | None = None
        self._received = bytearray()

    async def start(self) -> None:
        """Start the process; a batch that is written before it has come up waits in the socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = _started(theirs)
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)

    @property
    def runs(self) -> bool:
        """Tell whether the line is open: a batch can be sent."""
        return self._transport is not None

    @property
    def pid(self) -> int:
        """Return the process's number, from `start` on."""
        assert self._child is not None
        return self._child.pid

    def write(self, batch: Sequence[bytes], fence: int, inbox: Inbox) -> "asyncio.Future[None]":
        """Have records' rows (`rows.packed`) committed, with the answers to administrators that go with them.

        The future fails with `CommitFailed`: what is in memory has to be loaded anew then.
        """
        committed = self._committed = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._end(LOST)
        else:
            body = marshal.dumps((list(batch), fence, list(inbox)))
            self._transport.write(HEADER.pack(len(body)) + body)
        return committed

    def kill(self) -> None:
        """End the process, whatever it is at: what has not been said to be committed, nobody relies on."""
        self._lost = lambda: None
        if self._transport is not None:
            self._transport.abort()
        if self._child is not None:
            self._child.kill()

    def wait(self) -> None:
        """Wait until the process has gone, in a thread: it writes nothing any more."""
        if self._child is not None:
            self._child.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._received)
            if len(self._received) == HEADER.size + length:
                words = self._received[HEADER.size :].decode()
                self._received.clear()
                self._end(words)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._end(LOST)
        self._lost()

    def _end(self, words: str) -> None:
        """Say how the batch on its way has ended, if there is one: no words, no failure."""
        committed, self._committed = self._committed, None
        if committed is None or committed.done():
            return
        if words:
            committed.set_exception(CommitFailed(words))
        else:
            committed.set_result(None)


def _started(line: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  # ourselves
        [sys.executable, "-m", __name__, str(line.fileno()), str(connection.settings_dict["NAME"])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, pass_fds=[line.fileno()],
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def serve(line: socket.socket) -> None:
    """Write the batches that come, one after the other, until the line is closed."""
    with line.makefile("rb") as frames, Journal() as journal:
        while header := frames.read(HEADER.size):
            (length,) = HEADER.unpack(header)
            batch, fence, inbox = marshal.loads(frames.read(length))  # noqa: S302  # our own process's bytes
            try:
                journal.write(map(marshal.loads, batch), fence, inbox)
                words = b""
            except Exception as error:
                words = type(error).__name__.encode()
            line.sendall(HEADER.pack(len(words)) + words)


def main(descriptor: str, database: str) -> None:
    """Serve on an open socket. `database` is the one that the engine has open, whatever the settings say by now."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they go to all of a group; the engine ends first, then its line
    if sys.platform == "linux":
        # Woken by a batch, it must not take the very processor on which the loop is sending it: with the usual policy
        # a send took 0.4 ms, a sixth of the loop's time at 1,000 orders a second.
        with contextlib.suppress(PermissionError):  # a container may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # No applications are loaded, only the database: it comes up in half the time, and is needed at every start.
    warnings.filterwarnings("ignore", "Accessing the database during app init", RuntimeWarning)
    connection.settings_dict["NAME"] = database
    with contextlib.suppress(OSError, EOFError, struct.error):  # the engine was killed, perhaps within a frame
        serve(socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main(*sys.argv[1:])
