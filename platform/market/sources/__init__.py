"""Where ticks come from: the simulator, a replay of files, or whoever publishes.

`parse_spec` reads what `--feed` says, `prepare_source` makes the database fit (and says what is wrong before anything
starts), `run` lets the ticks flow.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from market.catalogue import Catalogue
from market.feed import FUTURE_MS, MINUTE_MS, Feed
from market.sources import replay, simulator
from market.sources.files import ReplayFile, SourceInvalid, find_files

__all__ = ["NoneSpec", "ReplaySpec", "SimSpec", "SourceInvalid", "SourceSpec", "parse_spec", "prepare_source", "run"]


@dataclass(frozen=True, slots=True)
class SimSpec:
    """A seeded random walk of every product."""

    seed: int = 1


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """Recorded ticks, of one or several files in order of time."""

    files: tuple[ReplayFile, ...]


@dataclass(frozen=True, slots=True)
class NoneSpec:
    """Nothing but what clients with the `feed` scope publish."""


SourceSpec = SimSpec | ReplaySpec | NoneSpec


def parse_spec(text: str) -> SourceSpec:
    """Return the source that `sim`, `none` or `replay:[SYMBOL=]FILE[,…]` names; raises `SourceInvalid`."""
    kind, _, rest = text.partition(":")
    if text == "sim":
        return SimSpec()
    if text == "none":
        return NoneSpec()
    if kind == "replay" and rest:
        return ReplaySpec(find_files(rest.split(",")))
    raise SourceInvalid(f"--feed is sim, none or replay:[SYMBOL=]FILE[,…], not {text!r}.")


def prepare_source(spec: SourceSpec, *, fresh: bool, say: Callable[[str], object]) -> None:
    """Make the stored history fit the source, before anything runs; raises `SourceInvalid`."""
    from market import store

    if isinstance(spec, ReplaySpec):
        _check_products(spec.files)
        replay.check(spec.files, ended_s=None if fresh else store.history_ended_s())
    elif not fresh and (store.history_ended_s() or 0) * 1000 > time.time_ns() // 1_000_000 + MINUTE_MS + FUTURE_MS:
        # Every tick of now would be late.
        raise SourceInvalid("The stored history ends in the future: add --fresh to forget it.")
    if fresh:
        store.history_clear()
    if isinstance(spec, SimSpec):
        simulator.back_fill(seed=spec.seed, say=say)


def _check_products(files: Iterable[ReplayFile]) -> None:
    catalogue = Catalogue()
    catalogue.load()
    for file in files:
        if catalogue.resolve(file.symbol) is None:
            raise SourceInvalid(f"{file.path}: there is no product {file.symbol}. Write SYMBOL={file.path}.")


async def run(spec: SourceSpec, feed: Feed, *, speed: float | str, loop: bool, step: asyncio.Semaphore) -> None:
    """Let the ticks flow until the source ends; `step` is released once for each tick of a replay at speed `step`."""
    if isinstance(spec, SimSpec):
        await simulator.run(feed, seed=spec.seed)
    elif isinstance(spec, ReplaySpec):
        await replay.run(spec.files, feed, speed=speed, loop=loop, step=step)
