"""Where commands meet quotes: decided on the loop in their order, committed beside it, answered after the commit.

One batch is on its way at a time; what comes meanwhile is the next one, so the commit itself does the gathering. No
piece of loop work is meant to be longer than a millisecond or two: commands, triggers and answers go in slices, and
ticks between.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from accounts.errors import Code, Refused
from engine.commands import Command, Expire, Input, Trigger
from engine.decide import products_needed
from engine.values import Market, Quote
from trading.book import Book, LoggedEvent, Record
from trading.live import Answer

COMMANDS_A_TURN = 2
"""Commands decided between two loop turns, about 0.2 ms each: twenty sockets' orders may come in one."""

BATCH = 128
"""Commands of one transaction: what a commit costs is then spread thin, and the last of them waits 20 ms for it."""

ANSWERS_A_TURN = 2
"""An answer also wakes who waits for it: 0.2 ms with its events. A tick goes through three turns."""

TRIGGERS_A_TURN = 10
"""About 1.5 ms of work, rows included, so that ticks flow on while a thousand positions close."""

MAX_WAITING = 2_000
"""Commands that wait, decided or not: a second of work. Beyond it the asker is told to come back."""

RETRY_AFTER_MS = 1_000


@dataclass(slots=True)
class Arrived:
    """A command that is to be decided, and who waits for its answer. `inbox`: the administrator's row, or 0."""

    command: Command
    answer: "asyncio.Future[Answer] | None" = None
    inbox: int = 0


@dataclass(slots=True)
class Waiting:
    """A record on its way to the database, and who waits for its answer; as of `Arrived`.

    `rows`: what is to be written of it, as `packed` has it; empty where nothing is.
    """

    record: Record
    rows: bytes
    answer: "asyncio.Future[Answer] | None" = None
    inbox: int = 0


