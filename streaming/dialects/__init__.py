"""The wire dialects, one module a document, and how a bare connection chooses between them."""

from typing import Any

from accounts.errors import Code, Refused
from streaming.dialects.base import Dialect
from streaming.dialects.event_stream import EventStream
from streaming.dialects.tick_stream import TickStream

TICK_STREAM = TickStream()
EVENT_STREAM = EventStream()

_TICK_STREAM_KEYS = frozenset({"apiKey", "symbol", "symbols"})


def choose(message: dict[str, Any]) -> Dialect:
    """Return the dialect that a bare connection's message tells; raises `Refused` where it tells none or both.

    `list` is of the tick stream alone, and gets that document's words: nothing is subscribed without a key there.

    >>> choose({"type": "subscribe", "channels": []}).name
    'event_stream'
    """
    tick_stream = not _TICK_STREAM_KEYS.isdisjoint(message)
    if not tick_stream and message.get("type") == "list" and "channels" not in message:
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    if tick_stream == ("channels" in message):
        raise Refused(Code.DIALECT_UNDECIDED)
    return TICK_STREAM if tick_stream else EVENT_STREAM
