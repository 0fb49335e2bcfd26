"""What a session asks of whoever drives it: effects to perform in order, and questions to answer (pure)."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.errors import Close
from accounts.identity import Identity
from engine.values import AccountId, Tick
from streaming.dialects.base import MessageId
from streaming.messages import Channel, News, Resume, Signature, Trade


@dataclass(frozen=True, slots=True)
class Send:
    """Write this control message (JSON text)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Emit:
    """Write this event, numbered where the dialect numbers."""

    news: News


@dataclass(frozen=True, slots=True)
class Join:
    """Deliver this topic from now on; with `interval_ms`, at most one event per that time."""

    topic: str
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Leave:
    topic: str


@dataclass(frozen=True, slots=True)
class Prime:
    """Write the last known of this public channel: its last quote, its open candle."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class PrimeStatus:
    """Write this product's feed state if it is not open."""

    product: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Keep in mind how far these accounts' logs have got: heartbeats say it."""

    accounts: tuple[AccountId, ...]


@dataclass(frozen=True, slots=True)
class Follow:
    """Write the events of these kinds of an account's log, and no others of it: new kinds from what `OpenLogs` said."""

    account: AccountId
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class StartTrade:
    """Hand a trade to the engine and go on: its answer is written when it comes. Raises `Refused` (RATE_LIMITED)."""

    identity: Identity
    trade: Trade
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class CancelOnDisconnect:
    """From now on, cancel the pending orders of this connection when it is cut, or do not."""

    identity: Identity
    wanted: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """This connection's first market subscription stands (a replay may be waiting for it)."""


@dataclass(frozen=True, slots=True)
class Shut:
    """Close the connection; nothing follows."""

    close: Close


# ---- questions: effects with an answer


@dataclass(frozen=True, slots=True)
class VerifyToken:
    """Answer with the `Identity` of this secret."""

    token: str


@dataclass(frozen=True, slots=True)
class VerifySignature:
    """Answer with the `Identity` that signed `GET /ws-auth`."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class TakeSubscribe:
    """Spend one subscribe of this address's budget."""


@dataclass(frozen=True, slots=True)
class GiveBackSubscribe:
    """The message was refused after all: it consumes nothing."""


@dataclass(frozen=True, slots=True)
class SubmitTicks:
    """Answer with the `(index, code)` of the ticks that the feed refused."""

    ticks: tuple[Tick, ...]
    source: str


@dataclass(frozen=True, slots=True)
class OpenLogs:
    """Answer with the `Standing` of each account; its stream stands still until `Follow`, which has to come next.

    `wishes`: account -> where to go on, or None to begin with what happens now; with `snapshot`, begin with one.
    """

    wishes: Mapping[AccountId, Resume | None]
    snapshot: bool


@dataclass(frozen=True, slots=True)
class StepReplay:
    """Let a replay play one more tick."""


Effect = (
    Send | Emit | Join | Leave | Prime | PrimeStatus | Watch | Follow | StartTrade | CancelOnDisconnect | Ready | Shut
    | VerifyToken | VerifySignature | TakeSubscribe | GiveBackSubscribe | SubmitTicks | OpenLogs | StepReplay
)  # fmt: skip
Script = Generator[Effect, Any, None]
