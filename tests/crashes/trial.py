"""A trial: accounts that trade, followers that resume, somebody who kills, and a verdict.

with SqlitePlace(folder) as place:
    course = run_trial(place, kills=20, seed=1)
"""

import asyncio
import traceback
from collections.abc import Callable
from random import Random

from tests.crashes.account import Account
from tests.crashes.course import Course
from tests.crashes.follower import KINDS, Follower
from tests.crashes.killer import Killer
from tests.crashes.places import Place
from tests.crashes.trader import Trader
from tests.crashes.verdict import Verdict, compare_rows
from tests.crashes.ways import RestWay, SocketWay

SETTLE_S = 120.0
CHECKS = ("verify_ledger", "replay_journal")

_SOME = (("orders",), ("positions",), ("balances",), ("orders", "positions"), ("positions", "balances"))


def _ignore(_kills: int) -> None:
    pass


def run_trial(place: Place, *, kills: int, seed: int, killed: Callable[[int], None] = _ignore) -> Course:
    """Run a trial on a place that has started, and end it; raises `Failed` with the seed and the timeline."""
    course = Course(seed, place.ports, place.data_dir / "timeline.txt")
    accounts = [Account(name, key) for name, key in place.keys.items()]
    trial = Trial(course, place, accounts)
    try:
        asyncio.run(trial.run(kills, killed))
        place.stop()
        course.note("all processes have ended")
        compare_rows(course, place, accounts, trial.followers)
        for check in CHECKS:
            course.note(place.manage(check).strip().splitlines()[-1])
    except Exception as error:
        raise course.failed("".join(traceback.format_exception(error))) from error
    return course


class Trial:
    """What runs at the same time, from the first order to the verdict."""

    def __init__(self, course: Course, place: Place, accounts: list[Account]) -> None:
        self.course = course
        self.place = place
        self.accounts = accounts
        self.followers: list[Follower] = []
        self._chance = Random(course.seed)

    async def run(self, kills: int, killed: Callable[[int], None]) -> None:
        self.followers = [follower for account in self.accounts for follower in self._followers_of(account)]
        sockets = [SocketWay(self.course, account.key, self._own_chance()) for account in self.accounts]
        async with asyncio.TaskGroup() as background:
            others = [background.create_task(one.run()) for one in self.followers]
            others += [background.create_task(one.run()) for one in sockets]
            await self._everybody_follows()
            traders = [trader for account, socket in zip(self.accounts, sockets, strict=True)
                       for trader in self._traders_of(account, socket)]  # fmt: skip
            trading = [background.create_task(trader.run()) for trader in traders]
            await Killer(self.course, self.place, self._own_chance(), killed).run(kills)
            self.course.note("settling")
            self.course.settling = True
            async with asyncio.timeout(SETTLE_S):
                await asyncio.gather(*trading)
                await self._settle(traders)
            for work in others:
                work.cancel()

    async def _everybody_follows(self) -> None:
        """Wait until all followers are there: nothing has happened yet, so they know everything from then on."""
        async with asyncio.timeout(SETTLE_S):
            while not all(follower.epoch for follower in self.followers):
                await asyncio.sleep(0.05)

    async def _settle(self, traders: list[Trader]) -> None:
        """Bring every account to rest, then compare all that was said of it."""
        await asyncio.gather(*(trader.flatten() for trader in traders[:: len(traders) // len(self.accounts)]))
        self.course.note("at rest")
        await asyncio.gather(*(self._verdict(account).over_the_wire() for account in self.accounts))
        self.course.note("compared over the wire")

    def _verdict(self, account: Account) -> Verdict:
        followers = [follower for follower in self.followers if follower.account is account]
        return Verdict(self.course, account, followers, self._rest(account))

    def _traders_of(self, account: Account, socket: SocketWay) -> list[Trader]:
        ways = (socket, socket, self._rest(account))
        return [
            Trader(self.course, account, way, self._rest(account), socket.quotes, self._own_chance()) for way in ways
        ]

    def _followers_of(self, account: Account) -> list[Follower]:
        some = _SOME[self.accounts.index(account) % len(_SOME)]
        return [Follower(self.course, account, kinds, self._own_chance()) for kinds in (KINDS, some)]

    def _rest(self, account: Account) -> RestWay:
        return RestWay(self.course, account.key, self._own_chance())

    def _own_chance(self) -> Random:
        return Random(self._chance.random())
