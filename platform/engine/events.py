"""What has happened: orders and positions as they are now, money moved, accounts told. Written once, never changed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from engine.frozen import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Order):
    """An open position; `price` is where it was filled. The parts of a split name their `parent_id`."""

    opened_ms: int
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a position ended. `pnl` is without decay; `decay` is what holding it cost."""

    price: Decimal
    pnl: Decimal
    pnl_percent: Decimal
    reason: Reason
    decay: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class TermsSet:
    terms: Terms


@dataclass(frozen=True, slots=True)
class AccountOpened:
    account: AccountId


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """`fingerprint` says what was asked for, where the order has a `client_order_id`."""

    order: Order
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class OrderUpdated:
    order: Order


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    order: Order


@dataclass(frozen=True, slots=True)
class OrderActivated:
    order: Order


@dataclass(frozen=True, slots=True)
class PositionOpened:
    position: Position


@dataclass(frozen=True, slots=True)
class PositionUpdated:
    position: Position


@dataclass(frozen=True, slots=True)
class PositionClosed:
    position: Position
    closing: Closing


@dataclass(frozen=True, slots=True)
class PositionSplit:
    parent: Position
    first: Position
    second: Position


@dataclass(frozen=True, slots=True)
class MoneyMoved:
    """A balanced movement: `amount` (above zero) leaves `source` and arrives at `target`, within one environment.

    `user.…` are the account's own, the others its environment's. `reference` is the trade's id, or `""`.
    """

    account: AccountId
    kind: MovementKind
    source: LedgerAccount
    target: LedgerAccount
    amount: Decimal
    reference: str = ""


@dataclass(frozen=True, slots=True)
class BalanceChanged:
    """The account's free cash is now this."""

    account: AccountId
    cash: Decimal


@dataclass(frozen=True, slots=True)
class OrderRefused:
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
