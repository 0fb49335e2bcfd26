"""What has happened: orders and positions as they are now, money moved, accounts told. Written once, never changed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from engine.margin import Side, size_of
from engine.values import AccountId, Terms

OrderKind = Literal["", "limit", "stop"]
Reason = Literal["manual", "take_profit", "stop_loss", "liquidation"]

LedgerAccount = Literal["user.cash", "user.margin", "house.pnl", "house.decay", "house.insurance", "external"]
LEDGER_ACCOUNTS: tuple[LedgerAccount, ...] = (
    "user.cash", "user.margin", "house.pnl", "house.decay", "house.insurance", "external",
)  # fmt: skip

MovementKind = Literal[
    "opening", "deposit", "withdrawal", "reset", "margin", "release", "profit", "loss", "decay", "shortfall"
]
"""What a ledger entry is for. `shortfall`: the part of a loss that the position's margin did not cover."""


class Order(Struct, frozen=True, kw_only=True):
    """An order, and what its position will keep of it. `price` is a market order's fill, a pending one's trigger.

    `kind` is empty for a market order. `leverage` is as shown: after an edit of the margin it is rounded.
    """

    account: AccountId
    id: str
    product: str
    side: Side
    kind: OrderKind
    price: Decimal
    leverage: Decimal
    amount: int
    margin: Decimal
    liquidation_price: Decimal
    decay_rate: Decimal
    created_ms: int
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    updated_ms: int | None = None
    valid_until_ms: int | None = None
    client_order_id: str = ""

    @property
    def size(self) -> Decimal:
        """The notional in the base currency, leverage included."""
        return size_of(self.amount)


class Position(Order, frozen=True, kw_only=True):
    """An open position; `price` is where it was filled. The parts of a split name their `parent_id`."""

    opened_ms: int
    parent_id: str = ""


class Closing(Struct, frozen=True):
    """How a position ended. `pnl` is without decay; `decay` is what holding it cost."""

    price: Decimal
    pnl: Decimal
    pnl_percent: Decimal
    reason: Reason
    decay: Decimal
    time_ms: int


class TermsSet(Struct, frozen=True):
    terms: Terms


class AccountOpened(Struct, frozen=True):
    account: AccountId


class OrderPlaced(Struct, frozen=True):
    """`fingerprint` says what was asked for, where the order has a `client_order_id`."""

    order: Order
    fingerprint: str = ""


class OrderUpdated(Struct, frozen=True):
    order: Order


class OrderCancelled(Struct, frozen=True):
    order: Order


class OrderActivated(Struct, frozen=True):
    order: Order


class PositionOpened(Struct, frozen=True):
    position: Position


class PositionUpdated(Struct, frozen=True):
    position: Position


class PositionClosed(Struct, frozen=True):
    position: Position
    closing: Closing


class PositionSplit(Struct, frozen=True):
    parent: Position
    first: Position
    second: Position


class MoneyMoved(Struct, frozen=True):
    """A balanced movement: `amount` (above zero) leaves `source` and arrives at `target`, within one environment.

    `user.…` are the account's own, the others its environment's. `reference` is the trade's id, or `""`.
    """

    account: AccountId
    kind: MovementKind
    source: LedgerAccount
    target: LedgerAccount
    amount: Decimal
    reference: str = ""


class BalanceChanged(Struct, frozen=True):
    """The account's free cash is now this."""

    account: AccountId
    cash: Decimal


class OrderRefused(Struct, frozen=True):
    """An order with a `client_order_id` was refused: the same one again gets the same answer."""

    account: AccountId
    client_order_id: str
    fingerprint: str
    code: str
    message: str


Event = (
    TermsSet | AccountOpened | OrderPlaced | OrderUpdated | OrderCancelled | OrderActivated
    | PositionOpened | PositionUpdated | PositionClosed | PositionSplit | MoneyMoved | BalanceChanged | OrderRefused
)  # fmt: skip

WIRE_NAMES: Mapping[type[Event], str] = {
    OrderPlaced: "order:new",
    OrderUpdated: "order:update",
    OrderCancelled: "order:cancel",
    OrderActivated: "order:activate",
    PositionOpened: "position:new",
    PositionUpdated: "position:update",
    PositionClosed: "position:close",
    PositionSplit: "position:split",
    BalanceChanged: "balance",
}
"""The events that the account's own log keeps and its owner is told, by their names on the wire (live)."""
