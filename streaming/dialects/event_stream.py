"""The event stream: channels, sequence numbers, heartbeats, signed auth (pure).

Source: docs/protocols/event_stream.md.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from accounts.errors import Code, Refused
from engine.values import RESOLUTIONS, Candle, Environment, MarketStatus, Quote, plain
from streaming.dialects.base import (
    MAX_ID_LENGTH,
    Catalogue,
    MessageId,
    Policy,
    bounded,
    decode_publish,
    dump,
    refusal,
    shaped,
)
from streaming.dialects.tick_stream import common, printable, welcome
from streaming.frames import Encoded, Numbered
from streaming.messages import (
    INTERVALS_MS,
    Action,
    Channel,
    Heartbeat,
    News,
    Overview,
    Ping,
    Private,
    PrivateEvent,
    Reply,
    Request,
    Result,
    Resume,
    SessionSet,
    SetSession,
    Signature,
    Snapshot,
    Standing,
    Step,
    Subscribe,
    Subscribed,
    Trade,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)

HEARTBEAT_S = 5
"""Source: "a heartbeat event every five seconds"."""

OVERVIEW = "admin:overview"
"""For staff, so not in the document: docs/admin.md tells of it."""

_INTERVAL = re.compile(r"(.+)@([0-9]{1,4})ms", re.ASCII | re.DOTALL)
_PRIVATE = re.compile(r"trading:(orders|positions|balances)(_demo)?", re.ASCII)


class AuthFields(msgspec.Struct):
    """`"auth":{"key":"<key id>","sig":"…","timestamp":<ms>}`"""

    key: str
    sig: str
    timestamp: int


class ResumeFields(msgspec.Struct):
    """`{"epoch":"…","offset":812}`: everything up to there is known. No database counts beyond int64."""

    epoch: Annotated[str, msgspec.Meta(max_length=MAX_ID_LENGTH)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class SubscribeMessage(msgspec.Struct):
    channels: list[str]
    auth: AuthFields | None = None
    resume: dict[Environment, ResumeFields] = {}
    snapshot: bool = False


class TradeMessage(msgspec.Struct):
    """`{"type":"trade","action":"new","demo":true,"params":{…}}`; without `demo`, real money."""

    action: Action
    params: dict[str, Any]
    demo: bool = False


class SessionMessage(msgspec.Struct, rename="camel"):
    """`{"type":"session","cancelOnDisconnect":true}`"""

    cancel_on_disconnect: bool


class UnsubscribeMessage(msgspec.Struct):
    """Unset is not null: a client whose variable was empty must not unsubscribe from everything."""

    channels: list[str] | UnsetType = UNSET


class EventStream:
    name = "event_stream"
    policy = Policy(public_needs_identity=False, heartbeat_s=HEARTBEAT_S, subscribes_limited=True)

    # ---- from the client

    def decode(self, message: dict[str, Any], catalogue: Catalogue) -> Request:
        match message.get("type"):
            case "trade":
                return self._trade(message)
            case "subscribe":
                return self._subscribe(message, catalogue)
            case "unsubscribe":
                channels = shaped(message, UnsubscribeMessage).channels
                return Unsubscribe(None if channels is UNSET else tuple(_channels(channels, catalogue)))
            case "ping":
                return Ping()
            case "publish":
                return decode_publish(message)
            case "step":
                return Step()
            case "session":
                return SetSession(shaped(message, SessionMessage).cancel_on_disconnect)
            case str():
                raise Refused(Code.UNKNOWN_TYPE)
            case _:
                raise Refused(Code.INVALID_MESSAGE, "The message has no type")

    def _subscribe(self, message: dict[str, Any], catalogue: Catalogue) -> Subscribe:
        shape = shaped(message, SubscribeMessage)
        auth = shape.auth
        channels = _channels(shape.channels, catalogue)
        private = {channel.environment for channel in channels if channel.private}
        if not shape.resume.keys() <= private:
            raise Refused(Code.INVALID_MESSAGE, "resume names an account without a channel of it in this message")
        if shape.snapshot and not private:
            raise Refused(Code.INVALID_MESSAGE, "snapshot without a channel of an account in this message")
        return Subscribe(
            channels,
            None if auth is None else Signature(auth.key, auth.sig, auth.timestamp),
            {environment: Resume(known.epoch, known.offset) for environment, known in shape.resume.items()},
            shape.snapshot,
        )

    def _trade(self, message: dict[str, Any]) -> Trade:
        shape = shaped(message, TradeMessage)
        return Trade(shape.action, "demo" if shape.demo else "live", shape.params)

    # ---- to the client

    def reply(self, reply: Reply, message_id: MessageId) -> bytes:
        match reply:
            case Result(data):
                return _result(data, message_id)
            case Refused():
                return refusal(reply, message_id)
            case Welcome():
                return dump(welcome(reply), message_id)
            case Subscribed(_, active, accounts):
                return dump({"type": "subscribed", "channels": _names(active), **_accounts(accounts)}, message_id)
            case Unsubscribed(_, active):
                return dump({"type": "unsubscribed", "channels": _names(active)}, message_id)
            case SessionSet(wanted):
                return dump({"type": "session", "cancelOnDisconnect": wanted}, message_id)
            case _:
                return dump(common(reply), message_id)

    def encode(self, news: News | Private, catalogue: Catalogue) -> Encoded:
        match news:
            case Quote():
                return Numbered(b'{"event":"quote","sequence":', b',"data":%b}' % _quote(news))
            case Candle():
                return Numbered(b'{"event":"candle","sequence":', _candle(news))
            case Heartbeat(time_ms, offset):
                data = {"time": time_ms, **({"offset": offset} if offset else {})}
                return Numbered(b'{"event":"heartbeat","sequence":', b',"data":%b}' % dump(data, None))
            case MarketStatus(product, state):
                data = {"product": product, "state": state}
                return Numbered(b'{"event":"status","sequence":', b',"data":%b}' % dump(data, None))
            case Overview(text):
                return Numbered(b'{"event":"overview","sequence":', b',"data":%b}' % text.encode())
            case PrivateEvent(environment, _, offset, name, text):
                return Numbered(_private_start(environment, name), b',"data":%b,"offset":%d}' % (text.encode(), offset))
            case Snapshot(environment, offset, text):
                start = _private_start(environment, "snapshot")
                return Numbered(start, b',"offset":%d,"data":%b}' % (offset, text.encode()))


def event_name(environment: str, name: str) -> str:
    """Return a private event's name as the document spells it.

    >>> event_name("live", "order:new"), event_name("demo", "order:new"), event_name("demo", "balance")
    ('order:new', 'order_demo:new', 'balance_demo')
    """
    if environment != "demo":
        return name
    subject, colon, what = name.partition(":")
    return f"{subject}_demo{colon}{what}"


@cache
def _private_start(environment: str, name: str) -> bytes:
    return b'{"event":"%b","sequence":' % event_name(environment, name).encode()


def channel_name(channel: Channel, interval_ms: int) -> str:
    """Return a channel as the document spells it.

    >>> channel_name(Channel("candles", "BTC-USD", "15"), 0)
    'trading:candles:BTC-USD:15'
    >>> channel_name(Channel("quotes", "EUR-USD"), 250)
    'trading:quotes:EUR-USD@250ms'
    >>> channel_name(Channel("orders", environment="demo"), 0)
    'trading:orders_demo'
    """
    match channel.kind:
        case "quotes":
            return f"trading:quotes:{channel.product}" + (f"@{interval_ms}ms" if interval_ms else "")
        case "candles":
            return f"trading:candles:{channel.product}:{channel.resolution}"
        case "heartbeat":
            return "heartbeat"
        case "overview":
            return OVERVIEW
        case _:
            return f"trading:{channel.kind}" + ("_demo" if channel.environment == "demo" else "")


def _result(data: str, message_id: MessageId) -> bytes:
    """Return a result around the engine's own text, which the journal keeps as it is."""
    echo = b"" if message_id is None else b',"id":%b' % msgspec.json.encode(message_id)
    return b'{"type":"result","data":%b%b}' % (data.encode(), echo)


