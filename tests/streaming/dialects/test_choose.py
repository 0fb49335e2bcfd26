"""Which dialect does a bare connection's message tell?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Code, Refused
from streaming.dialects import EVENT_STREAM, TICK_STREAM, choose

TICK_STREAM_KEYS = ("apiKey", "symbol", "symbols")
TYPES = ("auth", "subscribe", "unsubscribe", "list", "ping", "dance", None)


def chosen(message):
    try:
        return choose(message)
    except Refused as refused:
        return refused.code


@given(st.sampled_from(TYPES), st.sets(st.sampled_from([*TICK_STREAM_KEYS, "channels"])), st.none() | st.just([]))
def test_the_names_of_one_document_tell_and_those_of_both_or_none_do_not(kind, keys, value):
    answer = chosen({"type": kind, **dict.fromkeys(keys, value)})
    if keys == {"channels"}:
        assert answer is EVENT_STREAM
    elif keys and "channels" not in keys:
        assert answer is TICK_STREAM
    elif kind == "list" and not keys:
        assert answer is Code.AUTHENTICATION_REQUIRED
    else:
        assert answer is Code.DIALECT_UNDECIDED


def test_a_list_is_answered_in_the_tick_documents_words():
    with pytest.raises(Refused) as refused:
        choose({"type": "list"})
    assert refused.value.message == "Authentication required"


def test_the_two_have_names():
    assert (TICK_STREAM.name, EVENT_STREAM.name) == ("tick_stream", "event_stream")
