"""The neutral vocabulary: what clients ask and what they are told, in the domain's words, for every dialect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from accounts.errors import Refused
from engine.values import Candle, Environment, MarketStatus, Quote, Tick

Kind = Literal["quotes", "candles", "orders", "positions", "balances", "heartbeat", "overview"]
Action = Literal["new", "cancel", "update", "close", "split"]
ACTIONS: tuple[Action, ...] = get_args(Action)
INTERVALS_MS = (100, 250, 500, 1000)
"""Conflation intervals a client may ask for (0 stands for every quote)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a client subscribes to. Public kinds name a product, private ones an environment (live, demo)."""

    kind: Kind
    product: str = ""
    resolution: str = ""
    environment: str = ""

    @property
    def public(self) -> bool:
        return self.kind in ("quotes", "candles")

    @property
    def private(self) -> bool:
        return bool(self.environment)


# ---- requests: from clients


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Prove who you are with a key's secret (tick stream)."""

    token: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Prove who you are with a signature of `GET /ws-auth` (event stream)."""

    key_id: str
    signature: str
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a client's knowledge of an account's log ends: all up to `offset`, in the history called `epoch`."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Start the channels; `interval_ms` per channel, 0 for every quote. With `signature`, authenticate first.

    `resume`: environment -> where the private channels of this message go on; with `snapshot`, they begin with one.
    """

    channels: dict[Channel, int]
    signature: Signature | None = None
    resume: Mapping[str, Resume] = field(default_factory=dict)
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Stop the channels; None: all."""

    channels: tuple[Channel, ...] | None


@dataclass(frozen=True, slots=True)
class ListSubscriptions:
    pass


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Publish:
    """Hand ticks to the feed (scope `feed`)."""

    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Let a replay at `--speed step` play its next tick."""


@dataclass(frozen=True, slots=True)
class Trade:
    """Ask the engine for something (scope `trade`); `params` are the fields of the same REST call, unread."""

    action: Action
    environment: Environment
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SetSession:
    """Say what is to become of this connection's pending orders when it is cut."""

    cancel_on_disconnect: bool


Request = (
    Authenticate | Subscribe | Unsubscribe | ListSubscriptions | Ping | Publish | Step | Trade | SetSession
)  # fmt: skip


# ---- replies: to one client, without a sequence number


@dataclass(frozen=True, slots=True)
class Welcome:
    auth_window_s: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Authenticated:
    pass


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account's log stood when its channels were subscribed; `recovered` is None where nobody resumed."""

    epoch: str
    offset: int
    recovered: bool | None = None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """`asked`: the channels of the request, in its order; `active`: all of the connection, oldest first.

    `accounts`: environment -> its log, for the private channels of the request.
    """

    asked: tuple[Channel, ...]
    active: dict[Channel, int]
    accounts: Mapping[str, Standing] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    asked: tuple[Channel, ...]
    active: dict[Channel, int]


@dataclass(frozen=True, slots=True)
class Subscriptions:
    active: dict[Channel, int]


@dataclass(frozen=True, slots=True)
class Pong:
    time_ms: int


@dataclass(frozen=True, slots=True)
class Published:
    accepted: int
    refused: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Stepped:
    pass


@dataclass(frozen=True, slots=True)
class Result:
    """What the engine answered to a `Trade`; `data` is ready JSON text."""

    data: str


@dataclass(frozen=True, slots=True)
class SessionSet:
    cancel_on_disconnect: bool


@dataclass(frozen=True, slots=True)
class Shutdown:
    retry_after_ms: int


Reply = (
    Welcome | Authenticated | Subscribed | Unsubscribed | Subscriptions | Pong | Published | Stepped
    | Result | SessionSet | Shutdown | Refused
)  # fmt: skip


# ---- events: to everybody who subscribed, with a sequence number where the dialect has one


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`offset`: environment -> how far its log is told on this connection, for authenticated connections only."""

    time_ms: int
    offset: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """What all processes come to, for staff; `data` is ready JSON text."""

    data: str


News = Quote | Candle | MarketStatus | Heartbeat | Overview


# ---- private events: to the owner of an account, from its log, none ever left out


@dataclass(frozen=True, slots=True)
class PrivateEvent:
    """One committed event of an account's log. `name` is the live one (`order:new`), `data` ready JSON text."""

    environment: Environment
    user_id: int
    offset: int
    name: str
    data: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account's open orders and positions and its balances as of an offset; `data` is ready JSON text."""

    environment: Environment
    offset: int
    data: str


Private = PrivateEvent | Snapshot
