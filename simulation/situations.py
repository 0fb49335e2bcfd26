"""Which rare situations have occurred? A simulation that never met them has shown nothing about them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Expire,
    Input,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
    SplitPosition,
    UpdateTrade,
)
from engine.events import (
    BalanceChanged,
    Event,
    MoneyMoved,
    OrderActivated,
    PositionClosed,
    PositionOpened,
    PositionSplit,
)
from engine.refusals import RefusalCode
from engine.state import State
from engine.values import AccountId
from simulation.script import Quoted
from trading.book import Record

SITUATIONS: Mapping[str, str] = {
    "gap_through_stop": "a stop order is filled beyond its price",
    "better_limit": "a limit order is filled at a better price than its own",
    "exact_touch": "a quote touches a level exactly",
    "stop_and_liquidation": "one quote reaches stop loss and liquidation",
    "stop_beyond_liquidation": "after a gapped fill the stop loss lies beyond the liquidation price",
    "take_profit_passed": "after a gapped fill the take profit is reached already",
    "liquidation_at_entry": "the liquidation price is the entry price",
    "liquidated_at_market": "a liquidation costs what the price says",
    "liquidated_in_full": "a liquidation costs the whole margin",
    "loss_beyond_margin": "a loss is larger than the margin",
    "decay_paid": "holding a position has cost something",
    "decay_shortfall": "holding a position has cost more than is left",
    "no_gain": "a position closes where it was opened",
    "expired": "an order's time is over",
    "expiry_and_trigger": "the quote that reaches an order comes when its time is over",
    "several_at_once": "one quote reaches several trades of one account",
    "overtaken": "a trade that a quote reached has ended before its turn",
    "too_late": "somebody wants to end what a quote has reached already",
    "held_back": "a quote reaches a trade while its product does not trade",
    "odd_split": "a split's margin does not divide",
    "margin_and_leverage": "an update asks for margin and leverage",
    "reset_of_both": "a reset meets orders and positions",
    "reset_without_quote": "a reset meets a position without a quote",
    "all_spent": "the cash is spent to the last satoshi",
    "duplicate": "an order comes a second time",
    "other_owner": "another user's id is asked for",
    "other_environment": "an id of the same user's other account is asked for",
    "terms_changed": "a product's terms change while trades in it are open",
    "crash": "the engine crashes and loses nothing",
    "crash_lost": "the engine crashes and loses what was not committed",
    "answer_over_crash": "an order from before a crash comes again",
    "refusal_over_crash": "a refused order from before a crash comes again",
    "lost_order_again": "an order that a crash has lost comes again",
    **{str(code): f"refused: {code}" for code in RefusalCode},
}


class Situations:
    """name -> how often it has occurred. Told by the driver before and after each command."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        # an order's owner and client_order_id -> whether it was refused
        self._before_crash: dict[tuple[AccountId, str], bool] = {}
        self._lost: set[tuple[AccountId, str]] = set()

    def missing(self) -> list[str]:
        """Return what has never occurred."""
        return [name for name in SITUATIONS if not self.counts[name]]

    def new_world(self) -> None:
        """What was before a crash of another world is none of this one's."""
        self._before_crash, self._lost = {}, set()

    def before(self, state: State, entry: Input) -> None:
        """Note what can only be seen while the command is not done yet."""
        seen = COMMANDS.get(type(entry.command))
        if seen is not None:
            seen(self, state, entry, entry.command)

    def after(self, record: Record) -> None:
        """Note what has come of it."""
        outcome = record.outcome
        if outcome.refusal is not None:
            self.counts[str(outcome.refusal.code)] += 1
            return
        if outcome.events and isinstance(outcome.entry.command, Expire):
            self.counts["expired"] += 1
        for event in outcome.events:
            seen = EVENTS.get(type(event))
            if seen is not None:
                for name in seen(event, outcome.entry):
                    self.counts[name] += 1

    def quoted(self, step: Quoted, state: State, due: Sequence[str], reached: Sequence[str]) -> None:
        if not reached:
            return
        if step.state != "open" or state.terms[step.product].halted:
            self.counts["held_back"] += 1
        if due and set(due) & set(reached):
            self.counts["expiry_and_trigger"] += 1
        if step.meanwhile is not None and getattr(step.meanwhile, "id", "") in reached:
            self.counts["too_late"] += 1
        if len({state.owners.get(identifier) for identifier in reached}) < len(reached):
            self.counts["several_at_once"] += 1

    def crashed(self, before: State, after: State, lost: int) -> None:
        """Note a crash between two states; `lost` inputs are gone."""
        self.counts["crash_lost" if lost else "crash"] += 1
        self._before_crash = {name: bool(request.code) for name, request in after.requests.items()}
        self._lost |= before.requests.keys() - after.requests.keys()

    def _place(self, state: State, _entry: Input, command: PlaceOrder) -> None:
        name = command.account, command.client_order_id
        if not command.client_order_id:
            return
        if name in state.requests:
            self.counts["duplicate"] += 1
            if name in self._before_crash:
                self.counts["refusal_over_crash" if self._before_crash[name] else "answer_over_crash"] += 1
        elif name in self._lost:
            self.counts["lost_order_again"] += 1
            self._lost.discard(name)

    def _update(self, state: State, entry: Input, command: UpdateTrade) -> None:
        self._foreign(state, entry, command)
        trade = state.trade(command.id)
        if trade is not None and trade.account == command.account:
            self.counts["margin_and_leverage"] += command.margin is not None and command.leverage is not None

    def _reset(self, state: State, entry: Input, command: ResetAccount) -> None:
        account = state.accounts.get(command.account)
        if account is None or command.account.environment != "demo":
            return
        self.counts["reset_of_both"] += bool(account.orders and account.positions)
        unknown = any(position.product not in entry.markets for position in account.positions.values())
        self.counts["reset_without_quote"] += unknown

    def _terms(self, state: State, _entry: Input, command: SetTerms) -> None:
        product = command.terms.product
        open_trades = any(
            trade.product == product for account in state.accounts.values() for trade in account.positions.values()
        )
        self.counts["terms_changed"] += open_trades and command.terms != state.terms.get(product)

    def _foreign(
        self, state: State, _entry: Input, command: CancelOrder | ClosePosition | SplitPosition | UpdateTrade
    ) -> None:
        owner, mine = state.owners.get(command.id), command.account
        if owner is not None and owner != mine:
            self.counts["other_environment" if owner.user_id == mine.user_id else "other_owner"] += 1


