"""Orders and positions change: price, exits, margin and leverage; a position becomes two.

Source: trading rules, "Update" and "Split"; event stream, order:update, position:update, position:split.
"""

from decimal import ROUND_DOWN, Decimal

from msgspec.structs import replace

from engine.checks import (
    MAX_TRADES,
    account_of,
    allowed_leverage,
    balance,
    check_cash,
    check_stop_loss,
    check_take_profit,
    checked_margin,
    liquidation_of,
    margin_for,
    moved,
    on_tick,
    open_market,
    opening_price,
    position_of,
    terms_of,
)
from engine.commands import Input, SplitPosition, UpdateTrade
from engine.events import Event, Order, OrderUpdated, Position, PositionSplit, PositionUpdated
from engine.margin import SATOSHI
from engine.placing import kind_of
from engine.refusals import Refusal, RefusalCode
from engine.state import State
from engine.values import Terms


def update(state: State, command: UpdateTrade, entry: Input) -> tuple[Event, ...]:
    """Change what is asked for, all of it or nothing; more margin is taken from the cash, less comes back to it."""
    account = account_of(state, command.account)
    trade = account.orders.get(command.id) or account.positions.get(command.id)
    if trade is None:
        raise Refusal(RefusalCode.NOT_FOUND, "There is no such order or position")
    if _untouched(command):
        raise Refusal(RefusalCode.NOTHING_TO_UPDATE)
    terms = terms_of(state, trade.product)
    margin, leverage = _resized(command, trade, terms)
    price = _repriced(command, trade, terms, entry)
    changed = replace(
        trade,
        price=price,
        leverage=leverage,
        margin=margin,
        liquidation_price=_liquidation(command, trade, price, margin, terms),
        take_profit=_exit(command.take_profit, trade.take_profit, terms),
        stop_loss=_exit(command.stop_loss, trade.stop_loss, terms),
        updated_ms=entry.time_ms,
    )
    _check_exits(command, changed)
    added = changed.margin - trade.margin
    check_cash(account, added)
    event = PositionUpdated(changed) if isinstance(changed, Position) else OrderUpdated(changed)
    if added >= 0:
        movement = moved(trade.account, "margin", "user.cash", "user.margin", added, reference=trade.id)
    else:
        movement = moved(trade.account, "release", "user.margin", "user.cash", -added, reference=trade.id)
    return (event, *movement, *balance(trade.account, before=account.cash, change=-added))


def split(state: State, command: SplitPosition, _entry: Input) -> tuple[Event, ...]:
    """Two positions take the place of one; what does not divide goes to the first, so that nothing is lost."""
    parent = position_of(state, command.account, command.id)
    account = state.accounts[command.account]
    if len(account.orders) + len(account.positions) >= MAX_TRADES:
        raise Refusal(RefusalCode.TOO_MANY_TRADES, f"At most {MAX_TRADES} open orders and positions")
    amount = parent.amount * (100 - command.first_percent) // 100
    margin = (parent.margin * amount / parent.amount).quantize(SATOSHI, ROUND_DOWN)
    if not amount or not margin:
        raise Refusal(RefusalCode.CANNOT_SPLIT, "A part would be smaller than one contract or one satoshi of margin")
    first = _part(parent, command.first_id, parent.amount - amount, parent.margin - margin)
    second = _part(parent, command.second_id, amount, margin)
    return (PositionSplit(parent, first, second),)


def _part(parent: Position, identifier: str, amount: int, margin: Decimal) -> Position:
    """Return a part: it keeps the parent's prices, its liquidation too, and the time it was opened."""
    return replace(parent, id=identifier, amount=amount, margin=margin, parent_id=parent.id, client_order_id="")


def _untouched(command: UpdateTrade) -> bool:
    wishes = (command.price, command.take_profit, command.stop_loss, command.leverage, command.margin)
    return all(wish is None for wish in wishes)


def _resized(command: UpdateTrade, trade: Order, terms: Terms) -> tuple[Decimal, Decimal]:
    """Return margin and leverage after an update; if both are sent, the margin wins.

    A position's margin may only rise and its leverage only fall: it never comes closer to its liquidation.
    """
    if command.margin is not None:
        margin, leverage = checked_margin(command.margin, size=trade.size, terms=terms)
        if isinstance(trade, Position) and margin < trade.margin:
            raise Refusal(RefusalCode.MARGIN_NOT_ALLOWED, "A position's margin can only be raised")
    elif command.leverage is not None:
        leverage = allowed_leverage(command.leverage, terms)
        margin = margin_for(size=trade.size, leverage=leverage)
        if isinstance(trade, Position) and (leverage > trade.leverage or margin < trade.margin):
            raise Refusal(RefusalCode.LEVERAGE_NOT_ALLOWED, "A position's leverage can only be lowered")
    else:
        return trade.margin, trade.leverage
    return margin, leverage


def _repriced(command: UpdateTrade, trade: Order, terms: Terms, entry: Input) -> Decimal:
    """Return the price after an update; only a pending order's changes, and it stays the limit or stop that it is."""
    if command.price is None:
        return trade.price
    if isinstance(trade, Position):
        raise Refusal(RefusalCode.INVALID_PRICE, "A position's price cannot be changed")
    price = on_tick(command.price, terms)
    current = opening_price(open_market(entry, terms), trade.side)
    if kind_of(trade, price, current) != trade.kind:
        raise Refusal(RefusalCode.PRICE_WRONG_SIDE, f"At this price it would be no {trade.kind} any more")
    return price


def _check_exits(command: UpdateTrade, changed: Order) -> None:
    """An order's exits have to fit whatever changes, a position's when they are sent.

    A gap may have left one on the wrong side: that must not keep its owner from adding margin.
    """
    pending = not isinstance(changed, Position)
    if pending or command.take_profit is not None:
        check_take_profit(changed)
    if pending or command.stop_loss is not None:
        check_stop_loss(changed)


def _liquidation(command: UpdateTrade, trade: Order, price: Decimal, margin: Decimal, terms: Terms) -> Decimal:
    """Return the liquidation price after an update; terms that have changed meanwhile move none by themselves."""
    if command.price is None and command.margin is None and command.leverage is None:
        return trade.liquidation_price
    return liquidation_of(terms, side=trade.side, entry=price, size=trade.size, margin=margin)


def _exit(wish: Decimal | None, present: Decimal | None, terms: Terms) -> Decimal | None:
    """Return a take profit or stop loss after an update: None leaves it, 0 removes it."""
    if wish is None:
        return present
    return on_tick(wish, terms) if wish else None
