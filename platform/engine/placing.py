"""Orders come and go: placing, cancelling, expiring; and the same order a second time.

Source: trading rules, "Life of an order and a position"; event stream, order:new, order:activate, order:cancel.
"""

from decimal import Decimal

from engine.checks import (
    MAX_TRADES,
    account_of,
    allowed_leverage,
    balance,
    check_cash,
    check_stop_loss,
    check_take_profit,
    liquidation_of,
    margin_for,
    moved,
    on_tick,
    open_market,
    opening_price,
    order_of,
    terms_of,
)
from engine.commands import CancelOrder, Command, Expire, Input, PlaceOrder
from engine.events import (
    Event,
    Order,
    OrderActivated,
    OrderCancelled,
    OrderKind,
    OrderPlaced,
    OrderRefused,
    Position,
    PositionOpened,
)
from engine.margin import size_of
from engine.refusals import Refusal, RefusalCode
from engine.state import Request, State
from engine.values import Market, Terms, plain


def place(state: State, command: PlaceOrder, entry: Input) -> tuple[Event, ...]:
    """A market order is filled at once; a pending one reserves its margin and waits.

    The same order again (its `client_order_id` and all else) changes nothing: no events.
    """
    if _known(state, command) is not None:
        return ()
    account = account_of(state, command.account)
    order = _order(command, entry, terms_of(state, command.product))
    check_cash(account, order.margin)
    if len(account.orders) + len(account.positions) >= MAX_TRADES:
        raise Refusal(RefusalCode.TOO_MANY_TRADES, f"At most {MAX_TRADES} open orders and positions")
    events: tuple[Event, ...] = (
        OrderPlaced(order, fingerprint(command) if command.client_order_id else ""),
        *moved(order.account, "margin", "user.cash", "user.margin", order.margin, reference=order.id),
    )
    if not order.kind:
        events += (
            OrderActivated(order),
            PositionOpened(filled(order, order.price, order.liquidation_price, entry.time_ms)),
        )
    return events + balance(order.account, before=account.cash, change=-order.margin)


def cancel(state: State, command: CancelOrder, _entry: Input) -> tuple[Event, ...]:
    """The margin comes back; also of an order whose product does not trade just now."""
    return _cancelled(state, order_of(state, command.account, command.id))


def expire(state: State, command: Expire, entry: Input) -> tuple[Event, ...]:
    order = order_of(state, command.account, command.id)
    if not is_past(order, entry.time_ms):
        raise Refusal(RefusalCode.NOT_FOUND, "The order's time has not come")
    return _cancelled(state, order)


def is_past(order: Order, time_ms: int) -> bool:
    """Tell whether an order is not valid any more: its `valid_until` is the first moment at which it is not."""
    return order.valid_until_ms is not None and order.valid_until_ms <= time_ms


def _cancelled(state: State, order: Order) -> tuple[Event, ...]:
    cash = state.accounts[order.account].cash
    return (OrderCancelled(order), *released(order), *balance(order.account, before=cash, change=order.margin))


def released(order: Order) -> tuple[Event, ...]:
    return moved(order.account, "release", "user.margin", "user.cash", order.margin, reference=order.id)


def filled(order: Order, price: Decimal, liquidation_price: Decimal, opened_ms: int) -> Position:
    """Return the position that an order becomes at a price; it begins anew, not updated yet."""
    return Position(
        account=order.account, id=order.id, product=order.product, side=order.side, kind=order.kind, price=price,
        leverage=order.leverage, amount=order.amount, margin=order.margin, liquidation_price=liquidation_price,
        decay_rate=order.decay_rate, created_ms=order.created_ms, take_profit=order.take_profit,
        stop_loss=order.stop_loss, client_order_id=order.client_order_id, opened_ms=opened_ms,
    )  # fmt: skip


