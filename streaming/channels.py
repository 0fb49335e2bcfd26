"""What channels come to: who may have them, which topics carry them, which accounts' logs they are of (pure)."""

from collections.abc import Iterable, Mapping
from typing import get_args

from accounts.errors import Code, Refused
from accounts.identity import VIEW_OVERVIEW, Identity
from engine.values import Environment
from streaming import topics
from streaming.dialects.base import Policy
from streaming.messages import Channel

ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)


def permit(scope: str, identity: Identity | None, environment: str = "") -> Identity:
    """Return the caller; raises `Refused` unless there is one who has the scope, and the environment if one is named.

    Source: protocols, section 7: no scope implies another.
    """
    if identity is None:
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    if scope not in identity.scopes:
        raise Refused(Code.SCOPE_DENIED)
    if environment and environment not in identity.environments:
        raise Refused(Code.ENVIRONMENT_DENIED)
    return identity


def permit_channel(channel: Channel, identity: Identity | None, policy: Policy) -> None:
    """Raise `Refused` unless this caller may have the channel."""
    if channel.public:
        if policy.public_needs_identity:
            permit("market", identity)
    elif channel.private:
        permit("read", identity, channel.environment)
    elif channel.kind == "overview":
        _permit_staff(identity)


def _permit_staff(identity: Identity | None) -> None:
    """Raise `Refused` unless this is somebody of the staff, on a page of theirs, who may watch the overview."""
    if identity is None:
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    if VIEW_OVERVIEW not in identity.rights:
        raise Refused(Code.SCOPE_DENIED)


def topics_of(channels: Mapping[Channel, int]) -> dict[str, int]:
    """Return topic -> interval of all public channels; a product's feed state comes with its first one."""
    found: dict[str, int] = {}
    for channel, interval_ms in channels.items():
        if channel.kind == "quotes":
            found[topics.quotes(channel.product)] = interval_ms
        elif channel.kind == "candles":
            found[topics.candles(channel.product, channel.resolution)] = 0
        elif channel.kind == "overview":
            found[topics.OVERVIEW] = 0
        if channel.public:
            found[topics.status(channel.product)] = 0
    return found


def environments_of(channels: Iterable[Channel]) -> list[Environment]:
    """Return the environments that private channels are of, live first."""
    named = {channel.environment for channel in channels}
    return [environment for environment in ENVIRONMENTS if environment in named]


def kinds_of(channels: Iterable[Channel], environment: str) -> frozenset[str]:
    """Return the kinds of an account's events that these channels carry."""
    return frozenset(channel.kind for channel in channels if channel.environment == environment)
