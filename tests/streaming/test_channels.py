"""Who may have which channel, and what carries it: every kind of caller against every channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Code, Refused
from engine.values import RESOLUTIONS
from streaming import topics
from streaming.channels import environments_of, kinds_of, permit, permit_channel, topics_of
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.messages import Channel
from tests.streaming.sessions import identity

PRIVATE = [
    Channel(kind, environment=environment)  # type: ignore[arg-type]  # three of the kinds
    for kind in ("orders", "positions", "balances")
    for environment in ("live", "demo")
]
PUBLIC = [Channel("quotes", "EUR-USD"), *(Channel("candles", "EUR-USD", name) for name in RESOLUTIONS)]


def refusal_of(channel, who, dialect=EVENT_STREAM):
    try:
        permit_channel(channel, who, dialect.policy)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("channel", PRIVATE, ids=str)
def test_a_private_channel_is_for_who_may_read_that_environment(channel):
    other = "demo" if channel.environment == "live" else "live"
    assert refusal_of(channel, None) is Code.AUTHENTICATION_REQUIRED
    assert refusal_of(channel, identity("market", "trade", "feed")) is Code.SCOPE_DENIED
    assert refusal_of(channel, identity("read", environments=[other])) is Code.ENVIRONMENT_DENIED
    assert refusal_of(channel, identity("read", environments=[channel.environment])) is None


@pytest.mark.parametrize("channel", PUBLIC, ids=str)
def test_a_public_channel_needs_a_key_where_the_document_says_so(channel):
    assert refusal_of(channel, None) is None
    assert refusal_of(channel, None, TICK_STREAM) is Code.AUTHENTICATION_REQUIRED
    assert refusal_of(channel, identity("read", "trade", "feed"), TICK_STREAM) is Code.SCOPE_DENIED
    assert refusal_of(channel, identity("market"), TICK_STREAM) is None


def test_a_heartbeat_is_for_everybody():
    assert refusal_of(Channel("heartbeat"), None) is None


def test_no_scope_implies_another():
    scopes = ("market", "read", "trade", "feed")
    for scope in scopes:
        assert permit(scope, identity(scope)) == identity(scope)
        with pytest.raises(Refused, match="scope_denied"):
            permit(scope, identity(*(other for other in scopes if other != scope)))


channels = st.lists(st.sampled_from([*PRIVATE, *PUBLIC, Channel("heartbeat")]), unique=True)


@given(channels)
def test_private_channels_have_accounts_and_public_ones_topics(asked):
    found = topics_of(dict.fromkeys(asked, 0))
    public = [channel for channel in asked if channel.public]
    assert (topics.status("EUR-USD") in found) == bool(public)
    assert len(found) == len(public) + bool(public)
    followed = {(environment, kind) for environment in environments_of(asked) for kind in kinds_of(asked, environment)}
    assert followed == {(channel.environment, channel.kind) for channel in asked if channel.private}


def test_live_comes_first():
    assert environments_of(reversed(PRIVATE)) == ["live", "demo"]


def test_only_quotes_have_an_interval():
    assert topics_of(dict.fromkeys([*PUBLIC, *PRIVATE], 250)) == {
        topics.quotes("EUR-USD"): 250,
        **{topics.candles("EUR-USD", name): 0 for name in RESOLUTIONS},
        topics.status("EUR-USD"): 0,
    }
