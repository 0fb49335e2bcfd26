"""The journal's process, a real one on the test's database: it commits, it says what failed, and it may die."""

import asyncio
import contextlib
import os
import signal
from decimal import Decimal

import pytest

from engine.commands import Deposit, Input, OpenAccount
from engine.values import AccountId
from tests.threads import in_thread
from tests.trading.books import given_accounts, given_lease
from tests.trading.runners import EUR, Running, opened, until
from trading.book import Book
from trading.journal_process import CommitFailed, JournalProcess
from trading.load import load_book
from trading.models import JournalEntry
from trading.rows import STORED_ID, packed, rows_of

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_S = 20


@pytest.fixture
async def account():
    return (await in_thread(given_accounts, 1))[1]


@pytest.fixture
async def lease():
    lease = await in_thread(given_lease)
    yield lease
    await in_thread(lease.release)


@contextlib.asynccontextmanager
async def journal():
    process = JournalProcess(lambda: None)
    await process.start()
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


def batch(*records):
    from django.db import connection

    return [packed(rows_of(record, {}, STORED_ID[connection.vendor])) for record in records]


def opening(book, account):
    return book.handle(Input(OpenAccount(account=account), 1_000))


async def written(process, *records, fence):
    async with asyncio.timeout(WAIT_S):
        await process.write(batch(*records), fence, [])


async def entries():
    return await in_thread(JournalEntry.objects.count)


async def test_batches_are_committed_one_after_the_other(account, lease):
    book = Book()
    async with journal() as process:
        await written(process, opening(book, account), fence=lease.fence)
        assert await entries() == 1
        deposits = [book.handle(Input(Deposit(account=account, amount=Decimal(1)), at)) for at in range(2_000, 2_100)]
        await written(process, *deposits, fence=lease.fence)
    assert await entries() == 101
    assert (await in_thread(load_book)).state.accounts[account].cash == 110


async def test_what_went_wrong_is_named_and_the_next_batch_is_another_matter(account, lease):
    record = opening(Book(), account)
    async with journal() as process:
        with pytest.raises(CommitFailed, match=r"^Fenced$"):
            await written(process, record, fence=lease.fence + 1)
        assert await entries() == 0
        await written(process, record, fence=lease.fence)
    assert await entries() == 1


async def test_a_batch_of_megabytes_goes_through(account, lease):
    book = Book()
    records = [opening(book, account)]
    records += [book.handle(Input(Deposit(account=account, amount=Decimal(1)), at)) for at in range(5_000)]
    assert sum(map(len, batch(*records))) > 1_500_000
    async with journal() as process:
        await written(process, *records, fence=lease.fence)
    assert await entries() == 5_001


async def test_signals_for_everybody_do_not_end_it(account, lease):
    async with journal() as process:
        record = opening(Book(), account)
        await written(process, fence=lease.fence)
        for number in (signal.SIGINT, signal.SIGTERM):
            process._child.send_signal(number)
        await written(process, record, fence=lease.fence)
    assert await entries() == 1


async def test_it_ends_with_its_engine_after_its_batch(account, lease):
    """As after `kill -9`: nothing but the end of the line tells it."""
    async with journal() as process:
        await written(process, fence=lease.fence)
        process.write(batch(opening(Book(), account)), lease.fence, [])
        process._transport.close()
        code = await asyncio.wait_for(asyncio.to_thread(process._child.wait), WAIT_S)
    assert (code, await entries()) == (0, 1)


async def test_when_it_dies_nobody_waits(account, lease):
    async with journal() as process:
        await written(process, fence=lease.fence)
        os.kill(process._child.pid, signal.SIGSTOP)
        waiting = process.write(batch(opening(Book(), account)), lease.fence, [])
        process._child.kill()
        with pytest.raises(CommitFailed, match=r"^JournalLost$"):
            await asyncio.wait_for(waiting, WAIT_S)
        with pytest.raises(CommitFailed, match=r"^JournalLost$"):
            await process.write([], lease.fence, [])
    assert await entries() == 0


async def test_an_engine_whose_journal_dies_says_so_and_begins_again(account, caplog):
    async with Running("first", journal=JournalProcess) as running:
        await opened(await running.settled(), AccountId("demo", account.user_id))
        running.runner._journal._child.kill()
        await running.works_again(after=1)
        answer = await running.buy(account)
        assert EUR in answer.text
    assert running.fences == [1, 0, 2, 0]
    assert caplog.messages.count("The journal's process has gone") == 1


async def test_an_engine_that_ends_leaves_no_process_behind(account):
    async with Running("first", journal=JournalProcess) as running:
        await running.settled()
        child = running.runner._journal._child
    await until(lambda: child.poll() is not None)
