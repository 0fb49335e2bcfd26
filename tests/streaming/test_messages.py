"""Is the neutral vocabulary complete: does every dialect spell every message, and which channels are public?"""

from typing import get_args

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
    Shutdown,
    Stepped,
    Subscribed,
    Subscriptions,
    Unsubscribed,
    Welcome,
)

ACTIVE = {Channel("quotes", "EUR-USD"): 0}
REPLIES = [
    Welcome(30, 1),
    Authenticated(),
    Subscribed((Channel("quotes", "EUR-USD"),), ACTIVE),
    Unsubscribed((), ACTIVE),
    Subscriptions(ACTIVE),
    Pong(1),
    Published(1, ((0, "crossed"),)),
    Stepped(),
    Shutdown(500),
    Refused(Code.UNKNOWN_TYPE),
]
TICK_STREAM_ONLY = (Authenticated, Subscriptions)
"""The event document has neither: its auth is a field of subscribe, and its answers name all active channels."""


def test_the_examples_are_all_there_is():
    assert {type(reply) for reply in REPLIES} == set(get_args(Reply))


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_every_dialect_spells_every_reply(reply):
    for dialect in (TICK_STREAM, EVENT_STREAM):
        if dialect is EVENT_STREAM and isinstance(reply, TICK_STREAM_ONLY):
            with pytest.raises(AssertionError):
                dialect.reply(reply, None)
        else:
            assert dialect.reply(reply, 7).startswith(b'{"type":"')
            assert dialect.reply(reply, 7).endswith(b',"id":7}')


def test_public_channels_are_those_of_the_market():
    assert {kind for kind in get_args(Kind) if Channel(kind).public} == {"quotes", "candles"}


def test_the_intervals_are_those_that_the_documents_offer():
    assert INTERVALS_MS == (100, 250, 500, 1000)