def _accounts(accounts: Mapping[str, Standing]) -> dict[str, Any]:
    """Return the field of a reply that says where the logs of its private channels stand; none without any."""
    fields: dict[str, dict[str, Any]] = {}
    for environment, standing in accounts.items():
        fields[environment] = {"epoch": standing.epoch, "offset": standing.offset}
        if standing.recovered is not None:
            fields[environment]["recovered"] = standing.recovered
    return {"accounts": fields} if fields else {}


def _names(active: dict[Channel, int]) -> list[str]:
    return [channel_name(channel, interval_ms) for channel, interval_ms in active.items()]


def _channels(names: list[str], catalogue: Catalogue) -> dict[Channel, int]:
    return dict(_channel(name, catalogue) for name in bounded(names))


def _channel(name: str, catalogue: Catalogue) -> tuple[Channel, int]:
    """Return the channel of a name and its interval; raises `Refused` that names it."""
    if name == "heartbeat":
        return Channel("heartbeat"), 0
    if name == OVERVIEW:
        return Channel("overview"), 0
    private = _PRIVATE.fullmatch(name)
    if private is not None:
        return Channel(private[1], environment="demo" if private[2] else "live"), 0  # type: ignore[arg-type]  # the pattern's three words
    parts = name.split(":")
    if parts[:2] == ["trading", "quotes"] and len(parts) == 3:
        return _quotes_channel(parts[2], catalogue, name)
    if parts[:2] == ["trading", "candles"] and len(parts) == 4 and parts[3] in RESOLUTIONS:
        return Channel("candles", _product(parts[2], catalogue, name), parts[3]), 0
    raise _unknown(name)


def _quotes_channel(text: str, catalogue: Catalogue, name: str) -> tuple[Channel, int]:
    interval_ms = 0
    conflated = _INTERVAL.fullmatch(text)
    if conflated is not None:
        text, interval_ms = conflated[1], int(conflated[2])
        if interval_ms not in INTERVALS_MS:
            raise Refused(Code.INVALID_INTERVAL)
    return Channel("quotes", _product(text, catalogue, name)), interval_ms


def _product(text: str, catalogue: Catalogue, name: str) -> str:
    if text not in catalogue.products:
        raise _unknown(name)
    return text


def _unknown(name: str) -> Refused:
    return Refused(Code.UNKNOWN_CHANNEL, f"Unknown channel: {printable(name)}")


def _quote(quote: Quote) -> bytes:
    """Return `[product, mid, bid, ask, mid 24 h ago, timestamp ms]`."""
    return b'["%b","%b","%b","%b","%b",%d]' % (
        quote.product.encode(),
        plain(quote.mid).encode(),
        plain(quote.bid).encode(),
        plain(quote.ask).encode(),
        plain(quote.mid_day_ago).encode(),
        quote.time_ms,
    )


def _candle(candle: Candle) -> bytes:
    """Return the tail of a candle event: the document's keys in its order, and `closed` behind them."""
    data = {
        "t": str(candle.start_s),
        "m": [plain(price) for price in candle.mid],
        "b": [plain(price) for price in candle.bid],
        "a": [plain(price) for price in candle.ask],
        "closed": candle.closed,
    }
    return b',"resolution":"%b","product":"%b","data":%b}' % (
        candle.resolution.encode(),
        candle.product.encode(),
        msgspec.json.encode(data),
    )
