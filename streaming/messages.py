"""The neutral vocabulary: what clients ask and what they are told, in the domain's words, for every dialect."""

from dataclasses import dataclass, field
from typing import Literal

from accounts.errors import Refused
from engine.values import Candle, MarketStatus, Quote, Tick

Kind = Literal["quotes", "candles", "orders", "positions", "balances", "heartbeat"]
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
class Subscribe:
    """Start the channels; `interval_ms` per channel, 0 for every quote. With `signature`, authenticate first."""

    channels: dict[Channel, int]
    signature: Signature | None = None


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


Request = Authenticate | Subscribe | Unsubscribe | ListSubscriptions | Ping | Publish | Step


# ---- replies: to one client, without a sequence number


@dataclass(frozen=True, slots=True)
class Welcome:
    auth_window_s: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Authenticated:
    pass


@dataclass(frozen=True, slots=True)
class Subscribed:
    """`asked`: the channels of the request, in its order; `active`: all of the connection, oldest first."""

    asked: tuple[Channel, ...]
    active: dict[Channel, int]


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
class Shutdown:
    retry_after_ms: int


Reply = (
    Welcome
    | Authenticated
    | Subscribed
    | Unsubscribed
    | Subscriptions
    | Pong
    | Published
    | Stepped
    | Shutdown
    | Refused
)


# ---- events: to everybody who subscribed, with a sequence number where the dialect has one


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`offset`: environment -> the account log's newest offset, for authenticated connections only."""

    time_ms: int
    offset: dict[str, int] = field(default_factory=dict)


News = Quote | Candle | MarketStatus | Heartbeat