def _opened(event: PositionOpened, _entry: Input) -> Iterator[str]:
    position = event.position
    sign = 1 if position.side == "buy" else -1
    if position.liquidation_price == position.price:
        yield "liquidation_at_entry"
    if position.stop_loss is not None and sign * (position.stop_loss - position.liquidation_price) <= 0:
        yield "stop_beyond_liquidation"
    if position.take_profit is not None and sign * (position.take_profit - position.price) <= 0:
        yield "take_profit_passed"


def _activated(event: OrderActivated, entry: Input) -> Iterator[str]:
    order = event.order
    if not order.kind:
        return
    market = entry.markets[order.product]
    if order.price == (market.ask if order.side == "buy" else market.bid):
        yield "exact_touch"
    else:
        yield "gap_through_stop" if order.kind == "stop" else "better_limit"


def _closed(event: PositionClosed, _entry: Input) -> Iterator[str]:
    position, closing = event.position, event.closing
    sign = 1 if position.side == "buy" else -1
    if closing.reason == "liquidation":
        yield "liquidated_in_full" if closing.pnl == -position.margin else "liquidated_at_market"
        if position.stop_loss is not None and sign * (closing.price - position.stop_loss) <= 0:
            yield "stop_and_liquidation"
    if closing.price in (position.liquidation_price, position.stop_loss, position.take_profit):
        yield "exact_touch"
    if closing.pnl < -position.margin:
        yield "loss_beyond_margin"
    if closing.decay:
        yield "decay_paid"
    if not closing.pnl:
        yield "no_gain"


def _split(event: PositionSplit, _entry: Input) -> Iterator[str]:
    if event.parent.margin * event.second.amount != event.second.margin * event.parent.amount:
        yield "odd_split"


def _moved(event: MoneyMoved, _entry: Input) -> Iterator[str]:
    if event.kind == "shortfall" and event.target == "house.decay":
        yield "decay_shortfall"


def _balance(event: BalanceChanged, entry: Input) -> Iterator[str]:
    if not event.cash and not isinstance(entry.command, OpenAccount):
        yield "all_spent"


EVENTS: Mapping[type[Event], Callable[[Any, Input], Iterator[str]]] = {
    PositionOpened: _opened,
    OrderActivated: _activated,
    PositionClosed: _closed,
    PositionSplit: _split,
    MoneyMoved: _moved,
    BalanceChanged: _balance,
}
COMMANDS: Mapping[type[Command], Callable[..., None]] = {
    PlaceOrder: Situations._place,
    CancelOrder: Situations._foreign,
    ClosePosition: Situations._foreign,
    SplitPosition: Situations._foreign,
    UpdateTrade: Situations._update,
    ResetAccount: Situations._reset,
    SetTerms: Situations._terms,
}
