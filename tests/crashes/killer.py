"""Who kills: with a seed, what is due next of a place, at any moment or at a named point of a transaction."""

import asyncio
import time
from collections.abc import Callable
from random import Random

from tests.crashes.course import Course
from tests.crashes.doom import JOURNAL, order_death
from tests.crashes.places import Place

CALM_S = (0.05, 0.6)
"""How long everybody trades between a recovery and the next kill."""

HASTY = 0.15
"""How often the next kill does not wait for the recovery: it may meet a process that is just starting."""

HASTY_S = (0.0, 2.0)
MAX_PASSES = 8
POINT_S = 20.0
"""A point that nobody has come to in this time is not waited for: the kill is then one at any moment."""

RECOVERED_S = 60.0


class Killer:
    """`killed` is told after each kill how many there have been."""

    def __init__(self, course: Course, place: Place, chance: Random, killed: Callable[[int], None]) -> None:
        self._course, self._place, self._chance, self._killed = course, place, chance, killed

    async def run(self, kills: int) -> None:
        """Kill so many times, and come back when everybody trades again after the last one."""
        since_s = time.monotonic()
        for number, (target, point) in enumerate(self._place.deck(kills, self._chance), 1):
            # Nobody comes to a point of a transaction before they trade again.
            await self._calm(since_s, may_be_hasty=not point)
            since_s = await self._kill(target, point)
            self._killed(number)
        await self._recovered(since_s)

    async def _calm(self, since_s: float, *, may_be_hasty: bool) -> None:
        if may_be_hasty and self._chance.random() < HASTY:
            await asyncio.sleep(self._chance.uniform(*HASTY_S))
        else:
            await self._recovered(since_s)
            await asyncio.sleep(self._chance.uniform(*CALM_S))

    async def _recovered(self, since_s: float) -> None:
        """Wait until something has been done that was asked after a moment."""
        while self._course.acknowledged_s <= since_s:
            if time.monotonic() - since_s > RECOVERED_S:
                self._course.fail(f"nobody has been able to trade for {RECOVERED_S} s")
            self._restart_who_ended_alone()
            await asyncio.sleep(0.01)
        self._course.tally.recoveries_s.append(time.monotonic() - since_s)

    async def _kill(self, target: str, point: str) -> float:
        """Kill and start again; return when it was."""
        self._restart_who_ended_alone()
        if point and not await self._died_at(target, point):
            target, point = self._place.engine, ""
        if not point:
            self._course.note(f"kill {target}")
            at_s = time.monotonic()
            await asyncio.to_thread(self._place.kill, target, self._chance)
        else:
            at_s = time.monotonic()
        self._course.note(f"dead: {', '.join(self._place.dead()) or 'none of ours'} ({target} {point})")
        self._course.tally.kills[target, point or "any moment"] += 1
        self._place.revive()
        return at_s

    async def _died_at(self, target: str, point: str) -> bool:
        """Have an engine or its journal's process die at a point; say whether it came to that."""
        file = self._place.order_file
        order_death(file, target, point, passes=self._chance.randrange(MAX_PASSES))
        deadline_s = time.monotonic() + POINT_S
        while time.monotonic() < deadline_s:
            if self._place.dead() or (target == JOURNAL and not file.exists()):
                self._course.note(f"died at {point}")
                return True
            await asyncio.sleep(0.005)
        file.unlink(missing_ok=True)
        return bool(self._place.dead())

    def _restart_who_ended_alone(self) -> None:
        """A process may end by itself where what it needs is away; whoever runs a server starts it again."""
        for name in self._place.dead():
            self._course.note(f"{name} ended by itself with {self._place.processes[name].wait()}")
            self._course.tally.ended_alone[name] += 1
        self._place.revive()
