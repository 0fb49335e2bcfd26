"""Would the simulation notice? Ten faults that can be planted into the engine, each subtle, each found in a minute.

Every fault takes the place of one or two functions of the engine while it is planted. What each does, and what notices
it, is in docs/simulation.md.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import ModuleType
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from engine import checks, closing, decide, funds, placing, updating
from engine import state as states
from engine.checks import balance, moved
from engine.commands import Input, ResetAccount, SplitPosition
from engine.events import Closing, Event, Order, OrderCancelled, Position, PositionClosed, PositionSplit, Reason
from engine.margin import DECAY_PERIOD_MS, SATOSHI, Side
from engine.state import State
from engine.values import Market


def _margin_half_up(*, size: Decimal, leverage: Decimal) -> Decimal:
    return (size / leverage).quantize(SATOSHI, ROUND_HALF_UP)


def _stop_first(position: Position, price: Decimal) -> Reason | None:
    sign = 1 if position.side == "buy" else -1
    if position.stop_loss is not None and sign * (price - position.stop_loss) <= 0:
        return "stop_loss"
    if sign * (price - position.liquidation_price) <= 0:
        return "liquidation"
    if position.take_profit is not None and sign * (price - position.take_profit) >= 0:
        return "take_profit"
    return None


def _split_down(state: State, command: SplitPosition, entry: Input) -> tuple[Event, ...]:
    (event,) = updating.split(state, command, entry)
    assert isinstance(event, PositionSplit)
    parent = event.parent
    margin = (parent.margin * event.first.amount / parent.amount).quantize(SATOSHI, "ROUND_DOWN")
    return (PositionSplit(parent, replace(event.first, margin=margin), event.second),)


def _decay_of_started(*, rate: Decimal, size: Decimal, opened_ms: int, closed_ms: int) -> Decimal:
    periods = -((opened_ms - closed_ms) // DECAY_PERIOD_MS)
    return (abs(rate) * size * periods).quantize(SATOSHI, "ROUND_DOWN")


def _bid_for_all(market: Market, _side: Side) -> Decimal:
    return market.bid


def _never_seen(_state: State, _command: object) -> None:
    return None


def _replaced_with_old_target(state: State, trade: Order) -> None:
    shelf = states._shelf(state, trade)
    for price, direction, level in states.levels_of(shelf[trade.id]):
        if level != shelf[trade.id].take_profit:
            state.triggers[trade.product].remove(price, direction, level, trade.id)
    shelf[trade.id] = trade
    states._watch(state, trade)


def _reset_but_one(state: State, command: ResetAccount, entry: Input) -> tuple[Event, ...]:
    events = funds.reset(state, command, entry)
    cancelled = [event for event in events if isinstance(event, OrderCancelled)]
    return tuple(event for event in events if event not in cancelled[1:][-1:])


def _reset_in_a_sets_order(state: State, command: ResetAccount, entry: Input) -> tuple[Event, ...]:
    events = funds.reset(state, command, entry)
    # Each order's cancellation has its movement behind it.
    cancelled = {
        event.order.id: events[place : place + 2]
        for place, event in enumerate(events)
        if isinstance(event, OrderCancelled)
    }
    shuffled = (event for identifier in set(cancelled) for event in cancelled[identifier])
    return (*shuffled, *events[2 * len(cancelled) :])


def _ended_unbounded(state: State, position: Position, ending: Closing) -> tuple[Event, ...]:
    account, zero = position.account, Decimal(0)
    payout = position.margin + ending.pnl - ending.decay
    return (
        PositionClosed(position, ending),
        *moved(account, "profit", "house.pnl", "user.margin", max(zero, ending.pnl), reference=position.id),
        *moved(account, "loss", "user.margin", "house.pnl", max(zero, -ending.pnl), reference=position.id),
        *moved(account, "decay", "user.margin", "house.decay", ending.decay, reference=position.id),
        *moved(account, "release", "user.margin", "user.cash", max(zero, payout), reference=position.id),
        *moved(account, "margin", "user.cash", "user.margin", max(zero, -payout), reference=position.id),
        *balance(account, before=state.accounts[account].cash, change=payout),
    )


Patch = tuple[ModuleType, str, Callable[..., Any]]
Rule = tuple[type, Callable[..., tuple[Event, ...]]]

BUGS: Mapping[str, tuple[Patch | Rule, ...]] = {
    "margin_half_up": ((checks, "margin_of", _margin_half_up),),
    "stop_before_liquidation": ((closing, "_reached", _stop_first),),
    "split_remainder_lost": ((SplitPosition, _split_down),),
    "decay_per_started_period": ((closing, "decay_of", _decay_of_started),),
    "buys_fill_at_bid": ((closing, "opening_price", _bid_for_all),),
    "duplicate_executed": ((placing, "_known", _never_seen),),
    "take_profit_not_forgotten": ((states, "_replace", _replaced_with_old_target),),
    "reset_leaves_an_order": ((ResetAccount, _reset_but_one),),
    "reset_in_a_sets_order": ((ResetAccount, _reset_in_a_sets_order),),
    "payout_below_zero": ((closing, "_ended", _ended_unbounded),),
}
"""A fault's name -> what it replaces: a function of a module, or the rule of a command."""


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a fault; "" plants none."""
    with contextlib.ExitStack() as stack:
        for replaced in BUGS[name] if name else ():
            if len(replaced) == 2:
                stack.enter_context(patch.dict(decide.RULES, [replaced]))
            else:
                stack.enter_context(patch.object(*replaced))
        yield
