"""Random histories: accounts, prices that move and jump, and every command there is, by a seed."""

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    Expire,
    Input,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
    SplitPosition,
    Trigger,
    UpdateTrade,
    Withdraw,
)
from engine.decide import products_needed
from engine.values import AccountId, Market, Quote, Terms
from trading.book import Book, Record

DIGITS = {"EUR-USD": 5, "BTC-USD": 1, "XAU-USD": 2}
START = {"EUR-USD": Decimal("1.08500"), "BTC-USD": Decimal("67000.0"), "XAU-USD": Decimal("2400.00")}
MINUTE_MS = 60_000


class History:
    """One history, going on with `steps`; the records are what `book` made of it, those that are to be kept."""

    def __init__(self, seed: int, accounts: list[AccountId], book: Book | None = None) -> None:
        self.book = Book() if book is None else book
        self.now_ms = 1_700_000_000_000
        self.happened: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._accounts = accounts
        self._prices = dict(START)
        self._asked: list[PlaceOrder] = []

    def begin(self) -> list[Record]:
        """Make the products and the accounts known."""
        commands: list[Command] = [SetTerms(terms=terms(name)) for name in DIGITS]
        commands += [OpenAccount(account=account) for account in self._accounts]
        commands += [
            Deposit(account=account, amount=Decimal(20)) for account in self._accounts if account.environment == "live"
        ]
        return self._kept(self._do(command) for command in commands)

    def steps(self, count: int) -> list[Record]:
        return self._kept(record for _ in range(count) for record in self._step())

    def _kept(self, records: Iterator[Record] | list[Record]) -> list[Record]:
        return [record for record in records if record.serial]

    def _step(self) -> Iterator[Record]:
        self.now_ms += self._dice.choice((0, 1, MINUTE_MS, 200 * MINUTE_MS))
        yield from self._move()
        yield self._do(self._command())

    def _move(self) -> Iterator[Record]:
        """Let a price move, now and then far, and do what it reaches."""
        product = self._dice.choice(list(DIGITS))
        far = self._dice.random() < 0.1
        change = Decimal(self._dice.randint(-400, 400) if far else self._dice.randint(-20, 20)) / 10_000
        step = Decimal(1).scaleb(-DIGITS[product])
        self._prices[product] = max((self._prices[product] * (1 + change)).quantize(step), 100 * step)
        market = self._market(product)
        quote = Quote(product, market.bid, market.ask, market.bid, market.bid, self.now_ms, 1)
        for identifier in self.book.state.expired(self.now_ms):
            yield self._do(Expire(account=self.book.state.owners[identifier], id=identifier))
        for identifier in self.book.state.reached(quote):
            if identifier in self.book.state.owners:
                yield self._do(Trigger(account=self.book.state.owners[identifier], id=identifier))

    def _market(self, product: str) -> Market:
        bid = self._prices[product]
        return Market(bid, bid + Decimal(2).scaleb(-DIGITS[product]))

    def _do(self, command: Command) -> Record:
        needed = products_needed(self.book.state, command)
        record = self.book.handle(Input(command, self.now_ms, {name: self._market(name) for name in needed}))
        kind = type(command).__name__
        self.happened[f"{kind} refused" if record.answer.code else kind] += 1
        self.happened.update(type(event).__name__ for event in record.outcome.events)
        return record

    def _command(self) -> Command:
        account = self._dice.choice(self._accounts)
        owner = self.book.state.accounts[account]
        order = self._dice.choice(list(owner.orders) or [self._new_id()])
        position = self._dice.choice(list(owner.positions) or [self._new_id()])
        match self._dice.choices(range(9), (40, 8, 18, 14, 6, 3, 3, 1, 1))[0]:
            case 0:
                return self._place(account)
            case 1:
                return CancelOrder(account=account, id=order)
            case 2:
                return self._update(account, self._dice.choice((order, position)))
            case 3:
                return ClosePosition(account=account, id=position)
            case 4:
                percent = self._dice.randint(5, 95)
                ids = (self._new_id(), self._new_id())
                return SplitPosition(
                    account=account, id=position, first_percent=percent, first_id=ids[0], second_id=ids[1]
                )
            case 5:
                return Deposit(account=account, amount=Decimal(self._dice.randint(1, 10**9)).scaleb(-8))
            case 6:
                return Withdraw(account=account, amount=Decimal(self._dice.randint(1, 10**9)).scaleb(-8))
            case 7:
                return ResetAccount(account=account)
            case _:
                known = terms(self._dice.choice(list(DIGITS)))
                return SetTerms(terms=replace(known, max_leverage=Decimal(self._dice.choice((100, 300)))))

    def _place(self, account: AccountId) -> PlaceOrder:
        """Return a new order; now and then one that came before, the same or another with its name."""
        if self._asked and self._dice.random() < 0.1:
            again = self._dice.choice(self._asked)
            return self._dice.choice((again, replace(again, amount=again.amount + 1)))
        product = self._dice.choice(list(DIGITS))
        kind = self._dice.choice(("market", "market", "pending"))
        near = self._prices[product] * (1 + Decimal(self._dice.randint(-50, 50)) / 10_000)
        price = None if kind == "market" else self._on_tick(product, near)
        side = self._dice.choice(("buy", "sell"))
        sign = 1 if side == "buy" else -1
        order = PlaceOrder(
            account=account, id=self._new_id(), product=product, side=side, type=kind,  # type: ignore[arg-type]
            leverage=Decimal(self._dice.choice(("1", "2.50", "25", "100"))),
            amount=self._dice.choice((1, 3, 1_000, 33_333)), price=price,
            take_profit=self._maybe(self._on_tick(product, near * (1 + sign * Decimal("0.009")))),
            stop_loss=self._maybe(self._on_tick(product, near * (1 - sign * Decimal("0.006")))),
            valid_until_ms=self.now_ms + 30 * MINUTE_MS if kind == "pending" and self._dice.random() < 0.4 else None,
            client_order_id=self._dice.choice(("", f"{account.user_id}:{self._dice.randint(1, 10_000)}")),
        )  # fmt: skip
        if order.client_order_id:
            self._asked.append(order)
        return order

    def _update(self, account: AccountId, identifier: str) -> UpdateTrade:
        trade = self.book.state.trade(identifier)
        if trade is None or trade.account != account:
            return UpdateTrade(account=account, id=identifier, take_profit=Decimal(0))
        sign = 1 if trade.side == "buy" else -1
        changes = {
            "take_profit": self._on_tick(trade.product, trade.price * (1 + sign * Decimal("0.02"))),
            "stop_loss": Decimal(0),
            "margin": trade.margin + Decimal(self._dice.randint(-9, 99)).scaleb(-8),
            "leverage": Decimal(self._dice.randint(1, 30)),
            "price": trade.price + Decimal(self._dice.randint(-3, 3)).scaleb(-DIGITS[trade.product]),
        }
        chosen = self._dice.sample(list(changes), self._dice.randint(1, 2))
        return UpdateTrade(account=account, id=identifier, **{name: changes[name] for name in chosen})

    def _maybe(self, price: Decimal) -> Decimal | None:
        return price if self._dice.random() < 0.3 else None

    def _on_tick(self, product: str, price: Decimal) -> Decimal:
        return price.quantize(Decimal(1).scaleb(-DIGITS[product]))

    def _new_id(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))


def terms(product: str) -> Terms:
    return Terms(
        product=product, digits=DIGITS[product], max_leverage=Decimal(100), max_size=Decimal(10_000),
        decay_rate=Decimal("0.00002"), liquidation_loss="market" if product == "XAU-USD" else "full_margin",
    )  # fmt: skip


def parts(records: list[Record], sizes: tuple[int, ...] = (1, 8, 64)) -> Iterator[list[Record]]:
    """Yield records in batches of changing sizes, as the engine would commit them."""
    at = number = 0
    while at < len(records):
        size = sizes[number % len(sizes)]
        yield records[at : at + size]
        at += size
        number += 1