class Desk:
    """`commit` has a batch written elsewhere and returns a future; `announce` gets what it made public.

    `packed` says what is to be written of a record; that is part of deciding, a piece at a time, so that the commit
    itself takes nothing from the loop.

    `failed` is called, once, with the reason when a batch could not be written: what is in memory is then ahead of the
    database, and a new desk has to be made from what is stored.
    """

    def __init__(
        self,
        book: Book,
        *,
        packed: Callable[[Record], bytes],
        commit: Callable[[Sequence[Waiting]], "asyncio.Future[None]"],
        market: Callable[[str], Market | None],
        clock_ms: Callable[[], int],
        announce: Callable[[Sequence[LoggedEvent]], None],
        failed: Callable[[BaseException], None],
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.book = book
        self.closed = False
        self._packed = packed
        self._commit = commit
        self._market = market
        self._clock_ms = clock_ms
        self._announce = announce
        self._failed = failed
        self._call_soon = call_soon
        self._arrived: deque[Arrived] = deque()
        self._queue: deque[Waiting] = deque()
        self._writing: list[Waiting] = []
        self._written: deque[Waiting] = deque()
        # Trade's id -> the prices that reached it, in the order of reaching.
        self._reached: dict[str, tuple[str, Market]] = {}
        self._deciding = self._slicing = self._answering = False

    # ---- in

    def submit(self, command: Command, answer: "asyncio.Future[Answer] | None", *, inbox: int = 0) -> None:
        """Have a command decided, at once if no other was in this turn; its answer comes after the commit.

        Raises `Refused` (UNAVAILABLE); what is refused later, the answer raises.
        """
        if self.closed or len(self._arrived) + len(self._queue) >= MAX_WAITING:
            raise Refused(Code.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)
        self._arrived.append(Arrived(command, answer, inbox))
        if not self._deciding:
            self._deciding = True
            self._call_soon(self._decide_more)
            self._decide(self._arrived.popleft())

    def on_quote(self, quote: Quote) -> None:
        """Note what a quote has reached; the work follows in slices."""
        reached = self.book.state.reached(quote)
        if not reached:
            return
        market = self._market(quote.product)
        if self.closed or market is None or market.state in ("halted", "closed"):
            return  # meanwhile triggers wait; a silence ends with this very quote, before its state is said
        market = Market(quote.bid, quote.ask)
        for identifier in reached:
            self._reached.setdefault(identifier, (quote.product, market))
        self._slice_soon()

    def on_clock(self) -> None:
        """Cancel the pending orders whose time has come."""
        now_ms = self._clock_ms()
        owners = self.book.state.owners
        for identifier in self.book.state.expired(now_ms)[:TRIGGERS_A_TURN]:
            if not self.closed and identifier not in self._reached:
                command = Expire(account=owners[identifier], id=identifier)
                self._put(self._handle(Input(command, now_ms)))

    @property
    def idle(self) -> bool:
        """Tell whether nothing waits for anything."""
        return not (self._arrived or self._queue or self._writing or self._written or self._reached)

    @property
    def waiting(self) -> int:
        """Return how many commands and triggers are on their way."""
        return len(self._arrived) + len(self._queue) + len(self._writing) + len(self._reached)

    # ---- commands

    def _decide_more(self) -> None:
        """Decide a few of those that have come since the last turn; come again while any come."""
        if not self._arrived:
            self._deciding = False
            return
        self._call_soon(self._decide_more)
        for _ in range(COMMANDS_A_TURN):
            if self._arrived:  # deciding one may drop the others
                self._decide(self._arrived.popleft())

    def _decide(self, arrived: Arrived) -> None:
        if self.closed:
            _refuse(arrived, Refused(Code.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS))
            return
        command = arrived.command
        reached = getattr(command, "id", "")
        try:
            if reached in self._reached:
                # The quote was first: what it has reached cannot be got rid of by a quick command.
                self._trigger(reached)
            waiting = self._handle(Input(command, self._clock_ms(), self._markets(command)))
        except Refused as refused:
            _refuse(arrived, refused)
        else:
            waiting.answer, waiting.inbox = arrived.answer, arrived.inbox
            self._put(waiting)

    # ---- triggers

    def _slice_soon(self) -> None:
        if not self._slicing:
            self._slicing = True
            self._call_soon(self._slice)

    def _slice(self) -> None:
        self._slicing = False
        for identifier in list(islice(self._reached, TRIGGERS_A_TURN)):
            self._trigger(identifier)
        if self._reached:
            self._slice_soon()

    def _trigger(self, identifier: str) -> None:
        """Do what a quote has reached, if it is still open."""
        product, market = self._reached.pop(identifier)
        account = self.book.state.owners.get(identifier)
        if account is None or self.closed:
            return
        command = Trigger(account=account, id=identifier)
        waiting = self._handle(Input(command, self._clock_ms(), {product: market}))
        if waiting.rows:
            self._put(waiting)

    def _handle(self, entry: Input) -> Waiting:
        """Decide an input; after a bug of ours nothing in memory is to be believed any more."""
        try:
            record = self.book.handle(entry)
            return Waiting(record, self._packed(record) if record.serial else b"")
        except Exception as bug:
            self._drop([], bug)
            raise Refused(Code.INTERNAL_ERROR) from bug

    def _markets(self, command: Command) -> dict[str, Market]:
        markets = {}
        for product in products_needed(self.book.state, command):
            market = self._market(product)
            if market is not None:
                markets[product] = market
        return markets

    # ---- out

    def _put(self, waiting: Waiting) -> None:
        # In the order of deciding, refusals too: what they rest on may not be committed yet.
        self._queue.append(waiting)
        if not self._writing:
            self._write_next()

    def _write_next(self) -> None:
        """Have the next batch written; what needs no writing goes on at once."""
        while self._queue and not self._writing:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if any(waiting.rows or waiting.inbox for waiting in batch):
                self._writing = batch
                self._commit(batch).add_done_callback(self._committed)
            else:
                self._answer(batch)

    def _committed(self, done: "asyncio.Future[None]") -> None:
        batch, self._writing = self._writing, []
        error = done.exception() if not done.cancelled() else asyncio.CancelledError()
        if error is not None:
            self._drop(batch, error)
            return
        self._answer(batch)
        self._write_next()

    def _answer(self, batch: list[Waiting]) -> None:
        self._written.extend(batch)
        if not self._answering:
            self._answering = True
            self._answer_some()

    def _answer_some(self) -> None:
        """Answer and announce a few; come again while any are left."""
        some = [self._written.popleft() for _ in range(min(ANSWERS_A_TURN, len(self._written)))]
        log: list[LoggedEvent] = []
        for waiting in some:
            if waiting.answer is not None and not waiting.answer.done():
                waiting.answer.set_result(waiting.record.answer)
            log += waiting.record.log
        if log:
            self._announce(log)
        if self._written:
            self._call_soon(self._answer_some)
        else:
            self._answering = False

    def _drop(self, batch: list[Waiting], error: BaseException) -> None:
        """Give up: nobody whose command is not known to be committed is told that it is."""
        self.closed = True
        waiting: list[Arrived | Waiting] = [*batch, *self._queue, *self._arrived]
        self._queue.clear()
        self._arrived.clear()
        self._reached.clear()
        for one in waiting:
            _refuse(one, Refused(Code.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS))
        self._failed(error)


def _refuse(one: Arrived | Waiting, refused: Refused) -> None:
    if one.answer is not None and not one.answer.done():
        one.answer.set_exception(refused)
