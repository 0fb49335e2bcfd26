"""What a dialect is: the same requests, replies and events, spelled one document's way (pure).

A third dialect is one more module like `tick_stream.py`, a line in `streaming/routing.py`, and its tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec

from accounts.errors import Code, Refused
from engine.values import NumberInvalid, Product, Tick, parse_number
from streaming.frames import Encoded
from streaming.messages import News, Private, Publish, Reply, Request

MAX_NAMES = 2_000
"""Names in one message: twice the 1,000 symbols that a connection must be able to hold."""

MAX_TICKS = 1_000
"""Ticks in one publish message: about 40 KB of the 64 KiB that a message may have."""

MAX_ID_LENGTH = 64
"""A client's `id` is echoed: long enough for a UUID with a prefix, too short to be a load."""

MessageId = str | int | None


class Catalogue(Protocol):
    """The products by name, and by any spelling that a client may use."""

    @property
    def products(self) -> Mapping[str, Product]: ...

    def resolve(self, text: str) -> Product | None: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What a document asks of the connection beyond its spelling.

    `heartbeat_s` is 0 where the document knows no heartbeat; `public_needs_identity` where even quotes need a key;
    `subscribes_limited` where subscribe and unsubscribe have a rate limit.
    """

    public_needs_identity: bool
    heartbeat_s: float
    subscribes_limited: bool


class Dialect(Protocol):
    name: str
    policy: Policy

    def decode(self, message: dict[str, Any], catalogue: Catalogue) -> Request:
        """Return the request in a client's message; raises `Refused`."""

    def reply(self, reply: Reply, message_id: MessageId) -> bytes:
        """Return the JSON text of a reply, with the request's `id` behind the document's keys."""

    def encode(self, news: News | Private, catalogue: Catalogue) -> Encoded:
        """Return an event ready for this dialect's readers; called once, whatever the number of readers."""


def message_id(message: dict[str, Any]) -> MessageId:
    """Return a message's `id`; raises `Refused` (INVALID_MESSAGE) when it is not a short string or an integer."""
    value = message.get("id")
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and len(value) <= MAX_ID_LENGTH:
        return value
    raise Refused(Code.INVALID_MESSAGE, f"id must be an integer or a string of at most {MAX_ID_LENGTH} characters")


class PublishMessage(msgspec.Struct):
    """`{"type":"publish","ticks":[["EURUSD",1.0850,1.0852,<ms>],…]}`, the same in every dialect."""

    ticks: list[list[Any]]


_Shape = TypeVar("_Shape")


def shaped(message: dict[str, Any], shape: type[_Shape]) -> _Shape:
    """Return the message as the given msgspec struct; raises `Refused` with the path of what does not fit."""
    try:
        return msgspec.convert(message, shape)
    except msgspec.ValidationError as error:
        raise Refused(Code.INVALID_MESSAGE, str(error)) from None


def bounded(names: list[str]) -> list[str]:
    """Return the names; raises `Refused` (TOO_MANY_NAMES)."""
    if len(names) > MAX_NAMES:
        raise Refused(Code.TOO_MANY_NAMES, f"At most {MAX_NAMES} names in one message")
    return names


def decode_publish(message: dict[str, Any]) -> Publish:
    """Return the ticks of a publish message, numbers or strings; which product it is, the feed decides."""
    ticks = shaped(message, PublishMessage).ticks
    if len(ticks) > MAX_TICKS:
        raise Refused(Code.TOO_MANY_NAMES, f"At most {MAX_TICKS} ticks in one message")
    return Publish(tuple(read_tick(index, tick) for index, tick in enumerate(ticks)))


def read_tick(index: int, fields: list[Any]) -> Tick:
    """Return the tick `[symbol, bid, ask, time ms]`; raises `Refused` that names its index."""
    if len(fields) != 4 or not isinstance(fields[0], str) or type(fields[3]) is not int:
        raise Refused(Code.INVALID_MESSAGE, f"A tick is [symbol, bid, ask, time in ms] - at `$.ticks[{index}]`")
    try:
        bid, ask = (_price(price) for price in fields[1:3])
    except NumberInvalid:
        raise Refused(Code.INVALID_NUMBER, f"A price is not a plain number - at `$.ticks[{index}]`") from None
    return Tick(product=fields[0], bid=bid, ask=ask, time_ms=fields[3])


def _price(value: Any) -> Decimal:
    """Return a price that came as JSON number (read already) or as a string."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
        raise NumberInvalid("true is not a price")
    return parse_number(str(value))


def dump(fields: dict[str, Any], message_id: MessageId) -> bytes:
    """Return the fields as JSON text, the echoed `id` last."""
    if message_id is not None:
        fields["id"] = message_id
    return msgspec.json.encode(fields)


def refusal(refused: Refused, message_id: MessageId) -> bytes:
    """Return an error message: the documents' `type` and `message` first, then our `code` and details."""
    details = {camel(name): value for name, value in refused.details.items()}
    return dump({"type": "error", "message": refused.message, "code": str(refused.code), **details}, message_id)


def camel(name: str) -> str:
    """Control messages are camelCase in both documents.

    >>> camel("retry_after_ms")
    'retryAfterMs'
    """
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
