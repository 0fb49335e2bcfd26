"""A small market to trade in: one product, two users, a clock that is set by hand, and quotes that trigger."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Deposit,
    Input,
    OpenAccount,
    PlaceOrder,
    SetTerms,
    SplitPosition,
    Trigger,
    UpdateTrade,
)
from engine.decide import Outcome, handle, products_needed
from engine.events import WIRE_NAMES, BalanceChanged, Event, MoneyMoved, OrderPlaced, PositionClosed, PositionOpened
from engine.state import State
from engine.values import AccountId, Market, Quote, Terms, plain

DEMO, OTHER, LIVE = AccountId("demo", 1), AccountId("demo", 2), AccountId("live", 1)
EUR = "EUR-USD"
START_MS = 1511482279492
HOUR_MS = 3_600_000


def terms(**changes) -> Terms:
    """Return the terms of the document's EUR-USD."""
    known: dict[str, Any] = {
        "product": EUR, "digits": 5, "max_leverage": Decimal(300), "max_size": Decimal(1000),
        "decay_rate": Decimal("0.0002"),
    }  # fmt: skip
    return Terms(**(known | changes))


def decimals(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with their numbers as decimals, so that a test may write them as text."""
    numbers = ("price", "take_profit", "stop_loss", "leverage", "margin")
    return {name: Decimal(v) if name in numbers and v is not None else v for name, v in params.items()}


def place_order(identifier: str, **params) -> PlaceOrder:
    """Return an order; what is not said is the document's: buy 1000000 contracts of EUR-USD with leverage 300."""
    known = {"account": DEMO, "product": EUR, "side": "buy", "type": "market", "leverage": 300, "amount": 1_000_000}
    return PlaceOrder(id=identifier, **decimals(known | params))


class World:
    """The engine's state with what its runner would know. Trades are named `t1`, `t2`, … in the order of asking."""

    def __init__(self, *, bid="1.26630", ask="1.26635", **changes):
        self.state, self.now_ms, self.count = State(), START_MS, 0
        self.markets = {EUR: Market(Decimal(bid), Decimal(ask))}
        self.events: list[Event] = []
        self.do(SetTerms(terms=terms(**changes)))
        for account in (DEMO, OTHER, LIVE):
            self.do(OpenAccount(account=account))
        self.do(Deposit(account=LIVE, amount=Decimal(10)))

    # ---- what happens

    def do(self, command) -> Any:
        """Do a command with the prices that it needs, and no others."""
        needed = products_needed(self.state, command)
        markets = {name: self.markets[name] for name in needed if name in self.markets}
        outcome = handle(self.state, Input(command, self.now_ms, markets))
        self.events += outcome.events
        return outcome

    def quote(self, bid, ask=None) -> Any:
        """Let a quote come (its ask is 5 ticks above the bid unless given) and do what it reaches."""
        bid = Decimal(bid)
        ask = bid + Decimal("0.00005") if ask is None else Decimal(ask)
        self.markets[EUR] = Market(bid, ask)
        reached = self.state.reached(Quote(EUR, bid, ask, bid, bid, self.now_ms, 1))
        outcomes = [self.do(Trigger(account=self.state.owners[name], id=name)) for name in reached]
        return [event for outcome in outcomes for event in outcome.events]

    def later(self, ms: int) -> None:
        self.now_ms += ms

    def market_is(self, state) -> None:
        """Close the market, or open it again, at the prices that it has."""
        self.markets[EUR] = Market(self.markets[EUR].bid, self.markets[EUR].ask, state)

    # ---- what is asked for

    def place(self, **params) -> Any:
        self.count += 1
        return self.do(place_order(f"t{self.count}", **params))

    def update(self, identifier, *, account=DEMO, **changes) -> Any:
        return self.do(UpdateTrade(account=account, id=identifier, **decimals(changes)))

    def cancel(self, identifier, *, account=DEMO) -> Any:
        return self.do(CancelOrder(account=account, id=identifier))

    def close(self, identifier, *, account=DEMO) -> Any:
        return self.do(ClosePosition(account=account, id=identifier))

    def split(self, identifier, first_percent=50, *, account=DEMO) -> Any:
        parts = {"first_id": f"{identifier}a", "second_id": f"{identifier}b"}
        return self.do(SplitPosition(account=account, id=identifier, first_percent=first_percent, **parts))

    # ---- what there is

    def given_position(self, **params):
        """Return an open position, bought or sold at the market."""
        outcome = self.place(**params)
        assert outcome.refusal is None, outcome.refusal.message
        return opened(outcome)

    def given_order(self, **params):
        """Return a pending order."""
        outcome = self.place(**{"type": "pending"} | params)
        assert outcome.refusal is None, outcome.refusal.message
        (order,) = [event.order for event in outcome.events if isinstance(event, OrderPlaced)]
        return order

    def cash(self, account=DEMO) -> Any:
        return self.state.accounts[account].cash

    def margin(self, account=DEMO) -> Any:
        return self.state.accounts[account].margin

    def house(self, place, environment="demo") -> Any:
        return self.state.house.get((environment, place), Decimal(0))


def events_of(happened: Outcome | list[Event]) -> Iterable[Event]:
    return happened.events if isinstance(happened, Outcome) else happened


def told(happened) -> list[str]:
    """Return what the owner is told, by the names on the wire."""
    return [WIRE_NAMES[type(event)] for event in events_of(happened) if type(event) in WIRE_NAMES]


def refused(outcome) -> Any:
    """Return why a command was refused, having made sure that nothing came of it."""
    assert outcome.refusal is not None
    assert told(outcome) == []
    return outcome.refusal.code


def opened(happened):
    """Return the one position that was opened."""
    (position,) = [event.position for event in events_of(happened) if isinstance(event, PositionOpened)]
    return position


def closed(happened):
    """Return how the one position that was closed ended."""
    (closing,) = [event.closing for event in events_of(happened) if isinstance(event, PositionClosed)]
    return closing


def balance(happened) -> str:
    """Return the cash that the owner is told."""
    (cash,) = [event.cash for event in events_of(happened) if isinstance(event, BalanceChanged)]
    return plain(cash)


def movements(happened) -> list[tuple[str, str, str, str]]:
    """Return the money that moved: kind, source, target, amount."""
    moved = [event for event in events_of(happened) if isinstance(event, MoneyMoved)]
    return [(event.kind, event.source, event.target, str(event.amount)) for event in moved]


def picture(state: State) -> dict[str, Any]:
    """Return everything that a state knows in a form that compares: dead levels and ended expiries are no knowledge."""
    return {
        "terms": dict(state.terms),
        "accounts": {
            name: (owner.cash, owner.margin, list(owner.orders.items()), list(owner.positions.items()))
            for name, owner in state.accounts.items()
        },
        "house": {place: held for place, held in state.house.items() if held},
        "requests": dict(state.requests),
        "owners": dict(state.owners),
        "interest": dict(state.interest),
        "levels": {
            (product, side, direction): {level: list(ids) for level, ids in found._ids.items() if ids}
            for product, index in state.triggers.items()
            for side in ("bid", "ask")
            for direction in ("below", "above")
            for found in [index._levels(side, direction)]
        },
        "expiries": sorted(entry for entry in state.expiries if state._pending(entry[1])),
    }
