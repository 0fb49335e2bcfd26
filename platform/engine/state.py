"""What the engine knows: accounts, orders, positions, terms; and how an event changes it.

Only `evolve` writes here. Everything is in insertion order, never a set's, so that the same inputs give the same events
in every process.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from msgspec import Struct

from engine.events import (
    AccountOpened,
    BalanceChanged,
    Event,
    LedgerAccount,
    MoneyMoved,
    Order,
    OrderActivated,
    OrderCancelled,
    OrderPlaced,
    OrderRefused,
    OrderUpdated,
    Position,
    PositionClosed,
    PositionOpened,
    PositionSplit,
    PositionUpdated,
    TermsSet,
)
from engine.margin import Side
from engine.triggers import Direction, Price, TriggerIndex
from engine.values import AccountId, Environment, Quote, Terms

MAX_REQUESTS = 100_000
"""Answers to orders with a `client_order_id` kept in memory (100 MB); older ones are looked up in the database."""


@dataclass(slots=True)
class AccountState:
    """One account: its money, and its open trades by id, oldest first."""

    cash: Decimal = Decimal("0.00000000")
    margin: Decimal = Decimal("0.00000000")
    orders: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)


class Request(Struct, frozen=True):
    """What became of an order with a `client_order_id`: its `fingerprint`, and the order or (`code`) the refusal."""

    fingerprint: str
    order: Order | None = None
    code: str = ""
    message: str = ""


@dataclass(slots=True)
class State:
    """`house`: environment and ledger account (house.…, external) -> what it holds; all with users' money sum to 0."""

    terms: dict[str, Terms] = field(default_factory=dict)
    accounts: dict[AccountId, AccountState] = field(default_factory=dict)
    house: dict[tuple[Environment, LedgerAccount], Decimal] = field(default_factory=dict)
    requests: dict[tuple[AccountId, str], Request] = field(default_factory=dict)
    triggers: dict[str, TriggerIndex] = field(default_factory=dict)
    owners: dict[str, AccountId] = field(default_factory=dict)
    """Open trade's id -> its account."""
    expiries: list[tuple[int, str]] = field(default_factory=list)
    """A heap of (valid_until ms, order id); an order that ended earlier stays in it until its time."""
    interest: dict[tuple[Environment, str, Side], int] = field(default_factory=dict)
    """Contracts of all open positions: environment, product and side -> how many, more than 0."""

    def trade(self, identifier: str) -> Order | None:
        """Return the open order or position of this id (a position is an order with `opened_ms`)."""
        account = self.owners.get(identifier)
        if account is None:
            return None
        owner = self.accounts[account]
        return owner.orders.get(identifier) or owner.positions.get(identifier)

    def reached(self, quote: Quote) -> list[str]:
        """Return the ids of the trades that a quote triggers, what it reached first leading."""
        index = self.triggers.get(quote.product)
        return [] if index is None else index.reached(quote)

    def expired(self, now_ms: int) -> list[str]:
        """Return the pending orders whose `valid_until` has come, earliest first; they stay until cancelled."""
        due = []
        while self.expiries and (self.expiries[0][0] <= now_ms or not self._pending(self.expiries[0][1])):
            entry = heapq.heappop(self.expiries)
            if self._pending(entry[1]):
                due.append(entry)
        for entry in due:
            heapq.heappush(self.expiries, entry)
        return [identifier for _, identifier in due]

    def _pending(self, identifier: str) -> bool:
        owner = self.owners.get(identifier)
        return owner is not None and identifier in self.accounts[owner].orders


def levels_of(trade: Order) -> list[tuple[Price, Direction, Decimal]]:
    """Return the prices that a trade waits for, each once: a pending order's own; a position's liquidation, SL, TP."""
    buys = trade.side == "buy"
    if not isinstance(trade, Position):
        if not trade.kind:
            return []
        rising = (trade.kind == "stop") == buys
        return [("ask" if buys else "bid", "above" if rising else "below", trade.price)]
    side: Price = "bid" if buys else "ask"
    against: Direction = "below" if buys else "above"
    levels = [(side, against, trade.liquidation_price)]
    if trade.stop_loss is not None and trade.stop_loss != trade.liquidation_price:
        levels.append((side, against, trade.stop_loss))
    if trade.take_profit is not None:
        levels.append((side, "above" if buys else "below", trade.take_profit))
    return levels


