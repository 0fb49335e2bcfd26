"""Is the neutral vocabulary complete: does every dialect spell every message, and which channels are public?"""

from typing import Any, get_args

import pytest

from accounts.errors import Code, Refused
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.messages import (
    INTERVALS_MS,
    Authenticated,
    Channel,
    Kind,
    Pong,
    Published,
    Reply,
    Result,
    SessionSet,
    Shutdown,
    Stepped,
    Subscribed,
    Subscriptions,
    Unsubscribed,
    Welcome,
)

ACTIVE = {Channel("quotes", "EUR-USD"): 0}
REPLIES: list[Reply] = [
    Welcome(30, 1),
    Authenticated(),
    Subscribed((Channel("quotes", "EUR-USD"),), ACTIVE),
    Unsubscribed((), ACTIVE),
    Subscriptions(ACTIVE),
    Pong(1),
    Published(1, ((0, "crossed"),)),
    Stepped(),
    Result('{"id":"a7"}'),
    SessionSet(True),
    Shutdown(500),
    Refused(Code.UNKNOWN_TYPE),
]
NOT_SPELLED: dict[str, tuple[type[Any], ...]] = {
    EVENT_STREAM.name: (Authenticated, Subscriptions),
    TICK_STREAM.name: (Result, SessionSet),
}
"""The event document's auth is part of subscribe, its answers name all channels; the tick stream is no trader."""


def test_the_examples_are_all_there_is():
    assert {type(reply) for reply in REPLIES} == set(get_args(Reply))


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_a_dialect_spells_every_reply_that_its_document_has(reply):
    for dialect in (TICK_STREAM, EVENT_STREAM):
        if isinstance(reply, NOT_SPELLED[dialect.name]):
            with pytest.raises(AssertionError):
                dialect.reply(reply, None)
        else:
            assert dialect.reply(reply, 7).startswith(b'{"type":"')
            assert dialect.reply(reply, 7).endswith(b',"id":7}')


def test_public_channels_are_those_of_the_market():
    assert {kind for kind in get_args(Kind) if Channel(kind).public} == {"quotes", "candles"}


def test_private_channels_are_those_of_an_environment():
    for environment in ("live", "demo"):
        assert Channel("orders", environment=environment).private
    assert not any(Channel(kind).private for kind in ("quotes", "candles", "heartbeat"))  # type: ignore[arg-type]  # three of the kinds


def test_the_intervals_are_those_that_the_documents_offer():
    assert INTERVALS_MS == (100, 250, 500, 1000)
