"""What may a trade look like? The checks that placing and changing share; each refuses with its own code."""

from decimal import ROUND_HALF_UP, Decimal

from engine.commands import Input
from engine.events import BalanceChanged, LedgerAccount, MoneyMoved, MovementKind, Order, Position
from engine.margin import SATOSHI, SIGN, Side, liquidation_price_of, margin_of
from engine.refusals import Refusal, RefusalCode
from engine.state import AccountState, State
from engine.values import AccountId, Market, Terms, plain, tick_size

MAX_TRADES = 1_000
"""Open orders and positions of one account: what a snapshot holds in one message (about 400 KB)."""

MAX_PRICE = Decimal(400_000_000)
"""Of an order: the database's exact integers end at 922 million, and a short may be liquidated at twice its price."""

LEVERAGE_STEP = Decimal("0.01")


def account_of(state: State, account: AccountId) -> AccountState:
    """Return the account; raises `Refusal` (NOT_FOUND)."""
    found = state.accounts.get(account)
    if found is None:
        raise Refusal(RefusalCode.NOT_FOUND, "The account is not open")
    return found


def order_of(state: State, account: AccountId, identifier: str) -> Order:
    """Return one of the account's own pending orders; another's id is as unknown as nobody's."""
    order = account_of(state, account).orders.get(identifier)
    if order is None:
        raise Refusal(RefusalCode.NOT_FOUND, "There is no such pending order")
    return order


def position_of(state: State, account: AccountId, identifier: str) -> Position:
    position = account_of(state, account).positions.get(identifier)
    if position is None:
        raise Refusal(RefusalCode.NOT_FOUND, "There is no such open position")
    return position


def terms_of(state: State, product: str) -> Terms:
    terms = state.terms.get(product)
    if terms is None:
        raise Refusal(RefusalCode.UNKNOWN_PRODUCT)
    return terms


def open_market(entry: Input, terms: Terms) -> Market:
    """Return a product's prices if it trades now; raises `Refusal`: HALTED, MARKET_CLOSED, PRICE_OUTDATED."""
    market = entry.markets.get(terms.product)
    if terms.halted or (market is not None and market.state == "halted"):
        raise Refusal(RefusalCode.HALTED)
    if market is not None and market.state == "closed":
        raise Refusal(RefusalCode.MARKET_CLOSED)
    if market is None or market.state == "stale":
        raise Refusal(RefusalCode.PRICE_OUTDATED)
    return market


def opening_price(market: Market, side: Side) -> Decimal:
    return market.ask if side == "buy" else market.bid


def closing_price(market: Market, side: Side) -> Decimal:
    return market.bid if side == "buy" else market.ask


def liquidation_of(terms: Terms, *, side: Side, entry: Decimal, size: Decimal, margin: Decimal) -> Decimal:
    return liquidation_price_of(
        side=side, entry=entry, size=size, margin=margin, fraction=terms.liquidation_fraction, digits=terms.digits
    )


def on_tick(price: Decimal, terms: Terms) -> Decimal:
    """Return a price with the product's digits; orders are never rounded."""
    if not 0 < price <= MAX_PRICE:
        raise Refusal(RefusalCode.INVALID_PRICE, f"A price is above zero and at most {plain(MAX_PRICE)}")
    exact = price.quantize(tick_size(terms.digits))
    if exact != price:
        raise Refusal(RefusalCode.PRICE_OFF_TICK, f"A price of {terms.product} has {terms.digits} decimal places")
    return exact


def allowed_leverage(leverage: Decimal, terms: Terms) -> Decimal:
    if not 1 <= leverage <= terms.max_leverage or leverage != leverage.quantize(LEVERAGE_STEP):
        raise Refusal(
            RefusalCode.LEVERAGE_NOT_ALLOWED,
            f"Leverage is 1 to {plain(terms.max_leverage)}, with at most 2 decimal places",
        )
    return leverage


def margin_for(*, size: Decimal, leverage: Decimal) -> Decimal:
    margin = margin_of(size=size, leverage=leverage)
    if margin <= 0:
        raise Refusal(RefusalCode.SIZE_OUT_OF_BOUNDS, "The margin would be less than a satoshi")
    return margin


def checked_margin(margin: Decimal, *, size: Decimal, terms: Terms) -> tuple[Decimal, Decimal]:
    """Return a margin that was asked for and the leverage to show for it: size / margin, 2 places HALF_UP."""
    lowest = max(margin_of(size=size, leverage=terms.max_leverage), SATOSHI)
    if not lowest <= margin <= size or margin != margin.quantize(SATOSHI):
        raise Refusal(RefusalCode.MARGIN_NOT_ALLOWED, f"The margin of this size is {plain(lowest)} to {plain(size)}")
    return margin.quantize(SATOSHI), (size / margin).quantize(LEVERAGE_STEP, ROUND_HALF_UP)


def check_take_profit(trade: Order) -> None:
    """Refuse a take profit that is not beyond the price: above it for a buy, below it for a sell."""
    sign = SIGN[trade.side]
    if trade.take_profit is not None and sign * (trade.take_profit - trade.price) <= 0:
        where = "above" if sign > 0 else "below"
        raise Refusal(RefusalCode.INVALID_TAKE_PROFIT, f"The take profit lies {where} the price {plain(trade.price)}")


def check_stop_loss(trade: Order) -> None:
    """Refuse a stop loss that is not between the price and the liquidation price."""
    sign = SIGN[trade.side]
    if trade.stop_loss is not None and not (
        sign * (trade.stop_loss - trade.price) < 0 < sign * (trade.stop_loss - trade.liquidation_price)
    ):
        raise Refusal(
            RefusalCode.INVALID_STOP_LOSS,
            f"The stop loss lies between the price {plain(trade.price)} "
            f"and the liquidation price {plain(trade.liquidation_price)}",
        )


def check_cash(account: AccountState, needed: Decimal) -> None:
    if needed > account.cash:
        raise Refusal(RefusalCode.INSUFFICIENT_BALANCE, f"{plain(needed)} needed, {plain(account.cash)} available")


def moved(
    account: AccountId,
    kind: MovementKind,
    source: LedgerAccount,
    target: LedgerAccount,
    amount: Decimal,
    *,
    reference: str = "",
) -> tuple[MoneyMoved, ...]:
    """Return the movement, or none where there is nothing to move."""
    return (MoneyMoved(account, kind, source, target, amount, reference),) if amount else ()


def balance(account: AccountId, *, before: Decimal, change: Decimal) -> tuple[BalanceChanged, ...]:
    """Return what the owner is told of the cash: something only when it has changed."""
    return (BalanceChanged(account, before + change),) if change else ()
