"""The engine process on one screen: take the lease, load what is stored, work until the lease is lost, begin again.

    lease ── nobody else may write; a standby waits here
      → book ── the committed state (load.py)
        → desk ── commands and quotes in, batches to the journal's process, answers and events out (desk.py)
          → works ── beats for the lease, the inbox, the clock

A failed commit drops what is in memory and goes back to the first line: what was committed is loaded again, what was
not has never happened. Triggers that were not committed are judged anew on the next quotes.
"""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import psycopg
from django.db import DatabaseError, connection

from accounts.database import released
from accounts.errors import Code, Refused
from engine.commands import Command, SetTerms
from engine.values import Market, Quote
from market.models import Product
from trading.book import LoggedEvent, Record
from trading.desk import RETRY_AFTER_MS, Desk, Waiting
from trading.inbox import commands_of, inbox_answer, inbox_waiting
from trading.journal_process import CommitFailed, JournalProcess
from trading.lease import BEAT_S, Lease, LeaseLost, take_lease
from trading.live import Answer
from trading.load import load_book
from trading.models import InboxCommand
from trading.pace import Pace
from trading.rows import STORED_ID, packed, rows_of

logger = logging.getLogger(__name__)

STANDBY_S = 0.2
"""How often a standby tries: it has to have taken over within 2 s of a kill."""

LEASE_FRESH_S = 2.0
"""How old the last beat may be for an answer to be given: a process that was frozen looks first who it is."""

LOOK_S = 5.0
"""How long a command waits for that: on SQLite a beat stands in line with everybody else's writing."""

INBOX_S = 0.25
CLOCK_S = 0.1
INBOX_AT_ONCE = 100

_Result = TypeVar("_Result")


