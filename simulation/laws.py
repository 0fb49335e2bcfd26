"""Does the ledger hold? The laws of the trading rules over what the engine says and what it keeps.

The accounts of a step are judged after it, everything every now and then. The laws keep books of their own, made of
nothing but the events.

Source: trading rules, "Ledger". Law 5 and the second half of law 6 are `driver.py`'s, at a crash.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any

from engine.commands import PlaceOrder, SetTerms
from engine.events import (
    LEDGER_ACCOUNTS,
    WIRE_NAMES,
    AccountOpened,
    BalanceChanged,
    Event,
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
from engine.state import AccountState, State
from engine.values import AccountId, Quote
from trading.book import Book, Record
from trading.live import Answer

ZERO = Decimal(0)
NOTHING: tuple[list[Order], Decimal] = ([], ZERO)
Counted = dict[AccountId, tuple[list[Order], Decimal]]
MARGIN = attrgetter("margin")
MAY_TAKE_CASH = ("margin", "withdrawal", "reset")
"""The movements that take from an account's cash; none of them is for a trade that has ended."""

HIGHEST = Decimal(10) ** 15
"""Above every price: what waits for a price to rise is reached by it."""


class Violation(Exception):
    """A law does not hold. Two failures with the same `law` are taken for the same fault."""

    def __init__(self, law: str, seen: str = "") -> None:
        super().__init__(f"{law}: {seen}" if seen else law)
        self.law = law


def demand(holds: bool, law: str, *seen: object) -> None:
    if not holds:
        raise Violation(law, ", ".join(map(str, seen)))


