"""A desk with everything around it in the test's hands: its prices, its time, its commits, its loop."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.commands import Command, Deposit, EntryType, OpenAccount, PlaceOrder, SetTerms
from engine.values import AccountId, Market, Quote, Terms
from trading.book import Book, LoggedEvent
from trading.desk import Desk, Waiting
from trading.live import Answer

EUR = "EUR-USD"
ANNA = AccountId("demo", 1)
BERT = AccountId("live", 2)


class World:
    """`turn()` runs what the desk has put off to the next loop turn, `commit()` ends the batch that is on its way."""

    def __init__(self) -> None:
        self.markets = {EUR: Market(Decimal("1.26630"), Decimal("1.26635"))}
        self.now_ms = 1_000
        self.batches: deque[tuple[list[Waiting], asyncio.Future[None]]] = deque()
        self.sizes: list[int] = []
        self.announced: list[LoggedEvent] = []
        self.failures: list[BaseException] = []
        self._soon: deque[Callable[[], None]] = deque()
        self._ids = (f"00000000-0000-4000-8000-{number:012d}" for number in itertools.count(1))
        self.desk = Desk(
            Book(),
            packed=lambda record: b"%d" % record.serial,
            commit=self._commit,
            market=self.markets.get,
            clock_ms=lambda: self.now_ms,
            announce=self.announced.extend,
            failed=self.failures.append,
            call_soon=self._soon.append,
        )
        self.do(SetTerms(terms=terms(EUR)), OpenAccount(account=ANNA), OpenAccount(account=BERT))
        self.do(Deposit(account=BERT, amount=Decimal(5)))
        self.announced.clear()
        self.sizes.clear()

    def _commit(self, batch: Sequence[Waiting]) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.batches.append((list(batch), done))
        self.sizes.append(len(batch))
        return done

    # ---- what a test does

    def new_id(self) -> str:
        return next(self._ids)

    def ask(self, command: Command) -> "asyncio.Future[Answer]":
        """Ask as the first of a turn: it is decided at once."""
        self.desk._deciding = False
        return self.ask_more(command)

    def ask_more(self, command: Command) -> "asyncio.Future[Answer]":
        """Ask; what comes behind others in one turn is decided in the next."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.desk.submit(command, answer)
        return answer

    def do(self, *commands: Command) -> list[Answer]:
        """Ask and see it through."""
        answers = [self.ask(command) for command in commands]
        self.settle()
        return [answer.result() for answer in answers]

    def buy(self, *, account: AccountId = ANNA, amount: int = 1000, **wishes: object) -> PlaceOrder:
        kind: EntryType = "pending" if "price" in wishes else "market"
        return PlaceOrder(
            account=account, id=self.new_id(), product=EUR, side="buy", type=kind, leverage=Decimal(100), amount=amount,
            **wishes,  # type: ignore[arg-type]  # a test's own words
        )  # fmt: skip

    def quote(self, bid: str, ask: str) -> None:
        market = Market(Decimal(bid), Decimal(ask), self.markets[EUR].state)
        self.markets[EUR] = market
        self.desk.on_quote(Quote(EUR, market.bid, market.ask, market.bid, market.bid, self.now_ms, 1))

    def commit(self, error: Exception | None = None) -> None:
        _, done = self.batches.popleft()
        done.set_result(None) if error is None else done.set_exception(error)
        # A future tells its callbacks in the next turn; here that is now.
        done.remove_done_callback(self.desk._committed)
        self.desk._committed(done)

    def turn(self) -> int:
        """Run one loop turn; return how many calls that were."""
        calls, count = list(self._soon), len(self._soon)
        self._soon.clear()
        for call in calls:
            call()
        return count

    def settle(self) -> None:
        """Turn and commit until nothing is left."""
        while self._soon or self.batches:
            while self._soon:
                self.turn()
            if self.batches:
                self.commit()


def terms(product: str) -> Terms:
    return Terms(
        product=product, digits=5, max_leverage=Decimal(300), max_size=Decimal(1000), decay_rate=Decimal("0.0002")
    )  # fmt: skip
