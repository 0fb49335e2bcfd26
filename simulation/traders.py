"""What do they ask for? Random commands: most that can be done, and every way to ask for what cannot.

A trader looks at the engine's state to find what it may name; which of it is right is not his to know.
"""

from bisect import bisect
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from msgspec.structs import replace

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    EntryType,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
    SplitPosition,
    UpdateTrade,
    Withdraw,
)
from engine.events import Order
from engine.margin import Side
from engine.state import AccountState, State
from engine.values import AccountId, Environment
from simulation.world import HOUR_MS, Path

USERS = 6
ENVIRONMENTS: list[Environment] = ["live", "demo"]
SIDES: list[Side] = ["buy", "sell"]
TYPES: list[EntryType] = ["market", "market", "pending", "limit", "stop"]
ACCOUNTS = [AccountId(environment, user) for user in range(1, USERS + 1) for environment in ENVIRONMENTS]
LATE = ACCOUNTS[-1]
"""The account that nobody opens in the beginning."""

LEVERAGES = [Decimal(text) for text in ("1", "2", "7.25", "10", "25", "50", "100", "200", "300")]
WRONG_LEVERAGES = [Decimal(text) for text in ("0", "0.99", "-5", "300.001", "1.005", "1000000", "20.123")]
WRONG_AMOUNTS = [0, -1, 10**12]
WRONG_PRICES = [Decimal(text) for text in ("0", "-1.5", "1.1234567", "0.000000001", "999999999999999")]
WRONG_MONEY = [Decimal(text) for text in ("0", "-1", "0.000000001", "21000000.00000001", "0.123456789")]
REMEMBERED = 300
"""Orders with a name of their own that are kept to be sent again."""


T = TypeVar("T")


