"""Play recorded ticks, in their own time or faster."""

import asyncio
import heapq
import sys
import time
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from engine.day_ago import DAY_MS
from engine.values import Tick
from market.feed import REPLAY_SOURCE, Feed
from market.sources.files import ReplayFile, SourceInvalid, ticks

SLICE = 64
"""Ticks handed over before the loop turns: at full speed a slice takes about 2 ms."""

PROGRESS_EVERY_S = 0.2


def merged(files: Iterable[ReplayFile]) -> Iterator[Tick]:
    """Read several files as one stream in order of time, without loading them."""
    return heapq.merge(*(ticks(file) for file in files), key=lambda tick: tick.time_ms)


def check(files: Iterable[ReplayFile], *, ended_s: int | None) -> None:
    """Read all files once, so that what is wrong with them is said before anything starts; raises `SourceInvalid`.

    `ended_s` is when the stored history ends, None without one.
    """
    firsts = [extent([file])[0] for file in files]
    if ended_s is not None and min(firsts) < ended_s * 1000:
        raise SourceInvalid("The replay begins before the stored history ends: add --fresh to forget that history.")


def extent(files: Iterable[ReplayFile]) -> tuple[int, int, int]:
    """Return the first and last time (ms) and the number of ticks; raises `SourceInvalid` where there are none."""
    first = last = None
    count = 0
    for tick in merged(files):
        # A file may have ticks out of order: the feed refuses those, the extent has room for them.
        first = tick.time_ms if first is None else min(first, tick.time_ms)
        last = tick.time_ms if last is None else max(last, tick.time_ms)
        count += 1
    if first is None or last is None:
        raise SourceInvalid("The replay has no ticks in it.")
    return first, last, count


async def run(
    files: tuple[ReplayFile, ...], feed: Feed, *, speed: float | str, loop: bool, step: asyncio.Semaphore
) -> None:
    """Play the files once, or with `loop` again and again, each time shifted by their span rounded up to whole days."""
    first, last, count = await asyncio.to_thread(extent, files)
    shift_ms = 0
    feed.replaying = True
    try:
        while True:
            await _play(files, feed, speed=speed, step=step, shift_ms=shift_ms, count=count)
            if not loop:
                break
            shift_ms += -(-(last - first + 1) // DAY_MS) * DAY_MS
    except Exception:  # not when the process ends: its open candles stay open
        feed.end_of_source(now_s=time.monotonic())
        raise
    feed.end_of_source(now_s=time.monotonic())


async def _play(
    files: tuple[ReplayFile, ...], feed: Feed, *, speed: float | str, step: asyncio.Semaphore, shift_ms: int, count: int
) -> None:
    pace = _Pace(speed, step)
    progress = _Progress(count)
    handed = 0
    for tick in merged(files):
        shifted = replace(tick, time_ms=tick.time_ms + shift_ms) if shift_ms else tick
        await pace.wait_for(shifted.time_ms)
        feed.submit([shifted], source=REPLAY_SOURCE, wall_ms=time.time_ns() // 1_000_000, now_s=time.monotonic())
        handed += 1
        if handed % SLICE == 0:
            await asyncio.sleep(0)
            progress.show(handed)
    progress.end(handed)


class _Pace:
    """Waits until a tick is due: a factor of real time, at once (`max`), or when somebody says so (`step`)."""

    def __init__(self, speed: float | str, step: asyncio.Semaphore) -> None:
        self._speed = speed
        self._step = step
        self._first_ms: int | None = None
        self._started_s = 0.0

    async def wait_for(self, time_ms: int) -> None:
        if self._speed == "step":
            await self._step.acquire()
        elif isinstance(self._speed, float):
            if self._first_ms is None:
                self._first_ms, self._started_s = time_ms, time.monotonic()
            due_s = self._started_s + (time_ms - self._first_ms) / 1000 / self._speed
            delay_s = due_s - time.monotonic()
            if delay_s > 0:
                await asyncio.sleep(delay_s)


class _Progress:
    """A line on the terminal that says how far the replay is; nothing where nobody looks."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._shown_s = 0.0
        self._visible = sys.stderr.isatty()
        if self._visible:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
            self._task = self._bar.add_task("replay", total=count)
            self._bar.start()

    def show(self, done: int) -> None:
        if self._visible and time.monotonic() - self._shown_s >= PROGRESS_EVERY_S:
            self._shown_s = time.monotonic()
            self._bar.update(self._task, completed=done, refresh=True)

    def end(self, done: int) -> None:
        if self._visible:
            self._bar.update(self._task, completed=done, refresh=True)
            self._bar.stop()
