"""One connection's place in one account's log: every event of its kinds once, in order, none before its own result.

Nothing here reads or waits: whoever keeps a follower hands it what comes next.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from engine.values import AccountId
from streaming.dialects.base import Catalogue, Dialect
from streaming.frames import Encoded
from streaming.messages import PrivateEvent, Snapshot
from streaming.sink import Sink

MAX_DEFERRED = 500
"""Events held back at once: four each of the 100 trades that a connection may have in flight, and some between."""

_KINDS = {"order": "orders", "position": "positions", "balance": "balances"}
_SUBJECT = re.compile(r'\{"(?:parent_)?id":"([^"]*)"')

_NEVER = 1 << 63
"""Behind every offset."""

SNAPSHOT = "snapshot"
"""A snapshot's kind: whoever is handed one has asked for it."""


def subject_of(data: str) -> str:
    """Return the id of the order or position that a private event or a result is about; `""` for a balance.

    >>> subject_of('{"id":"a7","product":"EUR-USD"}'), subject_of('{"parent_id":"a7","first_position":{"id":"b1"}}')
    ('a7', 'a7')
    >>> subject_of('{"BTC":"10.00000000"}')
    ''
    """
    found = _SUBJECT.match(data)
    return "" if found is None else found[1]


class Item:
    """An event or a snapshot for the followers of an account, encoded once for all of them.

    `kind` is the channel's (`orders`) or `SNAPSHOT`; `subject` is the id that it is about, `""` for none.
    """

    __slots__ = ("_catalogue", "_encoded", "_news", "kind", "offset", "subject")

    def __init__(self, news: PrivateEvent | Snapshot, catalogue: Catalogue) -> None:
        self.offset = news.offset
        self.kind, self.subject = SNAPSHOT, ""
        if isinstance(news, PrivateEvent):
            self.kind = _KINDS.get(news.name.partition(":")[0], "")
            self.subject = subject_of(news.data)
        self._news = news
        self._catalogue = catalogue
        self._encoded: dict[Dialect, Encoded] = {}

    def encoded(self, dialect: Dialect) -> Encoded:
        found = self._encoded.get(dialect)
        if found is None:
            found = self._encoded[dialect] = dialect.encode(self._news, self._catalogue)
        return found


class Follower:
    """`cursor` is the newest offset that it has taken in: written, not wanted, or held back.

    `kinds`: kind -> the offset behind which its events are wanted. `holds`: ids of orders and positions about which
    the connection waits for a result; from the first event of one of them on, everything is held back.

    A follower is `opening` until it is told where to begin, then `behind` while it reads the log, then `live`.
    """

    __slots__ = ("_deferred", "_holds", "_snapshot", "_start", "account", "cursor", "kinds", "sink", "state")

    def __init__(self, sink: Sink, account: AccountId, holds: Mapping[str, int]) -> None:
        self.sink = sink
        self.account = account
        self.cursor = 0
        self.kinds: dict[str, int] = {}
        self.state: Literal["opening", "behind", "live"] = "opening"
        self._holds = holds
        self._deferred: deque[Item] = deque()
        self._start = 0
        self._snapshot: Item | None = None

    @property
    def position(self) -> int:
        """The newest offset up to which everything is written."""
        return self._deferred[0].offset - 1 if self._deferred else self.cursor

    @property
    def full(self) -> bool:
        """Whether it has no room for a page of the log."""
        return self.sink.writer.blocked or len(self._deferred) >= MAX_DEFERRED

    def plan(self, start: int, snapshot: Item | None) -> None:
        """Say where `begin` is to begin: behind `start`; a snapshot is written as soon as everything before it is.

        A newer snapshot takes the place of one that is not written yet.
        """
        self._start = start
        self._snapshot = snapshot or self._snapshot

    def begin(self, kinds: Iterable[str]) -> None:
        """Follow exactly these kinds: those it had from where it is, new ones as planned."""
        if not self.kinds:
            self.cursor = self._start
        self.kinds = {kind: self.kinds.get(kind, self._start) for kind in kinds}
        self.state = "behind"
        ready: list[Encoded] = []
        self._pass_snapshot(ready)
        self.sink.send(*ready)

    def keep(self, kinds: Iterable[str]) -> None:
        """Forget all kinds but these, and what is held back of the others."""
        self.kinds = {kind: self.kinds[kind] for kind in kinds}

    def take(self, items: Sequence[Item]) -> bool:
        """Write what comes next in the log; return False where not all could be taken: a gap, or too much held back."""
        ready: list[Encoded] = []
        for item in items:
            if item.offset <= self.cursor:
                continue
            if item.offset > self.cursor + 1 or len(self._deferred) >= MAX_DEFERRED:
                break
            self.cursor = item.offset
            self._pass(item, ready)
            self._pass_snapshot(ready)
        self.sink.send(*ready)
        return not items or self.cursor >= items[-1].offset

    def released(self) -> list[Encoded]:
        """Return what was held back for nothing that is still in `holds`; it has to be written now."""
        ready = []
        while self._deferred and self._deferred[0].subject not in self._holds:
            item = self._deferred.popleft()
            if self._wants(item):
                ready.append(self._encoded(item))
        return ready

    def _pass(self, item: Item, ready: list[Encoded]) -> None:
        # What nobody asked for is held back too: the balance behind an order is one of that order's events.
        if self._deferred or item.subject in self._holds:
            self._deferred.append(item)
        elif self._wants(item):
            ready.append(self._encoded(item))

    def _pass_snapshot(self, ready: list[Encoded]) -> None:
        if self._snapshot is not None and self._snapshot.offset <= self.cursor:
            snapshot, self._snapshot = self._snapshot, None
            self._pass(snapshot, ready)

    def _wants(self, item: Item) -> bool:
        return item.kind == SNAPSHOT or item.offset > self.kinds.get(item.kind, _NEVER)

    def _encoded(self, item: Item) -> Encoded:
        assert self.sink.dialect is not None
        return item.encoded(self.sink.dialect)
