"""A runner on a real database, with its prices, its clock and what it has told in the test's hands."""

import asyncio
import marshal
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from engine.commands import OpenAccount, PlaceOrder
from engine.values import Market, Quote
from trading.book import LoggedEvent
from trading.journal import Journal
from trading.journal_process import CommitFailed, JournalProcess
from trading.runner import Runner

EUR = "EUR-USD"
BID, ASK = "1.26630", "1.26635"


class JournalHere(JournalProcess):
    """Writes as `JournalProcess` does, but in a thread of the test's process, whose journal a test can make fail."""

    runs = True

    def __init__(self, lost):
        super().__init__(lost)
        self._journal = Journal()
        self._thread = ThreadPoolExecutor(1)

    async def start(self):
        pass

    def write(self, batch, fence, inbox):
        return asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch, fence, inbox)

    def _write(self, batch, fence, inbox):
        try:
            self._journal.write(map(marshal.loads, batch), fence, inbox)
        except Exception as error:
            raise CommitFailed(type(error).__name__) from error

    def kill(self):
        self._thread.submit(self._journal.close)

    def wait(self):
        self._thread.shutdown()


class Running:
    """A runner with its prices, its clock and what it has told, in the test's hands."""

    def __init__(self, holder, journal=JournalHere):
        self.markets = {EUR: Market(Decimal(BID), Decimal(ASK))}
        self.now_ms = 1_511_482_279_492
        self.announced: list[LoggedEvent] = []
        self.fences: list[int] = []
        self.runner = Runner(
            holder=holder,
            market=self.markets.get,
            clock_ms=lambda: self.now_ms,
            announce=self.announced.extend,
            changed=self.fences.append,
            journal=journal,
        )

    async def __aenter__(self):
        self._task = asyncio.create_task(self.runner.run())
        return self

    async def __aexit__(self, *_):
        await self.end()

    async def end(self):
        """End it in order, as a process that is asked to end does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def settled(self):
        await asyncio.wait_for(self.runner.settled.wait(), 20)
        return self

    async def works_again(self, after=0):
        """Wait until it works, with a fence beyond this one."""
        await until(lambda: self.fences and self.fences[-1] > after)

    async def buy(self, account, **wishes):
        """Buy 1 BTC at leverage 300 and return the answer."""
        order = PlaceOrder(
            account=account, id=str(uuid.uuid4()), product=EUR, side="buy", type="market", leverage=Decimal(300),
            amount=1000, **wishes,
        )  # fmt: skip
        return await self.runner.submit(order)

    def quote(self, bid, ask):
        market = Market(Decimal(bid), Decimal(ask))
        self.markets[EUR] = market
        self.runner.on_quote(Quote(EUR, market.bid, market.ask, market.bid, market.bid, self.now_ms, 1))


async def until(true, within_s=20):
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


async def opened(running, account):
    await running.runner.submit(OpenAccount(account=account))
    return running
