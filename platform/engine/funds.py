"""Money comes and goes: opening an account, deposits, withdrawals, a demo account's new beginning.

Source: trading rules, "A demo account starts with 10 BTC".
"""

from decimal import Decimal

from engine.checks import account_of, check_cash, closing_price, moved
from engine.closing import closing_of, settled
from engine.commands import Deposit, Input, OpenAccount, ResetAccount, Withdraw
from engine.events import AccountOpened, BalanceChanged, Event, OrderCancelled, PositionClosed
from engine.margin import SATOSHI, payout_of
from engine.placing import released
from engine.refusals import Refusal, RefusalCode
from engine.state import State
from engine.values import AccountId

DEMO_GRANT = Decimal("10.00000000")
"""What a demo account begins with, in BTC."""

MAX_MOVEMENT = Decimal(21_000_000)
"""The largest deposit or withdrawal: all bitcoins there will be."""


def opening_cash(account: AccountId) -> Decimal:
    """Return what an account has that was never used."""
    return DEMO_GRANT if account.environment == "demo" else Decimal("0.00000000")


def open_account(state: State, command: OpenAccount, _entry: Input) -> tuple[Event, ...]:
    if command.account in state.accounts:
        return ()
    cash = opening_cash(command.account)
    return (
        AccountOpened(command.account),
        *moved(command.account, "opening", "external", "user.cash", cash),
        BalanceChanged(command.account, cash),
    )


def deposit(state: State, command: Deposit, _entry: Input) -> tuple[Event, ...]:
    account, amount = account_of(state, command.account), _amount(command.amount)
    movement = moved(command.account, "deposit", "external", "user.cash", amount)
    return (*movement, BalanceChanged(command.account, account.cash + amount))


def withdraw(state: State, command: Withdraw, _entry: Input) -> tuple[Event, ...]:
    account, amount = account_of(state, command.account), _amount(command.amount)
    check_cash(account, amount)
    movement = moved(command.account, "withdrawal", "user.cash", "external", amount)
    return (*movement, BalanceChanged(command.account, account.cash - amount))


def reset(state: State, command: ResetAccount, entry: Input) -> tuple[Event, ...]:
    """Cancel the orders, close the positions at the last known prices, set the cash to the grant; one balance event.

    A position whose product never had a quote closes where it was opened. Oldest first, by what the database keeps too:
    a replay has to find the same order, also of what was loaded from there in between.
    """
    if command.account.environment != "demo":
        raise Refusal(RefusalCode.NOT_DEMO)
    account = account_of(state, command.account)
    cash = account.cash
    events: list[Event] = []
    for order in sorted(account.orders.values(), key=lambda order: (order.created_ms, order.id)):
        events += [OrderCancelled(order), *released(order)]
        cash += order.margin
    for position in sorted(account.positions.values(), key=lambda position: (position.opened_ms, position.id)):
        market = entry.markets.get(position.product)
        price = position.price if market is None else closing_price(market, position.side)
        closing = closing_of(position, price=price, reason="manual", time_ms=entry.time_ms)
        events += [PositionClosed(position, closing), *settled(position, closing)]
        cash += payout_of(margin=position.margin, pnl=closing.pnl, decay=closing.decay)
    missing = DEMO_GRANT - cash
    events += moved(command.account, "reset", "external", "user.cash", max(missing, Decimal(0)))
    events += moved(command.account, "reset", "user.cash", "external", max(-missing, Decimal(0)))
    return (*events, BalanceChanged(command.account, DEMO_GRANT))


def _amount(amount: Decimal) -> Decimal:
    if not 0 < amount <= MAX_MOVEMENT or amount != amount.quantize(SATOSHI):
        raise Refusal(RefusalCode.INVALID_AMOUNT, "An amount is above zero, with at most 8 decimal places")
    return amount.quantize(SATOSHI)