def remembered(state: State, command: Command, refusal: Refusal) -> tuple[Event, ...]:
    """Return what has to be kept of a refusal: that of an order with a `client_order_id` which was not known before."""
    if not isinstance(command, PlaceOrder) or not command.client_order_id:
        return ()
    known = (command.account, command.client_order_id) in state.requests
    if known or command.account not in state.accounts:
        return ()
    words = (str(refusal.code), refusal.message)
    return (OrderRefused(command.account, command.client_order_id, fingerprint(command), *words),)


def _known(state: State, command: PlaceOrder) -> Request | None:
    """Return the answer that this order has had already; raises `Refusal`: that answer, or CLIENT_ORDER_ID_REUSED."""
    request = state.requests.get((command.account, command.client_order_id)) if command.client_order_id else None
    if request is None:
        return None
    if request.fingerprint != fingerprint(command):
        raise Refusal(RefusalCode.CLIENT_ORDER_ID_REUSED, "Another order has this client_order_id")
    if request.code:
        raise Refusal(RefusalCode(request.code), request.message)
    return request


def fingerprint(command: PlaceOrder) -> str:
    """Return what an order asks for as text; 1.10 and 1.1 ask for the same."""
    numbers = (command.leverage, command.price, command.take_profit, command.stop_loss)
    plain_numbers = ("" if number is None else plain(number.normalize()) for number in numbers)
    fields = (command.product, command.side, command.type, command.amount, command.valid_until_ms, *plain_numbers)
    return "|".join(map(str, fields))


def _order(command: PlaceOrder, entry: Input, terms: Terms) -> Order:
    """Return the order that a command asks for; raises `Refusal` for whatever its product does not allow."""
    market = open_market(entry, terms)
    if command.valid_until_ms is not None and command.valid_until_ms <= entry.time_ms:
        raise Refusal(RefusalCode.VALID_UNTIL_PAST)
    size = size_of(command.amount)
    if command.amount < 1 or size > terms.max_size:
        raise Refusal(RefusalCode.SIZE_OUT_OF_BOUNDS, f"The size is at most {plain(terms.max_size)} BTC")
    leverage = allowed_leverage(command.leverage, terms)
    margin = margin_for(size=size, leverage=leverage)
    kind, price = _kind_and_price(command, market, terms)
    order = Order(
        account=command.account, id=command.id, product=terms.product, side=command.side, kind=kind, price=price,
        leverage=leverage, amount=command.amount, margin=margin,
        liquidation_price=liquidation_of(terms, side=command.side, entry=price, size=size, margin=margin),
        decay_rate=terms.decay_rate, created_ms=entry.time_ms,
        take_profit=None if not command.take_profit else on_tick(command.take_profit, terms),
        stop_loss=None if not command.stop_loss else on_tick(command.stop_loss, terms),
        valid_until_ms=command.valid_until_ms, client_order_id=command.client_order_id,
    )  # fmt: skip
    check_take_profit(order)
    check_stop_loss(order)
    return order


def _kind_and_price(command: PlaceOrder, market: Market, terms: Terms) -> tuple[OrderKind, Decimal]:
    """Return "" and the fill price of a market order; of a pending one limit or stop, and its trigger price."""
    current = opening_price(market, command.side)
    if command.type == "market":
        if command.price is not None:
            raise Refusal(RefusalCode.INVALID_PRICE, "A market order has no price")
        return "", current
    if command.price is None:
        raise Refusal(RefusalCode.INVALID_PRICE, "A pending order needs a price")
    price = on_tick(command.price, terms)
    kind = kind_of(command, price, current)
    if command.type in ("limit", "stop") and kind != command.type:
        raise Refusal(RefusalCode.PRICE_WRONG_SIDE, f"At this price it is a {kind}; the market is at {plain(current)}")
    return kind, price


def kind_of(trade: PlaceOrder | Order, price: Decimal, current: Decimal) -> OrderKind:
    """Return what an order at this price is: a limit waits for a better price than the market's, a stop for a worse."""
    better = price <= current if trade.side == "buy" else price >= current
    return "limit" if better else "stop"
