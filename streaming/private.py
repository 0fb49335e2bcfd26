"""Per process: who follows which account's log, and how nothing of it is lost, doubled or out of order.

Truth is in the log. An announcement is a hint that saves reading it: whoever is where it begins writes what it brings,
everybody else reads. Once per poll all heads are asked for, so a lost announcement costs a poll and never an event.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.errors import RESTART, Code, Refused
from engine.values import AccountId
from streaming.dialects.base import Catalogue
from streaming.follower import Follower, Item
from streaming.frames import Encoded
from streaming.gate import TradingGate
from streaming.messages import PrivateEvent, Resume, Snapshot, Standing
from streaming.sink import Sink

logger = logging.getLogger(__name__)

POLL_S = 0.2
"""Between two polls; with the grace and two queries, a lost announcement costs less than 250 ms."""

GRACE_S = 0.03
"""What a poll finds committed is announced in this moment, or was lost: only then it is worth reading."""

PAGE = 100
"""Events read at once: some 40 KB, which a socket's buffer takes."""

READS = 4
"""Pages read at the same time: a thousand clients that resume together leave the database to others as well."""

SAY_AGAIN_S = 60.0

_UNKNOWN = -1
Holds = Mapping[str, Mapping[str, int]]


@dataclass(slots=True)
class _Log:
    """One account: the newest offset known, who follows it, and whose heartbeats say how far it is."""

    head: int = _UNKNOWN
    followers: dict[Sink, Follower] = field(default_factory=dict)
    watchers: set[Sink] = field(default_factory=set)