@dataclass(slots=True)
class Traders:
    """`target`: how many open trades they strive for, all together."""

    chance: Random
    paths: dict[str, Path]
    target: int
    sent: deque[PlaceOrder] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    count: int = 0

    def command(self, state: State, now_ms: int) -> Command:
        """Return what is asked for next."""
        account = self._any(ACCOUNTS)
        owner = state.accounts.get(account)
        weights = WHEN_SHORT if len(state.owners) < self.target else WHEN_FULL
        wish = WISHES[bisect(weights, 100 * self.chance.random())]
        return wish(self, state, account, owner or AccountState(), now_ms)

    def identifier(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def place(self, _state: State, account: AccountId, owner: AccountState, now_ms: int) -> Command:
        """An order of a size that the account can mostly pay, and mostly with everything on its proper side."""
        chance, any_of, between = self.chance, self._any, self._between
        path = self.paths[any_of(PRODUCT_NAMES)]
        terms, side = path.terms, any_of(SIDES)
        leverage = min(any_of(LEVERAGES), terms.max_leverage)
        kind = any_of(TYPES)
        ticks = path.mid
        price = None
        if kind != "market":
            near = max(2, path.move * 3)
            ticks = max(1, ticks + between(-near, near))
            price = path.price(ticks)
        take_profit, stop_loss = self._exits(path, side, ticks, leverage)
        order = PlaceOrder(
            account=account, id=self.identifier(), product=terms.product, side=side, type=kind, leverage=leverage,
            amount=self._amount(owner, leverage), price=price, take_profit=take_profit, stop_loss=stop_loss,
            valid_until_ms=now_ms + any_of((1, 2_000, 60_000, HOUR_MS)) if chance.random() < 0.25 else None,
            client_order_id=f"c{self.count}" if chance.random() < 0.3 else "",
        )  # fmt: skip
        if chance.random() < 0.12:
            order = self._spoilt(order, now_ms)
        if order.client_order_id:
            self.sent.append(order)
        return order

    def again(self, state: State, account: AccountId, owner: AccountState, now_ms: int) -> Command:
        """The same order a second time, or another one of its name."""
        if not self.sent:
            return self.place(state, account, owner, now_ms)
        order = replace(self._any(self.sent), id=self.identifier())
        luck = self.chance.random()
        if luck < 0.2:
            return replace(order, amount=order.amount + 1)
        if luck < 0.3:
            return replace(order, leverage=order.leverage * Decimal("1.00"))
        return order

    def cancel(self, state: State, account: AccountId, owner: AccountState, _now_ms: int) -> Command:
        return CancelOrder(account=account, id=self._pick(state, list(owner.orders)))

    def close(self, state: State, account: AccountId, owner: AccountState, _now_ms: int) -> Command:
        return ClosePosition(account=account, id=self._pick(state, list(owner.positions)))

    def split(self, state: State, account: AccountId, owner: AccountState, _now_ms: int) -> Command:
        return SplitPosition(
            account=account, id=self._pick(state, list(owner.positions)), first_percent=self._between(5, 95),
            first_id=self.identifier(), second_id=self.identifier(),
        )  # fmt: skip

    def update(self, state: State, account: AccountId, owner: AccountState, _now_ms: int) -> Command:
        """One to three changes of an order or a position."""
        identifier = self._pick(state, [*owner.orders, *owner.positions])
        trade = state.trade(identifier)
        if trade is None:
            return UpdateTrade(account=account, id=identifier, take_profit=Decimal(1))
        changes: dict[str, Any] = {}
        for what in self.chance.sample(UPDATES, self._any((0, 1, 1, 1, 2, 3))):
            changes |= what(self, trade)
        return UpdateTrade(account=account, id=identifier, **changes)

    def money(self, _state: State, account: AccountId, owner: AccountState, _now_ms: int) -> Command:
        """Deposits for who has little, withdrawals for who has much; now and then all of it, or nonsense."""
        luck = self.chance.random()
        if luck < 0.1:
            wrong = self._any(WRONG_MONEY)
            return Deposit(account=account, amount=wrong) if luck < 0.05 else Withdraw(account=account, amount=wrong)
        if luck < 0.2 and owner.cash:
            return Withdraw(account=account, amount=owner.cash)
        amount = Decimal(self._between(1, 10**10)).scaleb(-8)
        if owner.cash < 20:
            return Deposit(account=account, amount=amount)
        return Withdraw(account=account, amount=amount)

    def administrate(self, _state: State, account: AccountId, owner: AccountState, _now_ms: int) -> Command:
        luck = self.chance.random()
        if luck < 0.25:
            return OpenAccount(account=account)
        if luck < 0.65:
            return ResetAccount(account=account)
        halted = [path for path in self.paths.values() if path.terms.halted]
        return SetTerms(terms=self._any(halted or list(self.paths.values())).change_terms(self.chance))

    def _any(self, options: Sequence[T]) -> T:
        """Return one of them. (`Random.choice` is fairer in the 50th bit, and takes three times as long.)"""
        return options[int(self.chance.random() * len(options))]

    def _between(self, low: int, high: int) -> int:
        return low + int(self.chance.random() * (high - low + 1))

    def _pick(self, state: State, own: list[str]) -> str:
        """Return an id of one's own; now and then another's, or nobody's."""
        luck = self.chance.random()
        if luck < 0.06 and state.owners:
            return self._any(list(state.owners))
        if luck < 0.08 or not own:
            return f"t{self._between(1, self.count + 1)}"
        return self._any(own)

    def _amount(self, owner: AccountState, leverage: Decimal) -> int:
        """Return contracts for a small part of the cash; sometimes a few only, sometimes more than there is."""
        luck = self.chance.random()
        if luck < 0.06:
            return self._between(1, 3)
        satoshis = int(owner.cash.scaleb(8))
        part = self._between(1, 30) if luck < 0.97 else 3_000
        return max(1, int(satoshis * part * leverage) // 10**8)

    def _exits(self, path: Path, side: str, ticks: int, leverage: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Return take profit and stop loss, each mostly on its proper side, or none."""
        luck = self.chance.random()
        if luck < 0.4:
            return None, None
        sign = 1 if side == "buy" else -1
        numerator, denominator = path.terms.liquidation_fraction
        room = max(2, int(ticks * numerator / (denominator * leverage)))
        gain = path.price(max(1, ticks + sign * self._between(1, 2 * min(room, ticks))))
        loss = path.price(max(1, ticks - sign * self._between(1, max(1, room - 1))))
        return (gain if luck < 0.8 else None), (loss if luck > 0.6 else None)

    def _spoilt(self, order: PlaceOrder, now_ms: int) -> PlaceOrder:
        """Return an order with one thing in it that is wrong."""
        any_of = self._any
        what = self.chance.randrange(9)
        if what == 0:
            return replace(order, product="NO-SUCH")
        if what == 1:
            return replace(order, leverage=any_of(WRONG_LEVERAGES))
        if what == 2:
            return replace(order, amount=any_of(WRONG_AMOUNTS))
        if what == 3:
            return replace(order, price=any_of(WRONG_PRICES))
        if what == 4:
            return replace(order, price=None if order.price else Decimal(1))
        if what == 5:
            return replace(order, take_profit=order.stop_loss, stop_loss=order.take_profit)
        if what == 6:
            return replace(order, take_profit=any_of(WRONG_PRICES))
        if what == 7:
            return replace(order, stop_loss=any_of(WRONG_PRICES))
        return replace(order, valid_until_ms=now_ms - self._between(0, 1))

    def _new_price(self, trade: Order) -> dict[str, Any]:
        path = self.paths[trade.product]
        near = max(2, path.move * 3)
        return {"price": self._maybe_wrong(path.price(max(1, path.mid + self._between(-near, near))))}

    def _new_take_profit(self, trade: Order) -> dict[str, Any]:
        return {"take_profit": self._new_exit(trade, 1)}

    def _new_stop_loss(self, trade: Order) -> dict[str, Any]:
        return {"stop_loss": self._new_exit(trade, -1)}

    def _new_exit(self, trade: Order, way: int) -> Decimal:
        if self.chance.random() < 0.2:
            return Decimal(0)
        path = self.paths[trade.product]
        sign = way if trade.side == "buy" else -way
        room = max(2, int(abs(trade.price - trade.liquidation_price).scaleb(path.terms.digits)))
        ticks = int(trade.price.scaleb(path.terms.digits)) + sign * self._between(1, room)
        return self._maybe_wrong(path.price(max(1, ticks)))

    def _new_leverage(self, trade: Order) -> dict[str, Any]:
        lower = (trade.leverage / self._between(1, 3)).quantize(Decimal("0.01"))
        wished = self._any((lower, lower, self._any(LEVERAGES), self._any(WRONG_LEVERAGES)))
        return {"leverage": wished}

    def _new_margin(self, trade: Order) -> dict[str, Any]:
        percent = self._any((100, 101, 110, 150, 99, 5, 20_000))
        margin = (trade.margin * percent / 100).quantize(Decimal("0.00000001"))
        return {"margin": margin if self.chance.random() < 0.95 else self._any(WRONG_MONEY)}

    def _maybe_wrong(self, price: Decimal) -> Decimal:
        return price if self.chance.random() < 0.95 else self._any(WRONG_PRICES)


PRODUCT_NAMES = ["EUR-USD", "USD-JPY", "BTC-USD", "AMZN", "XRP-USD", "ONE-USD"]
UPDATES: list[Callable[[Traders, Order], dict[str, Any]]] = [
    Traders._new_price, Traders._new_take_profit, Traders._new_stop_loss, Traders._new_leverage, Traders._new_margin,
]  # fmt: skip

Wish = Callable[[Traders, State, AccountId, AccountState, int], Command]
WISHES: list[Wish] = [
    Traders.place, Traders.cancel, Traders.close, Traders.update, Traders.split, Traders.again, Traders.money,
    Traders.administrate,
]  # fmt: skip
WHEN_SHORT = [62, 65, 70, 83, 86, 93, 99, 100]
WHEN_FULL = [35, 45, 63, 80, 83, 91, 99, 100]
"""Cumulated percent of the wishes, while there are fewer trades than wanted and after that."""
