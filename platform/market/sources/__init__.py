"""Where ticks come from: the simulator, a replay of files, or whoever publishes.

`parse_spec` reads what `--feed` says, `prepare_source` makes the database fit (and says what is wrong before anything
starts), `run` lets the ticks flow.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from market.feed import Feed
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

    if fresh:
        store.history_clear()
    if isinstance(spec, SimSpec):
        simulator.back_fill(seed=spec.seed, say=say)
    elif isinstance(spec, ReplaySpec):
        replay.check(spec.files, newest_s=store.history_newest_s())


async def run(spec: SourceSpec, feed: Feed, *, speed: float | str, loop: bool, step: asyncio.Semaphore) -> None:
    """Let the ticks flow until the source ends; `step` is released once for each tick of a replay at speed `step`."""
    if isinstance(spec, SimSpec):
        await simulator.run(feed, seed=spec.seed)
    elif isinstance(spec, ReplaySpec):
        await replay.run(spec.files, feed, speed=speed, loop=loop, step=step)