@dataclass(slots=True)
class _Reader:
    """A follower's way through the log until it is live; `wake` it when there may be room again."""

    task: asyncio.Task[None]
    wake: asyncio.Event


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Where a follower begins: behind `start`, in a log that stands at `head`."""

    head: int
    start: int
    recovered: bool | None
    snapshot: Item | None


class PrivateLogs:
    """`on_followed` is told of every account that gets its first or loses its last follower."""

    def __init__(
        self, gate: TradingGate, catalogue: Catalogue, *, on_followed: Callable[[AccountId, bool], None]
    ) -> None:
        self._gate = gate
        self._catalogue = catalogue
        self._on_followed = on_followed
        self._epoch = ""
        self._logs: dict[AccountId, _Log] = {}
        # sink -> the accounts that it watches or follows
        self._accounts: dict[Sink, dict[AccountId, None]] = {}
        self._readers: dict[Follower, _Reader] = {}
        self._reads = asyncio.Semaphore(READS)
        self._said_s = float("-inf")

    # ---- news

    def committed(self, events: Sequence[PrivateEvent]) -> None:
        """Write committed events, of any accounts, each account's in order, to who follows them; returns at once."""
        if not self._logs:
            return
        by_account: dict[AccountId, list[PrivateEvent]] = {}
        for event in events:
            by_account.setdefault(AccountId(event.environment, event.user_id), []).append(event)
        for account, news in by_account.items():
            log = self._logs.get(account)
            if log is not None:
                log.head = max(log.head, news[-1].offset)
                self._tell(log, news)

    def _tell(self, log: _Log, news: list[PrivateEvent]) -> None:
        items: list[Item] = []
        for follower in list(log.followers.values()):
            if follower.state == "live":
                items = items or [Item(event, self._catalogue) for event in news]
                if not follower.take(items):
                    follower.state = "behind"
            if follower.state == "behind":
                self._read(log, follower)

    def answer(self, sink: Sink, account: AccountId, frame: Encoded) -> None:
        """Write an answer and, behind it in the same piece, what was held back for it."""
        log = self._logs.get(account)
        follower = log.followers.get(sink) if log is not None else None
        if follower is None:
            sink.send(frame)
            return
        sink.send(frame, *follower.released())
        if follower in self._readers:
            self._readers[follower].wake.set()

    # ---- who follows

    async def open(
        self, sink: Sink, holds: Holds, wishes: Mapping[AccountId, Resume | None], *, snapshot: bool
    ) -> dict[AccountId, Standing]:
        """Return where the logs stand; nothing of them is written to this connection before `follow`.

        `wishes`: account -> behind what to go on, None to begin with what happens now; with `snapshot`, begin with one.
        `holds`: environment -> what its follower holds back events for. Raises `Refused`; then everything is as before.
        """
        followers = [self._opening(sink, account, holds[account.environment]) for account in wishes]
        try:
            epoch, heads = await self._gate.head(list(wishes))
            self._note(epoch, heads)
            beginnings = [
                await self._beginning(account, heads[account], resume, snapshot) for account, resume in wishes.items()
            ]
        except BaseException as error:
            for follower in followers:
                self._reopen(follower)
            if not isinstance(error, Exception) or isinstance(error, Refused):
                raise
            self._say(error)
            raise Refused(Code.UNAVAILABLE) from None
        for follower, beginning in zip(followers, beginnings, strict=True):
            follower.plan(beginning.start, beginning.snapshot)
        return {
            account: Standing(epoch, max(beginning.head, beginning.start), beginning.recovered)
            for account, beginning in zip(wishes, beginnings, strict=True)
        }

    def _opening(self, sink: Sink, account: AccountId, holds: Mapping[str, int]) -> Follower:
        """Return the connection's follower, standing still: what it takes meanwhile could overtake a snapshot."""
        log = self._log(sink, account)
        follower = log.followers.get(sink)
        if follower is None:
            follower = log.followers[sink] = Follower(sink, account, holds)
            if len(log.followers) == 1:
                self._on_followed(account, True)
        follower.state = "opening"
        self._stop_reading(follower)
        return follower

    async def _beginning(self, account: AccountId, head: int, resume: Resume | None, snapshot: bool) -> _Beginning:
        """Return where a follower may begin whose log stands at `head`."""
        start, recovered, item = head, None, None
        if resume is not None:
            recovered = await self._gate.resumable(account, resume.offset, resume.epoch)
            if recovered:
                start = resume.offset
        if snapshot or recovered is False:
            head, data = await self._gate.snapshot(account)
            item = Item(Snapshot(account.environment, head, data), self._catalogue)
            if not recovered:
                start = head
        log = self._logs[account]
        log.head = max(log.head, head)
        return _Beginning(head, start, recovered, item)

    def _reopen(self, follower: Follower) -> None:
        if follower.kinds:
            follower.state = "behind"
            self._go_on(follower)
        else:
            self._drop(follower)

    def follow(self, sink: Sink, account: AccountId, kinds: frozenset[str]) -> None:
        """Write exactly these kinds of an account's events; new ones need `open` before."""
        follower = self._logs[account].followers[sink]
        if not kinds:
            self._drop(follower)
        elif follower.state == "opening":
            follower.begin(kinds)
            self._go_on(follower)
        else:
            follower.keep(kinds)

    def watch(self, sink: Sink, accounts: Sequence[AccountId]) -> None:
        """Keep in mind how far these logs are, for `offsets`."""
        for account in accounts:
            self._log(sink, account).watchers.add(sink)

    def offsets(self, sink: Sink) -> dict[str, int]:
        """Return environment -> how far the log is written to this connection, or is, where it is not followed."""
        found: dict[str, int] = {}
        for account in self._accounts.get(sink, ()):
            log = self._logs[account]
            follower = log.followers.get(sink)
            if sink in log.watchers and log.head != _UNKNOWN:
                found[account.environment] = follower.position if follower and follower.kinds else log.head
        return found

    def leave(self, sink: Sink) -> None:
        """Forget a connection."""
        for account in list(self._accounts.get(sink, ())):
            log = self._logs[account]
            log.watchers.discard(sink)
            if sink in log.followers:
                self._drop(log.followers[sink])
            else:
                self._forget(sink, account)

    def stop(self) -> None:
        """Read no further: the threads that do it are about to end."""
        for follower in list(self._readers):
            self._stop_reading(follower)

    def _log(self, sink: Sink, account: AccountId) -> _Log:
        self._accounts.setdefault(sink, {})[account] = None
        return self._logs.setdefault(account, _Log())

    def _drop(self, follower: Follower) -> None:
        self._stop_reading(follower)
        followers = self._logs[follower.account].followers
        del followers[follower.sink]
        if not followers:
            self._on_followed(follower.account, False)
        self._forget(follower.sink, follower.account)

    def _forget(self, sink: Sink, account: AccountId) -> None:
        """Forget that a connection has to do with an account, unless it watches it."""
        log = self._logs[account]
        if sink not in log.watchers:
            del self._accounts[sink][account]
            if not self._accounts[sink]:
                del self._accounts[sink]
        if not log.watchers and not log.followers:
            del self._logs[account]

    # ---- reading the log

    def _go_on(self, follower: Follower) -> None:
        log = self._logs[follower.account]
        if follower.cursor >= log.head:
            follower.state = "live"
        else:
            self._read(log, follower)

    def _read(self, log: _Log, follower: Follower) -> None:
        """Have the log read to a follower that is behind, unless that is going on."""
        if follower not in self._readers:
            wake = asyncio.Event()
            task = asyncio.get_running_loop().create_task(self._read_on(log, follower, wake))
            self._readers[follower] = _Reader(task, wake)

    def _stop_reading(self, follower: Follower) -> None:
        reader = self._readers.pop(follower, None)
        if reader is not None:
            reader.task.cancel()

    async def _read_on(self, log: _Log, follower: Follower, wake: asyncio.Event) -> None:
        """Read page after page, as the socket drains, until the follower is where the log is."""
        try:
            while follower.state == "behind" and not follower.sink.closed:
                while follower.full:
                    wake.clear()
                    follower.sink.when_free(wake.set)
                    await wake.wait()
                await self._read_page(log, follower)
        except Exception as error:
            # The next announcement or poll begins again.
            self._say(error)
        del self._readers[follower]

    async def _read_page(self, log: _Log, follower: Follower) -> None:
        announced = log.head
        async with self._reads:
            events = await self._gate.page(follower.account, follower.cursor, PAGE)
        if events and events[0].offset != follower.cursor + 1:
            # Older than is kept by now: whoever comes back is told so, and gets a snapshot.
            follower.sink.end(RESTART)
            return
        follower.take([Item(event, self._catalogue) for event in events])
        if not events and log.head == announced:
            # What was announced is not there. If it comes late after all, the poll finds it.
            log.head = follower.cursor
        log.head = max(log.head, follower.cursor)
        if follower.cursor == log.head:
            follower.state = "live"

    # ---- the poll

    async def poll_forever(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            try:
                heads = await self.heads()
            except Exception as error:
                self._say(error)
                continue
            await asyncio.sleep(GRACE_S)
            self.read_up_to(heads)

    async def heads(self) -> dict[AccountId, int]:
        """Return how far the logs are that anybody here follows or watches."""
        if not self._logs:
            return {}
        epoch, heads = await self._gate.head(list(self._logs))
        self._note(epoch, heads)
        return heads

    def read_up_to(self, heads: Mapping[AccountId, int]) -> None:
        """Have the log read to everybody who has not been told of these offsets, and to whom a reading has failed."""
        for account, head in heads.items():
            log = self._logs.get(account)
            for follower in log.followers.values() if log is not None else ():
                if follower.state == "live" and follower.cursor < head:
                    follower.state = "behind"
                if follower.state == "behind":
                    self._read(self._logs[account], follower)

    def _note(self, epoch: str, heads: Mapping[AccountId, int]) -> None:
        if epoch != self._epoch:
            self._begin_epoch(epoch)
        for account, head in heads.items():
            log = self._logs.get(account)
            if log is not None:
                log.head = max(log.head, head)

    def _begin_epoch(self, epoch: str) -> None:
        """Send everybody away who follows a history that is no longer true: they come back and get a snapshot."""
        self._epoch = epoch
        for log in self._logs.values():
            log.head = _UNKNOWN
            for follower in log.followers.values():
                if follower.kinds:
                    follower.sink.end(RESTART)

    def _say(self, error: Exception) -> None:
        """Log once a minute at most that the gate does not answer; one that refuses has said so itself."""
        if not isinstance(error, Refused) and time.monotonic() - self._said_s > SAY_AGAIN_S:
            self._said_s = time.monotonic()
            logger.warning("The accounts' events cannot be read: %s", type(error).__name__)
