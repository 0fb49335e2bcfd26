"""The naive model's rules for one trade: what it may look like, what a quote does to it, what it ends with.

Source: trading rules, "Numbers" and "Life of an order and a position".
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from engine.commands import PlaceOrder, UpdateTrade
from engine.values import Market, Terms
from simulation.exact import down, half_up, units
from simulation.naive_text import CONTRACT, SATOSHIS, End, Trade

EIGHT_HOURS_MS = 8 * 60 * 60 * 1000
PRICE_MAX = 400_000_000


class Refused(Exception):
    """The model would refuse; the argument is the code."""


def new_order(command: PlaceOrder, terms: Terms, markets: Mapping[str, Market], now: int) -> Trade:
    """Return the order that is asked for; its kind is "" if it is filled at once, at its price."""
    market = open_market(terms, markets)
    if command.valid_until_ms is not None and command.valid_until_ms <= now:
        raise Refused("valid_until_past")
    size = command.amount * CONTRACT
    if not 0 < size <= terms.max_size * SATOSHIS:
        raise Refused("size_out_of_bounds")
    leverage = allowed_leverage(command.leverage, terms)
    margin = margin_of(command.amount, leverage)
    if margin == 0:
        raise Refused("size_out_of_bounds")
    kind, price = kind_and_price(command, terms, market)
    order = Trade(
        account=command.account, id=command.id, product=command.product, digits=terms.digits, side=command.side,
        kind=kind, price=price, leverage=leverage, amount=command.amount, margin=margin,
        liquidation=liquidation(terms, side=command.side, entry=price, size=size, margin=margin),
        decay_rate=Fraction(terms.decay_rate), created=now,
        take_profit=price_on_tick(command.take_profit, terms) if command.take_profit else None,
        stop_loss=price_on_tick(command.stop_loss, terms) if command.stop_loss else None,
        valid_until=command.valid_until_ms, client_order_id=command.client_order_id,
    )  # fmt: skip
    check_take_profit(order)
    check_stop_loss(order)
    return order


def updated(trade: Trade, command: UpdateTrade, terms: Terms, markets: Mapping[str, Market], now: int) -> Trade:
    """Return the trade with all that is asked for changed."""
    price, margin, leverage, level = trade.price, trade.margin, trade.leverage, trade.liquidation
    if command.margin is not None:
        margin, leverage = asked_margin(trade, command.margin, terms)
    elif command.leverage is not None:
        margin, leverage = asked_leverage(trade, command.leverage, terms)
    if command.price is not None:
        price = asked_price(trade, command.price, terms, markets)
    take_profit = exit_after(command.take_profit, trade.take_profit, terms)
    stop_loss = exit_after(command.stop_loss, trade.stop_loss, terms)
    if any(wish is not None for wish in (command.margin, command.leverage, command.price)):
        level = liquidation(terms, side=trade.side, entry=price, size=trade.size, margin=margin)
    changed = replace(
        trade, price=price, margin=margin, leverage=leverage, liquidation=level, take_profit=take_profit,
        stop_loss=stop_loss, updated=now,
    )  # fmt: skip
    # A gap may have put a position's exits on the wrong side: they are looked at when they are sent.
    pending = trade.opened is None
    if pending or command.take_profit is not None:
        check_take_profit(changed)
    if pending or command.stop_loss is not None:
        check_stop_loss(changed)
    return changed


def open_market(terms: Terms, markets: Mapping[str, Market]) -> Market:
    """Return the product's prices if it trades now."""
    market = markets.get(terms.product)
    if terms.halted:
        raise Refused("halted")
    if market is None:
        raise Refused("price_outdated")
    if market.state != "open":
        raise Refused({"halted": "halted", "closed": "market_closed", "stale": "price_outdated"}[market.state])
    return market


def margin_of(amount: int, leverage: Fraction) -> int:
    return down(amount * CONTRACT / leverage)


def liquidation(terms: Terms, *, side: str, entry: int, size: int, margin: int) -> int:
    numerator, denominator = terms.liquidation_fraction
    may_be_lost = Fraction(numerator * margin, denominator * size)
    return half_up(entry * (1 - may_be_lost if side == "buy" else 1 + may_be_lost))


def reason_of(trade: Trade, bid: int, ask: int) -> str:
    """Return why a quote ends a position, `fill` if it fills an order, "" if it does not reach the trade."""
    if trade.opened is None:
        price = ask if trade.side == "buy" else bid
        falls_to_it = (trade.kind == "limit") == (trade.side == "buy")
        return "fill" if (price <= trade.price if falls_to_it else price >= trade.price) else ""
    price, sign = (bid, 1) if trade.side == "buy" else (ask, -1)
    if price * sign <= trade.liquidation * sign:
        return "liquidation"
    if trade.stop_loss is not None and price * sign <= trade.stop_loss * sign:
        return "stop_loss"
    if trade.take_profit is not None and price * sign >= trade.take_profit * sign:
        return "take_profit"
    return ""


