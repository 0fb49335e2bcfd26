"""Positions end, and pending orders begin: by hand, or because a quote reached them.

Source: trading rules, "Triggers" and "Life of an order and a position"; event stream, position:close.
"""

from decimal import Decimal
from operator import ge, le

from engine.checks import (
    account_of,
    balance,
    closing_price,
    liquidation_of,
    open_market,
    opening_price,
    position_of,
    terms_of,
)
from engine.commands import ClosePosition, Input, Trigger
from engine.events import (
    Closing,
    Event,
    LedgerAccount,
    MoneyMoved,
    MovementKind,
    Order,
    OrderActivated,
    Position,
    PositionClosed,
    PositionOpened,
    Reason,
)
from engine.margin import decay_of, payout_of, pnl_of, pnl_percent_of
from engine.placing import filled, is_past, kind_of
from engine.refusals import Refusal, RefusalCode
from engine.state import State
from engine.values import Market, Terms

ZERO = Decimal(0)


def close(state: State, command: ClosePosition, entry: Input) -> tuple[Event, ...]:
    """Close a position at the market: a buy at the bid, a sell at the ask."""
    position = position_of(state, command.account, command.id)
    market = open_market(entry, terms_of(state, position.product))
    closing = closing_of(position, price=closing_price(market, position.side), reason="manual", time_ms=entry.time_ms)
    return _ended(state, position, closing)


def trigger(state: State, command: Trigger, entry: Input) -> tuple[Event, ...]:
    """Do what the given quote has reached; raises `Refusal` when the trade has ended or the quote does not reach it."""
    account = account_of(state, command.account)
    trade = account.positions.get(command.id) or account.orders.get(command.id)
    if trade is None:
        raise Refusal(RefusalCode.NOT_FOUND)
    terms = terms_of(state, trade.product)
    market = open_market(entry, terms)
    if not isinstance(trade, Position):
        return _activated(trade, market, terms, entry)
    price = closing_price(market, trade.side)
    reason = _reached(trade, price)
    if reason is None:
        raise Refusal(RefusalCode.NOT_FOUND, "The price does not reach it")
    if reason == "liquidation" and terms.liquidation_loss == "full_margin":
        closing = Closing(price, -trade.margin, Decimal("-100.0000"), reason, ZERO, entry.time_ms)
    else:
        closing = closing_of(trade, price=price, reason=reason, time_ms=entry.time_ms)
    return _ended(state, trade, closing)


def closing_of(position: Position, *, price: Decimal, reason: Reason, time_ms: int) -> Closing:
    """Return how a position ends at a price."""
    pnl = pnl_of(side=position.side, size=position.size, entry=position.price, close=price)
    percent = pnl_percent_of(pnl=pnl, margin=position.margin)
    decay = decay_of(rate=position.decay_rate, size=position.size, opened_ms=position.opened_ms, closed_ms=time_ms)
    return Closing(price, pnl, percent, reason, decay, time_ms)


def settled(position: Position, closing: Closing) -> tuple[MoneyMoved, ...]:
    """Return the movements of a close: profit or loss first, then decay, then what is left of the margin.

    A loss or decay beyond the margin is the house's: the insurance pays it, so that the house's profit stays the true
    mirror of the trade.
    """
    margin, pnl, cost = position.margin, closing.pnl, closing.decay
    profit, loss = (pnl, ZERO) if pnl > ZERO else (ZERO, -pnl)
    lost = min(loss, margin)
    available = margin - lost + profit
    decay = min(cost, available)
    movements: tuple[tuple[MovementKind, LedgerAccount, LedgerAccount, Decimal], ...] = (
        ("profit", "house.pnl", "user.margin", profit),
        ("loss", "user.margin", "house.pnl", lost),
        ("shortfall", "house.insurance", "house.pnl", loss - lost),
        ("decay", "user.margin", "house.decay", decay),
        ("shortfall", "house.insurance", "house.decay", cost - decay),
        ("release", "user.margin", "user.cash", available - decay),
    )
    account, reference = position.account, position.id
    return tuple([MoneyMoved(account, *movement, reference) for movement in movements if movement[-1]])


def _ended(state: State, position: Position, closing: Closing) -> tuple[Event, ...]:
    payout = payout_of(margin=position.margin, pnl=closing.pnl, decay=closing.decay)
    cash = state.accounts[position.account].cash
    movements = settled(position, closing)
    return (PositionClosed(position, closing), *movements, *balance(position.account, before=cash, change=payout))


def _activated(order: Order, market: Market, terms: Terms, entry: Input) -> tuple[Event, ...]:
    """Fill a pending order at the quote that reached it; the liquidation price is made from the fill.

    What lies beyond it after a gap, an exit or the liquidation, is for the next quote.
    """
    if is_past(order, entry.time_ms):
        raise Refusal(RefusalCode.VALID_UNTIL_PAST)
    price = opening_price(market, order.side)
    if kind_of(order, price=order.price, current=price) == order.kind and order.price != price:
        raise Refusal(RefusalCode.NOT_FOUND, "The price does not reach it")
    liquidation_price = liquidation_of(terms, side=order.side, entry=price, size=order.size, margin=order.margin)
    return OrderActivated(order), PositionOpened(filled(order, price, liquidation_price, entry.time_ms))


def _reached(position: Position, price: Decimal) -> Reason | None:
    """Return which level the closing side's price is at or through: liquidation before stop loss before take profit."""
    worse, better = (le, ge) if position.side == "buy" else (ge, le)
    if worse(price, position.liquidation_price):
        return "liquidation"
    if position.stop_loss is not None and worse(price, position.stop_loss):
        return "stop_loss"
    if position.take_profit is not None and better(price, position.take_profit):
        return "take_profit"
    return None
