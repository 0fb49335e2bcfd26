"""How late is a tick? A client in a process of its own, which traders beside it do not hold up.

    python -m benchmarks.ticks PORT

On standard input: first a key that may publish ticks, then, a line each, the name of what is measured from now on; an
empty line is nothing. At its end it prints name -> latencies in ms as JSON.
"""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import suppress

from benchmarks.wire import Connection
from tests.plugins.services import ROOT

TICKS_PER_S = 100


class Probe:
    """Publishes ticks that know when they were sent, and notes how long each takes to come back as a quote."""

    def __init__(self) -> None:
        self.latencies: dict[str, list[float]] = {}
        self.measured = ""
        # a tick's bid -> when it was sent, and what for
        self._sent: dict[str, tuple[float, str]] = {}
        self._numbers = itertools.cycle(range(10_000))
        self._subscribed = asyncio.Event()

    async def run(self, port: int, feed_key: str) -> None:
        """Publish until cancelled."""
        reader = await Connection.connect(port, "/ws/events", self._heard)
        reader.send(b'{"type":"subscribe","channels":["trading:quotes:GBP-USD"]}')
        await self._subscribed.wait()
        writer = await Connection.connect(port, "/ws/ticks", lambda _: None)
        writer.send(json.dumps({"type": "auth", "apiKey": feed_key}).encode())
        print("ready", flush=True)
        while True:
            await asyncio.sleep(1 / TICKS_PER_S)
            bid = f"1.1{next(self._numbers):04d}"
            self._sent[bid] = (time.perf_counter(), self.measured)
            tick = ["GBPUSD", bid, "1.30000", int(time.time() * 1000)]
            writer.send(json.dumps({"type": "publish", "ticks": [tick]}).encode())

    def _heard(self, payload: bytes) -> None:
        message = json.loads(payload)
        if message.get("event") == "quote":
            sent_s, measured = self._sent.pop(message["data"][2], (0.0, ""))
            if measured:
                self.latencies.setdefault(measured, []).append((time.perf_counter() - sent_s) * 1000)
        elif message.get("type") == "subscribed":
            self._subscribed.set()


class Ticking:
    """The process with the probe, from outside."""

    def __init__(self, port: int, feed_key: str) -> None:
        command = [sys.executable, "-m", "benchmarks.ticks", str(port)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        with suppress(PermissionError):  # woken at once: how long a client waits for a processor is not the server's
            os.sched_setscheduler(self._process.pid, os.SCHED_FIFO, os.sched_param(1))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._words, self._said = self._process.stdin, self._process.stdout
        self.measure(feed_key)
        if self._said.readline() != "ready\n":
            raise RuntimeError("the probe did not start")

    def measure(self, name: str) -> None:
        """Say what is measured from now on; nothing where the name is empty."""
        self._words.write(f"{name}\n")

    def end(self) -> dict[str, list[float]]:
        """End the probe and return name -> latencies in ms."""
        said, _ = self._process.communicate()
        found: dict[str, list[float]] = json.loads(said)
        return found


async def main(port: int) -> None:
    probe, ended = Probe(), asyncio.Event()
    feed_key = sys.stdin.readline().strip()

    def told() -> None:
        text = os.read(sys.stdin.fileno(), 4096).decode()
        for line in text.splitlines():
            probe.measured = line
        if not text:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            ended.set()

    publishing = asyncio.create_task(probe.run(port, feed_key))
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), told)
    await asyncio.wait([publishing, asyncio.create_task(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
    publishing.cancel()
    print(json.dumps(probe.latencies))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
