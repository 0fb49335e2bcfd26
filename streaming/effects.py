"""What a session asks of whoever drives it: effects to perform in order, and questions to answer (pure)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from accounts.errors import Close
from engine.values import Tick
from streaming.messages import Channel, News, Signature


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
class StepReplay:
    """Let a replay play one more tick."""


Effect = (
    Send | Emit | Join | Leave | Prime | PrimeStatus | Ready | Shut
    | VerifyToken | VerifySignature | TakeSubscribe | GiveBackSubscribe | SubmitTicks | StepReplay
)  # fmt: skip
Script = Generator[Effect, Any, None]