def ending(position: Trade, price: int, reason: str, time_ms: int) -> End:
    assert position.opened is not None
    change = down(Fraction(position.sign * (price - position.price) * 10**10, position.price))
    pnl = down(Fraction(position.size * change, 10**10))
    periods = (time_ms - position.opened) // EIGHT_HOURS_MS
    decay = down(abs(position.decay_rate) * position.size * periods)
    percent = half_up(Fraction(pnl * 100 * 10**4, position.margin))
    return End(price=price, pnl=pnl, percent=percent, reason=reason, decay=decay, time=time_ms)


def payout(position: Trade, end: End) -> int:
    return max(0, position.margin + end.pnl - end.decay)


def ticks(price: Decimal, terms: Terms) -> int:
    """Return a price of the product in ticks."""
    found = units(price, terms.digits)
    assert found is not None, f"{price} is between {terms.product}'s ticks"
    return found


def kind_at(side: str, price: int, market: Market, terms: Terms) -> str:
    """Return what an order at this price waits for: a better price than the market's, or a worse one."""
    if side == "buy":
        return "limit" if price <= ticks(market.ask, terms) else "stop"
    return "limit" if price >= ticks(market.bid, terms) else "stop"


def kind_and_price(command: PlaceOrder, terms: Terms, market: Market) -> tuple[str, int]:
    if command.type == "market":
        if command.price is not None:
            raise Refused("invalid_price")
        return "", ticks(market.ask if command.side == "buy" else market.bid, terms)
    if command.price is None:
        raise Refused("invalid_price")
    price = price_on_tick(command.price, terms)
    kind = kind_at(command.side, price, market, terms)
    if command.type not in ("pending", kind):
        raise Refused("price_wrong_side")
    return kind, price


def price_on_tick(asked: Decimal, terms: Terms) -> int:
    if not 0 < asked <= PRICE_MAX:
        raise Refused("invalid_price")
    price = units(asked, terms.digits)
    if price is None:
        raise Refused("price_off_tick")
    return price


def asked_price(trade: Trade, asked: Decimal, terms: Terms, markets: Mapping[str, Market]) -> int:
    """Return another price of a pending order, at which it stays the limit or stop that it is."""
    if trade.opened is not None:
        raise Refused("invalid_price")
    price = price_on_tick(asked, terms)
    if kind_at(trade.side, price, open_market(terms, markets), terms) != trade.kind:
        raise Refused("price_wrong_side")
    return price


def exit_after(wish: Decimal | None, present: int | None, terms: Terms) -> int | None:
    """Return a take profit or stop loss after an update: None leaves it, 0 removes it."""
    if wish is None:
        return present
    return price_on_tick(wish, terms) if wish else None


def allowed_leverage(asked: Decimal, terms: Terms) -> Fraction:
    if not 1 <= asked <= terms.max_leverage or units(asked, 2) is None:
        raise Refused("leverage_not_allowed")
    return Fraction(asked)


def asked_margin(trade: Trade, asked: Decimal, terms: Terms) -> tuple[int, Fraction]:
    """Return the margin and the leverage to show for it."""
    lowest = max(1, margin_of(trade.amount, Fraction(terms.max_leverage)))
    margin = units(asked, 8)
    if margin is None or not lowest <= margin <= trade.size:
        raise Refused("margin_not_allowed")
    if trade.opened is not None and margin < trade.margin:
        raise Refused("margin_not_allowed")
    return margin, Fraction(half_up(Fraction(trade.size * 100, margin)), 100)


def asked_leverage(trade: Trade, asked: Decimal, terms: Terms) -> tuple[int, Fraction]:
    leverage = allowed_leverage(asked, terms)
    margin = margin_of(trade.amount, leverage)
    if margin == 0:
        raise Refused("size_out_of_bounds")
    if trade.opened is not None and (leverage > trade.leverage or margin < trade.margin):
        raise Refused("leverage_not_allowed")
    return margin, leverage


def check_take_profit(trade: Trade) -> None:
    if trade.take_profit is not None and trade.take_profit * trade.sign <= trade.price * trade.sign:
        raise Refused("invalid_take_profit")


def check_stop_loss(trade: Trade) -> None:
    sign, level = trade.sign, trade.stop_loss
    if level is not None and not trade.liquidation * sign < level * sign < trade.price * sign:
        raise Refused("invalid_stop_loss")