class Laws:
    """One engine's life from empty, seen from its events. After each of its records call `check`."""

    def __init__(self) -> None:
        # whose -> ledger account -> its entries' sum; whose: an account, or an environment for house and external
        self.sums: dict[object, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        # order or position -> the margin that the ledger holds for it
        self.held: dict[str, Decimal] = defaultdict(Decimal)
        self.orders: dict[str, str] = {}
        self.positions: dict[str, str] = {}
        self.offsets: dict[AccountId, int] = defaultdict(int)
        # environment -> what all closed positions gained, and what they should have paid for being held
        self.gained: dict[str, Decimal] = defaultdict(Decimal)
        self.decayed: dict[str, Decimal] = defaultdict(Decimal)
        # account -> the cash that its owner was last told of
        self.told: dict[AccountId, Decimal] = {}
        self.answers: dict[tuple[AccountId, str], tuple[PlaceOrder, Answer]] = {}
        # account -> its orders (its positions) as they were last seen, and the sum of their margin
        self._orders: Counted = {}
        self._positions: Counted = {}
        self._activated = ""
        self._ended: list[str] = []

    def check(self, book: Book, record: Record) -> None:
        """Judge what has just been done, and the account that it was done to. Raises `Violation`."""
        outcome = record.outcome
        command = outcome.entry.command
        if outcome.events:
            for event in outcome.events:
                EVENTS[type(event)](self, event)
            self._check_ends()
        if isinstance(command, SetTerms):
            return
        self._check_log(record, command.account)
        if isinstance(command, PlaceOrder) and command.client_order_id:
            self._check_answer(command, record)
        account = book.state.accounts.get(command.account)
        if account is not None:
            self._check_account(command.account, account)

    def check_all(self, book: Book) -> None:
        """Judge every account, the sums over all of them, and the engine's indexes."""
        state = book.state
        for name, account in state.accounts.items():
            self._check_account(name, account)
            demand(book.offsets.get(name, 0) == self.offsets[name], "law 7: the log is dense", "offset", name)
        for environment in ("live", "demo"):
            self._check_environment(state, environment)
        trades = {trade.id: trade for account in state.accounts.values() for trade in _trades(account)}
        demand(state.owners == {name: trade.account for name, trade in trades.items()}, "index", "owners differ")
        waiting: dict[str, set[str]] = {product: set() for product in state.terms}
        for trade in trades.values():
            waiting[trade.product].add(trade.id)
        for product, names in waiting.items():
            demand(names == set(waiting_in(state, product)), "index", "triggers differ", product)

    def _check_ends(self) -> None:
        if self._activated:
            raise Violation("law 3: an activation has its position", self._activated)
        for name in self._ended:
            kept = self.held.pop(name, ZERO)
            demand(not kept, "law 2: margin is that of the open trades", "kept of an ended one", name, kept)
        self._ended.clear()

    def _check_log(self, record: Record, account: AccountId) -> None:
        for logged in record.log:
            offset = self.offsets[account] + 1
            if logged.account != account:
                raise Violation("law 1: environments never mix", f"told to another account, {logged}")
            if logged.offset != offset:
                raise Violation("law 7: the log is dense", f"{offset} expected, {logged}")
            self.offsets[account] = offset
        told = len([event for event in record.outcome.events if type(event) in WIRE_NAMES])
        if told != len(record.log):
            raise Violation("law 7: the log is dense", f"{told} events, {len(record.log)} in the log")

    def _check_answer(self, command: PlaceOrder, record: Record) -> None:
        """The same order again changes nothing and is answered as before; another one of its name is refused."""
        known = self.answers.get((command.account, command.client_order_id))
        if known is None:
            if record.outcome.events:
                self.answers[command.account, command.client_order_id] = command, record.answer
            return
        first, answer = known
        law = "law 6: duplicates change nothing"
        demand(not record.outcome.events, law, "events of a duplicate", record.outcome.events)
        if _same(first, command):
            demand(record.answer == answer, law, "answer", record.answer, answer)
        else:
            demand(record.answer.code == "client_order_id_reused", law, "another body", record.answer)

    def _check_account(self, name: AccountId, account: AccountState) -> None:
        law = "law 2: a balance is the sum of its entries"
        cash, margin = account.cash, account.margin
        sums = self.sums[name]
        if cash != sums["user.cash"] or margin != sums["user.margin"]:
            raise Violation(law, f"{name}, {cash}, {margin}")
        if cash < ZERO:
            raise Violation("law 2: cash is never below zero", f"{name}, {cash}")
        if cash != self.told[name]:
            raise Violation("each change of the cash is told", f"{name}, {cash}, {self.told[name]}")
        held = margin_of(account.orders, name, self._orders) + margin_of(account.positions, name, self._positions)
        if margin != held:
            raise Violation("law 2: margin is that of the open trades", f"{name}, {margin}, {held}")

    def _check_environment(self, state: State, environment: str) -> None:
        house = {place: amount for (where, place), amount in state.house.items() if where == environment}
        for place, amount in house.items():
            demand(amount == self.sums[environment][place], "law 2: a balance is the sum of its entries", place)
        users = [account for name, account in state.accounts.items() if name.environment == environment]
        total = sum((account.cash + account.margin for account in users), ZERO) + sum(house.values(), ZERO)
        demand(total == 0, "law 1: all accounts sum to zero", environment, total)
        law = "law 4: users' profits are the house's losses"
        demand(house.get("house.pnl", ZERO) == -self.gained[environment], law, "pnl", environment)
        demand(house.get("house.decay", ZERO) == self.decayed[environment], law, "decay", environment)
        demand(house.get("house.insurance", ZERO) <= 0, law, "insurance", environment)

    # One event each

    def _money(self, event: MoneyMoved) -> None:
        source, target, amount = event.source, event.target, event.amount
        if source not in LEDGER_ACCOUNTS or target not in LEDGER_ACCOUNTS or source == target or amount <= ZERO:
            raise Violation("law 1: every transfer balances", str(event))
        self._entry(event, source, -amount)
        self._entry(event, target, amount)

    def _entry(self, event: MoneyMoved, place: str, change: Decimal) -> None:
        """Enter one half of a movement."""
        account = event.account
        if place == "user.margin":
            self.sums[account][place] += change
            self.held[event.reference] += change
        elif place == "user.cash":
            self.sums[account][place] += change
            if change < ZERO and (event.kind not in MAY_TAKE_CASH or event.reference in self._ended):
                raise Violation("law 4: a position loses at most its margin", f"taken from the cash, {event}")
        else:
            self.sums[account.environment][place] += change

    def _placed(self, event: OrderPlaced) -> None:
        demand(event.order.id not in self.orders, "law 3: one beginning", "placed twice", event.order.id)
        self.orders[event.order.id] = "open"

    def _order_ends(self, event: OrderActivated | OrderCancelled) -> None:
        name = event.order.id
        demand(self.orders.get(name) == "open", "law 3: one end per order", type(event).__name__, name)
        self.orders[name] = "ended"
        if isinstance(event, OrderActivated):
            self._activated = name
        else:
            self._ended.append(name)

    def _opened(self, event: PositionOpened) -> None:
        demand(event.position.id == self._activated, "law 3: an activation has its position", "none before", event)
        self._activated = ""
        self.positions[event.position.id] = "open"

    def _updated(self, event: OrderUpdated | PositionUpdated) -> None:
        trade = event.position if isinstance(event, PositionUpdated) else event.order
        statuses = self.positions if isinstance(event, PositionUpdated) else self.orders
        demand(statuses.get(trade.id) == "open", "law 3: what ended stays ended", "updated", trade.id)

    def _closed(self, event: PositionClosed) -> None:
        self._position_ends(event.position.id)
        environment = event.position.account.environment
        self.gained[environment] += event.closing.pnl
        self.decayed[environment] += event.closing.decay

    def _split(self, event: PositionSplit) -> None:
        parent, parts = event.parent, (event.first, event.second)
        self._position_ends(parent.id)
        law = "law 4: a split conserves"
        demand(sum(part.amount for part in parts) == parent.amount, law, "amount", parent.id)
        demand(sum(part.size for part in parts) == parent.size, law, "size", parent.id)
        demand(sum(part.margin for part in parts) == parent.margin, law, "margin", parent.id)
        demand(all(part.amount > 0 and part.margin > 0 for part in parts), law, "an empty part", parent.id)
        demand(all(part.opened_ms == parent.opened_ms for part in parts), law, "opened", parent.id)
        for part in parts:
            demand(part.id not in self.positions, "law 3: one beginning", "opened twice", part.id)
            self.positions[part.id] = "open"
            self.held[part.id] = part.margin
        self.held[parent.id] -= parent.margin

    def _position_ends(self, name: str) -> None:
        demand(self.positions.get(name) == "open", "law 3: one end per position", "ended", name)
        self.positions[name] = "ended"
        self._ended.append(name)

    def _balance(self, event: BalanceChanged) -> None:
        self.told[event.account] = event.cash

    def _nothing(self, event: Event) -> None:
        """Nothing of the ledger's."""


def margin_of(trades: Mapping[str, Order], name: AccountId, counted: Counted) -> Decimal:
    """Return the margin of an account's trades as the engine has them now.

    A trade never changes, so those in front that are the same as before are not added up once more.
    """
    now = list(trades.values())
    before, margin = counted.get(name, NOTHING)
    if now == before:
        return margin
    if now[: len(before)] != before:
        before, margin = NOTHING
    margin = sum(map(MARGIN, now[len(before) :]), margin)
    counted[name] = now, margin
    return margin


def waiting_in(state: State, product: str) -> Iterator[str]:
    """Yield all that waits for a price of a product, in the order in which its index would yield it."""
    index = state.triggers.get(product)
    if index is not None:
        for bid, ask in ((HIGHEST, ZERO), (-HIGHEST, HIGHEST)):
            yield from index.reached(Quote(product, bid, ask, bid, bid, 0, 0))


def _trades(account: AccountState) -> Iterator[Order | Position]:
    yield from account.orders.values()
    yield from account.positions.values()


def _same(first: PlaceOrder, second: PlaceOrder) -> bool:
    """Tell whether two orders ask for the same; their ids are the house's."""
    wishes = ("product", "side", "type", "leverage", "amount", "price", "take_profit", "stop_loss", "valid_until_ms")
    return all(getattr(first, wish) == getattr(second, wish) for wish in wishes)


EVENTS: Mapping[type[Event], Callable[[Laws, Any], None]] = {
    TermsSet: Laws._nothing, AccountOpened: Laws._nothing, OrderRefused: Laws._nothing,
    BalanceChanged: Laws._balance, OrderPlaced: Laws._placed, OrderUpdated: Laws._updated,
    OrderCancelled: Laws._order_ends, OrderActivated: Laws._order_ends, PositionOpened: Laws._opened,
    PositionUpdated: Laws._updated, PositionClosed: Laws._closed, PositionSplit: Laws._split,
    MoneyMoved: Laws._money,
}  # fmt: skip
