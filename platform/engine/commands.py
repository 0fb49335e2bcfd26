"""What the engine may be asked to do, and what it is told with it: the time, the prices, the ids.

Commands are already of the right shape (numbers parsed, sides and types of the right words); whether they can be
done is `decide`'s to say. Money is BTC, amounts are contracts, times are ms UTC.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from engine.margin import Side
from engine.values import AccountId, Market, Terms

EntryType = Literal["market", "pending", "limit", "stop"]
"""What may be asked for; `pending` becomes a limit or a stop, by its price against the market's."""


class PlaceOrder(Struct, frozen=True, kw_only=True):
    """Trade now (`market`) or when the price comes (`pending`, or by name `limit`, `stop`).

    `amount` is in contracts; `client_order_id` is `""` or the caller's own name for it, by which a second try is known.
    """

    account: AccountId
    id: str
    product: str
    side: Side
    type: EntryType
    leverage: Decimal
    amount: int
    price: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    valid_until_ms: int | None = None
    client_order_id: str = ""


class CancelOrder(Struct, frozen=True, kw_only=True):
    account: AccountId
    id: str


class UpdateTrade(Struct, frozen=True, kw_only=True):
    """Change an order or a position; None leaves as it is, 0 takes a take profit or stop loss away."""

    account: AccountId
    id: str
    price: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    leverage: Decimal | None = None
    margin: Decimal | None = None


class ClosePosition(Struct, frozen=True, kw_only=True):
    account: AccountId
    id: str


class SplitPosition(Struct, frozen=True, kw_only=True):
    """Make two positions of one; `first_percent` (5..95) goes to the first."""

    account: AccountId
    id: str
    first_percent: int
    first_id: str
    second_id: str


class OpenAccount(Struct, frozen=True, kw_only=True):
    """Make an account known to the engine: a demo one begins with its grant. A second time changes nothing."""

    account: AccountId


class Deposit(Struct, frozen=True, kw_only=True):
    account: AccountId
    amount: Decimal


class Withdraw(Struct, frozen=True, kw_only=True):
    account: AccountId
    amount: Decimal


class ResetAccount(Struct, frozen=True, kw_only=True):
    """Close and cancel everything of a demo account and begin again with its grant."""

    account: AccountId


class SetTerms(Struct, frozen=True, kw_only=True):
    """Make a product's terms known or change them; what is open keeps its liquidation price and its decay rate."""

    terms: Terms


class Trigger(Struct, frozen=True, kw_only=True):
    """Do what a quote has reached: fill a pending order; liquidate, stop out or take the profit of a position."""

    account: AccountId
    id: str


class Expire(Struct, frozen=True, kw_only=True):
    """Cancel a pending order whose `valid_until` has come."""

    account: AccountId
    id: str


Command = (
    PlaceOrder | CancelOrder | UpdateTrade | ClosePosition | SplitPosition
    | OpenAccount | Deposit | Withdraw | ResetAccount | SetTerms | Trigger | Expire
)  # fmt: skip

COMMANDS: Mapping[str, type[Command]] = {
    "place_order": PlaceOrder,
    "cancel_order": CancelOrder,
    "update_trade": UpdateTrade,
    "close_position": ClosePosition,
    "split_position": SplitPosition,
    "open_account": OpenAccount,
    "deposit": Deposit,
    "withdraw": Withdraw,
    "reset_account": ResetAccount,
    "set_terms": SetTerms,
    "trigger": Trigger,
    "expire": Expire,
}
"""Every command by the name under which the journal keeps it."""

KINDS: Mapping[type[Command], str] = {command: kind for kind, command in COMMANDS.items()}


class Input(Struct, frozen=True):
    """A command with everything that deciding it depends on, so that deciding again gives the same.

    `markets`: product -> its prices at that moment, of the products in `products_needed`; one that never had a quote is
    not in it.
    """

    command: Command
    time_ms: int
    markets: Mapping[str, Market] = field(default_factory=dict)
