"""A whole engine in a test's hands: what it decides is written at once, and its prices are those of the board."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import count

from asgiref.sync import sync_to_async

from accounts.database import released
from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.commands import Command, Deposit, Input, OpenAccount, SetTerms, Trigger
from engine.decide import products_needed
from engine.values import AccountId, Market, MarketStatus, Quote, mid_price
from market import live as market_live
from market.models import Product
from trading.book import Book, Record
from trading.journal import Journal
from trading.lease import take_lease
from trading.live import Answer
from trading.rows import rows_to_write

CREATED_MS, OPENED_MS, CLOSED_MS = 1_511_482_279_492, 1_511_482_876_413, 1_511_483_816_212
"""The times of the document's trade; the engine's clock stands at the first until a test moves it."""

TRADED = ("EUR-USD", "BTC-USD")

_serials = count(1)


@dataclass
class SmallEngine:
    """The engine without batches and beats. `away`: it is not to be reached."""

    now_ms: int = CREATED_MS
    away: bool = False
    asked: list[Command] = field(default_factory=list)
    book: Book = field(default_factory=Book)

    def __post_init__(self) -> None:
        lease = take_lease("a test")
        assert lease is not None
        self._lease = lease
        self._journal = Journal()
        terms = [product.terms() for product in Product.objects.filter(name__in=TRADED)]
        self._write([self._handle(SetTerms(terms=one)) for one in terms])

    def close(self) -> None:
        self._journal.close()
        self._lease.release()

    async def submit(self, command: Command) -> Answer:
        """Stand in for `trading.live.submit`."""
        self.asked.append(command)
        if self.away:
            raise Refused(Code.UNAVAILABLE)
        return await sync_to_async(released)(partial(self.do, command))

    def do(self, *commands: Command) -> Answer:
        """Decide commands and write what came of them; return the last answer."""
        records = [self._handle(command) for command in commands]
        self._write(records)
        return records[-1].answer

    def fund(self, account: AccountId, amount: str = "10") -> None:
        self.do(OpenAccount(account=account), Deposit(account=account, amount=Decimal(amount)))

    def quote(self, bid: str, ask: str, product: str = "EUR-USD") -> None:
        """Let the market move, and trigger what that reaches."""
        reached = self.book.state.reached(given_quote(bid, ask, product))
        for identifier in reached:
            self.do(Trigger(account=self.book.state.owners[identifier], id=identifier))

    def _handle(self, command: Command) -> Record:
        needed = products_needed(self.book.state, command)
        markets = {product: market for product in needed if (market := market_of(product)) is not None}
        return self.book.handle(Input(command, self.now_ms, markets))

    def _write(self, records: list[Record]) -> None:
        rows = rows_to_write(records)
        if rows:
            self._journal.write(rows, self._lease.fence)


def given_quote(bid: str, ask: str, product: str = "EUR-USD") -> Quote:
    """Put a quote on the board, and its product's feed on."""
    low, high = Decimal(bid), Decimal(ask)
    mid = mid_price(low, high, -int(low.as_tuple().exponent))
    quote = Quote(product, low, high, mid, mid, CREATED_MS, next(_serials))
    market_live.board.apply(quote)
    market_live.board.apply(MarketStatus(product, "open"))
    return quote


def market_of(product: str) -> Market | None:
    quote = market_live.board.quotes.get(product)
    return None if quote is None else Market(quote.bid, quote.ask, market_live.board.status(product).state)


def holder(user_id: int, *scopes: str, environments: tuple[str, ...] = ("live", "demo")) -> Identity:
    """Return an identity of somebody; all that a trader needs unless told otherwise."""
    rights = frozenset(scopes or ("market", "read", "trade"))
    return Identity(user_id, "ann", rights, frozenset(environments), key_id="k1", generation=1)