def evolve(state: State, event: Event) -> None:
    """Change the state as an event says; nothing is decided here."""
    CHANGES[type(event)](state, event)


def _placed(state: State, event: OrderPlaced) -> None:
    order = event.order
    _add(state, order)
    if order.client_order_id:
        _remember(state, order.account, order.client_order_id, Request(event.fingerprint, order))


def _split(state: State, event: PositionSplit) -> None:
    _remove(state, event.parent)
    _add(state, event.first)
    _add(state, event.second)


def _account_opened(state: State, event: AccountOpened) -> None:
    state.accounts[event.account] = AccountState()


def _terms_set(state: State, event: TermsSet) -> None:
    state.terms[event.terms.product] = event.terms


def _refused(state: State, event: OrderRefused) -> None:
    request = Request(event.fingerprint, code=event.code, message=event.message)
    _remember(state, event.account, event.client_order_id, request)


def _add(state: State, trade: Order) -> None:
    state.owners[trade.id] = trade.account
    _shelf(state, trade)[trade.id] = trade
    count_interest(state, trade, trade.amount)
    if trade.kind and trade.valid_until_ms is not None:
        heapq.heappush(state.expiries, (trade.valid_until_ms, trade.id))
    _watch(state, trade)


def _replace(state: State, trade: Order) -> None:
    """Put the trade where it was: it does not become younger, nor its `valid_until` another."""
    shelf = _shelf(state, trade)
    count_interest(state, shelf[trade.id], -shelf[trade.id].amount)
    _unwatch(state, shelf[trade.id])
    shelf[trade.id] = trade
    count_interest(state, trade, trade.amount)
    _watch(state, trade)


def _remove(state: State, trade: Order) -> None:
    del state.owners[trade.id]
    held = _shelf(state, trade).pop(trade.id)
    count_interest(state, held, -held.amount)
    _unwatch(state, held)


def count_interest(state: State, trade: Order, contracts: int) -> None:
    """Add contracts to what is open on a position's side; orders that wait are no interest."""
    if not isinstance(trade, Position):
        return
    key = (trade.account.environment, trade.product, trade.side)
    total = state.interest.get(key, 0) + contracts
    if total:
        state.interest[key] = total
    else:
        del state.interest[key]


def _shelf(state: State, trade: Order) -> dict[str, Any]:
    account = state.accounts[trade.account]
    return account.positions if isinstance(trade, Position) else account.orders


def _watch(state: State, trade: Order) -> None:
    for price, direction, level in levels_of(trade):
        index = state.triggers.get(trade.product)
        if index is None:
            index = state.triggers[trade.product] = TriggerIndex()
        index.add(price, direction, level, trade.id)


def _unwatch(state: State, trade: Order) -> None:
    for price, direction, level in levels_of(trade):
        state.triggers[trade.product].remove(price, direction, level, trade.id)


def _move(state: State, moved: MoneyMoved) -> None:
    for place, change in ((moved.source, -moved.amount), (moved.target, moved.amount)):
        if place == "user.cash":
            state.accounts[moved.account].cash += change
        elif place == "user.margin":
            state.accounts[moved.account].margin += change
        else:
            key = (moved.account.environment, place)
            state.house[key] = state.house.get(key, Decimal(0)) + change


def _remember(state: State, account: AccountId, client_order_id: str, request: Request) -> None:
    """Keep an answer for when the same order comes again; the oldest goes where there is no more room."""
    state.requests[account, client_order_id] = request
    if len(state.requests) > MAX_REQUESTS:
        del state.requests[next(iter(state.requests))]


CHANGES: Mapping[type[Event], Callable[[State, Any], None]] = {
    MoneyMoved: _move,
    BalanceChanged: lambda _state, _event: None,  # tells the owner what the movements before it came to
    OrderPlaced: _placed,
    OrderUpdated: lambda state, event: _replace(state, event.order),
    OrderActivated: lambda state, event: _remove(state, event.order),
    OrderCancelled: lambda state, event: _remove(state, event.order),
    OrderRefused: _refused,
    PositionOpened: lambda state, event: _add(state, event.position),
    PositionUpdated: lambda state, event: _replace(state, event.position),
    PositionClosed: lambda state, event: _remove(state, event.position),
    PositionSplit: _split,
    AccountOpened: _account_opened,
    TermsSet: _terms_set,
}