class Runner:
    """`market` gives a product's prices now, `clock_ms` the feed's time, `announce` gets what was committed.

    `changed` is told the fence with which this process works, or 0 when it does not any more. `journal` makes what
    writes the batches of one reign.
    """

    def __init__(
        self,
        *,
        holder: str,
        market: Callable[[str], Market | None],
        clock_ms: Callable[[], int],
        announce: Callable[[Sequence[LoggedEvent]], None],
        changed: Callable[[int], None],
        journal: Callable[[Callable[[], None]], JournalProcess] = JournalProcess,
    ) -> None:
        self.desk: Desk | None = None
        self.fence = 0
        self._holder = holder
        self._market = market
        self._clock_ms = clock_ms
        self._announce = announce
        self._changed = changed
        self._new_journal = journal
        self._journal: JournalProcess | None = None
        self._product_keys: dict[str, int] = {}
        self._stored_id = STORED_ID[connection.vendor]
        self._lookups = ThreadPoolExecutor(1, thread_name_prefix="engine-db")
        self._beats = ThreadPoolExecutor(1, thread_name_prefix="engine-beat")
        self._beat_s = float("-inf")
        self._beaten = asyncio.Event()
        self._time_ms = 0
        self._inbox_told = asyncio.Event()
        self._lost = asyncio.Event()
        self.pace = Pace()
        # Set when this process works or stands by: when it has found out which of the two.
        self.settled = asyncio.Event()

    # ---- in

    async def submit(self, command: Command) -> Answer:
        """Return the engine's answer to a command, after the commit; raises `Refused` (UNAVAILABLE)."""
        if self.desk is not None and not self._fresh:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._beaten.wait(), LOOK_S)
        desk = self._ready()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        desk.submit(command, answer)
        return await answer

    def on_quote(self, quote: Quote) -> None:
        if self.desk is not None:
            self.desk.on_quote(quote)

    def inbox_changed(self) -> None:
        """Look into the inbox at once."""
        self._inbox_told.set()

    @property
    def _fresh(self) -> bool:
        return time.monotonic() - self._beat_s <= LEASE_FRESH_S

    def _ready(self) -> Desk:
        if self.desk is None or not self._fresh:
            raise Refused(Code.UNAVAILABLE, "The engine is not ready", retry_after_ms=RETRY_AFTER_MS)
        return self.desk

    # ---- life

    async def run(self) -> None:
        """Work, or stand by, until cancelled."""
        task = asyncio.current_task()
        assert task is not None
        try:
            while not task.cancelling():  # an error at the end must not take the place of the end
                try:
                    if self._journal is None or not self._journal.runs:
                        # While it comes up, the lease is asked for and the state is loaded.
                        self._journal = self._new_journal(self._journal_gone)
                        await self._journal.start()
                    asked_s = time.monotonic()
                    lease = await self._in_thread(partial(take_lease, self._holder))
                    if lease is not None:
                        self._beat_s = asked_s
                        await self._hold(lease)
                    elif not self.settled.is_set():
                        logger.info("Another engine works; this one stands by")
                        self.settled.set()
                except Exception as error:
                    bug = None if isinstance(error, LeaseLost | DatabaseError | psycopg.Error) else error
                    logger.warning("The engine begins again: %s", type(error).__name__, exc_info=bug)
                await asyncio.sleep(STANDBY_S)
        finally:
            if self._journal is not None:
                self._journal.kill()
            for threads in (self._beats, self._lookups):
                threads.shutdown(wait=False)

    async def _hold(self, lease: Lease) -> None:
        """Work until the lease is lost or something fails; the beats go on also while the state is loaded."""
        self._lost.clear()
        tasks = [
            asyncio.create_task(work) for work in (self._beat_forever(lease), self._work(lease), self._lost.wait())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end(lease)

    async def _work(self, lease: Lease) -> None:
        """Load, open the desk, and look at the inbox and the clock."""
        book = await self._in_thread(load_book)
        products = await self._stored_products()
        gc.collect()
        gc.freeze()  # a full collection over 100,000 positions would hold the loop for 0.4 s
        loop = asyncio.get_running_loop()
        desk = Desk(
            book,
            packed=self._packed,
            commit=partial(self._commit, lease.fence),
            market=self._market,
            clock_ms=self._now_ms,
            announce=self._announce,
            failed=self._failed,
            call_soon=loop.call_soon,
        )
        self.desk, self.fence = desk, lease.fence
        self._set_terms(desk, products)
        logger.info("The engine works: fence %d, %d open trades", lease.fence, len(book.state.owners))
        self._changed(lease.fence)
        self.settled.set()
        await asyncio.gather(self._inbox_forever(desk), self._clock_forever(desk))

    async def _end(self, lease: Lease) -> None:
        """Close the desk: what is on its way is committed or was never said to be."""
        desk, self.desk, self.fence = self.desk, None, 0
        try:
            if desk is not None:
                desk.closed = True
                self._beaten.set()
                self._changed(0)
                while not desk.idle and not self._lost.is_set():  # noqa: ASYNC110  # the hot path sets no event
                    await asyncio.sleep(0.01)
        finally:
            # A batch may hang, and must not come through when its lease is somebody else's, ourselves too.
            journal, self._journal = self._journal, None
            if journal is not None:
                journal.kill()
                await self._in_thread(journal.wait)
            await self._in_thread(lease.release)

    def _journal_gone(self) -> None:
        logger.warning("The journal's process has gone")
        self._lost.set()

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, CommitFailed):
            logger.warning("A batch could not be committed: %s", error)
        else:
            logger.error("The engine could not decide", exc_info=error)
        self._lost.set()

    # ---- works

    async def _beat_forever(self, lease: Lease) -> None:
        while True:
            asked_s = time.monotonic()
            await asyncio.get_running_loop().run_in_executor(self._beats, released, lease.beat)
            self._beat_s = asked_s
            self._beaten.set()
            self._beaten = asyncio.Event()
            await asyncio.sleep(BEAT_S)

    async def _clock_forever(self, desk: Desk) -> None:
        while True:
            await asyncio.sleep(CLOCK_S)
            desk.on_clock()

    async def _inbox_forever(self, desk: Desk) -> None:
        """Take what administrators ask for, at once when told and every 250 ms."""
        while True:
            # A desk that is full refuses: the row waits on.
            with contextlib.suppress(Refused):
                for row in await self._in_thread(lambda: inbox_waiting(INBOX_AT_ONCE)):
                    await self._do(desk, row)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._inbox_told.wait(), INBOX_S)
            self._inbox_told.clear()

    async def _do(self, desk: Desk, row: InboxCommand) -> None:
        """Do a row's commands; the last one's commit marks the row done."""
        try:
            commands = await self._in_thread(lambda: commands_of(row))
        except Refused as refused:
            refusal = Answer(code=str(refused.code), message=refused.message)
            await self._in_thread(lambda: inbox_answer(row.pk, refusal))
            return
        for command in commands:
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            desk.submit(command, answer, inbox=row.pk if command is commands[-1] else 0)
            await answer

    async def reload_products(self) -> None:
        """Take in what an administrator changed of the products."""
        desk = self.desk
        if desk is not None:
            self._set_terms(desk, await self._stored_products())

    async def _stored_products(self) -> list[Product]:
        rows = await self._in_thread(lambda: list(Product.objects.all()))
        self._product_keys.update((row.name, row.pk) for row in rows)
        return rows

    def _set_terms(self, desk: Desk, rows: Sequence[Product]) -> None:
        for terms in (row.terms() for row in rows):
            if desk.book.state.terms.get(terms.product) != terms and not desk.closed:
                desk.submit(SetTerms(terms=terms), None)

    # ---- helpers

    def _commit(self, fence: int, batch: Sequence[Waiting]) -> "asyncio.Future[None]":
        rows = [waiting.rows for waiting in batch if waiting.rows]
        answered = [(waiting.inbox, waiting.record.answer) for waiting in batch if waiting.inbox]
        inbox = [(key, answer.code, answer.words) for key, answer in answered]
        assert self._journal is not None  # there is one as long as there is a desk
        self.pace.begin()
        written = self._journal.write(rows, fence, inbox)
        written.add_done_callback(lambda _: self.pace.end(len(batch)))
        return written

    def _packed(self, record: Record) -> bytes:
        return packed(rows_of(record, self._product_keys, self._stored_id))

    def _now_ms(self) -> int:
        """Return the engine's time, which never goes back."""
        self._time_ms = max(self._time_ms, self._clock_ms())
        return self._time_ms

    async def _in_thread(self, call: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._lookups, released, call)
