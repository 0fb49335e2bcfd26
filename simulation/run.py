"""How is a simulation run? Rounds on all cores, added up; of a failing one the shortest script.

What comes out depends on the plan alone, not on how many cores there are.
"""

import contextlib
import gc
import hashlib
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from simulation.bugs import planted
from simulation.driver import Driver
from simulation.laws import Violation
from simulation.rounds import ROUND_COMMANDS, Failed, Round
from simulation.script import Step, plainer
from simulation.shrink import shrunk
from simulation.situations import SITUATIONS, Situations

ENOUGH_COMMANDS = 100_000
"""In so many commands every situation has to occur; the rarest is expected a dozen times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`target`: how many trades are to be open; `bug`: a fault to plant, or ""."""

    seed: str
    commands: int
    target: int = 250
    naive: bool = True
    bug: str = ""

    def rounds(self) -> Iterator[tuple["Plan", int, int]]:
        """Yield plan, number and commands of each round."""
        for number, begin in enumerate(range(0, self.commands, ROUND_COMMANDS)):
            yield self, number, min(ROUND_COMMANDS, self.commands - begin)


@dataclass(frozen=True, slots=True)
class Failure:
    """The law that did not hold, in the words of who found it, and the script that leads there."""

    law: str
    says: str
    number: int
    script: list[Step]


@dataclass(slots=True)
class Outcome:
    """What one round, or all of them so far, came to.

    `decided` counts what the engine was given: commands, triggers and expiries. `digest` is of all logs' bytes.
    """

    commands: int = 0
    decided: int = 0
    open_trades: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    failure: Failure | None = None

    def missing(self) -> list[str]:
        """Return the situations that should have occurred and have not."""
        if self.commands < ENOUGH_COMMANDS:
            return []
        return [name for name in SITUATIONS if not self.counts[name]]

    def add(self, other: "Outcome") -> None:
        self.commands += other.commands
        self.decided += other.decided
        self.open_trades += other.open_trades
        self.counts += other.counts
        self.digest = _digest([self.digest, other.digest])
        self.failure = other.failure


def play_round(work: tuple[Plan, int, int]) -> Outcome:
    """Play one round of a plan."""
    plan, number, commands = work
    situations = Situations()
    played = Round(plan.seed, number, target=plan.target, naive=plan.naive, situations=situations)
    outcome = Outcome(counts=situations.counts)
    with planted(plan.bug), no_garbage():
        try:
            played.run(commands)
        except Failed as failed:
            violation = failed.violation
            outcome.failure = Failure(violation.law, str(violation), number, failed.script)
    outcome.commands, outcome.decided = played.commands, played.driver.decided
    outcome.open_trades = played.open_trades
    outcome.digest = _digest(logged.data for entry in played.driver.journal for logged in entry.log)
    return outcome


@contextlib.contextmanager
def no_garbage() -> Iterator[None]:
    """Let the collector rest: a round makes no cycles, and to look for them takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def simulate(plan: Plan, *, workers: int = 0, advance: Callable[[Outcome], None] = lambda outcome: None) -> Outcome:
    """Play a plan to its end or its first failure; `advance` is told after each round.

    `workers`: 0 for all cores, 1 for this process alone.
    """
    total = Outcome()
    workers = workers or min(os.cpu_count() or 1, -(-plan.commands // ROUND_COMMANDS))
    for outcome in _outcomes(plan, workers):
        total.add(outcome)
        advance(total)
        if total.failure is not None:
            break
    return total


def shortest(plan: Plan, failure: Failure, out_of_time: Callable[[], bool]) -> list[Step]:
    """Return as short a script as the time allows that fails by the same law."""

    def fails(script: list[Step]) -> bool:
        try:
            Driver(plan.naive).play_all(script)
        except Violation as violation:
            return violation.law == failure.law
        return False

    with planted(plan.bug):
        return shrunk(failure.script, fails, out_of_time, plainer)


def _outcomes(plan: Plan, workers: int) -> Iterator[Outcome]:
    """Yield the rounds' outcomes in their order."""
    rounds = plan.rounds()
    if workers == 1:
        yield from map(play_round, rounds)
        return
    # The collector rests in these processes for good: turned on again after each round it took a twentieth of the time.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=gc.disable) as pool:
        # A few rounds ahead, so that a failure ends the run soon.
        ahead = [pool.submit(play_round, work) for work in islice(rounds, 2 * workers)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(play_round, work) for work in islice(rounds, 1)]


def _digest(texts: Iterator[str] | list[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()
