"""The event stream: channels, sequence numbers, heartbeats, signed auth (pure).

Source: docs/protocols/event_stream.md.
"""

import re
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from accounts.errors import Code, Refused
from engine.values import RESOLUTIONS, Candle, MarketStatus, Quote, plain
from streaming.dialects.base import Catalogue, MessageId, Policy, bounded, decode_publish, dump, refusal, shaped
from streaming.dialects.tick_stream import common, printable, welcome
from streaming.frames import Encoded, Numbered
from streaming.messages import (
    INTERVALS_MS,
    Channel,
    Heartbeat,
    News,
    Ping,
    Reply,
    Request,
    Signature,
    Step,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)

HEARTBEAT_S = 5
"""Source: "a heartbeat event every five seconds"."""

_INTERVAL = re.compile(r"(.+)@([0-9]{1,4})ms", re.ASCII | re.DOTALL)
_PRIVATE = re.compile(r"trading:(orders|positions|balances)(_demo)?", re.ASCII)


class AuthFields(msgspec.Struct):
    """`"auth":{"key":"<key id>","sig":"…","timestamp":<ms>}`"""

    key: str
    sig: str
    timestamp: int


class SubscribeMessage(msgspec.Struct):
    channels: list[str]
    auth: AuthFields | None = None


class UnsubscribeMessage(msgspec.Struct):
    """Unset is not null: a client whose variable was empty must not unsubscribe from everything."""

    channels: list[str] | UnsetType = UNSET


class EventStream:
    name = "event_stream"
    policy = Policy(public_needs_identity=False, heartbeat_s=HEARTBEAT_S, subscribes_limited=True)

    # ---- from the client

    def decode(self, message: dict[str, Any], catalogue: Catalogue) -> Request:
        match message.get("type"):
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
            case str():
                raise Refused(Code.UNKNOWN_TYPE)
            case _:
                raise Refused(Code.INVALID_MESSAGE, "The message has no type")

    def _subscribe(self, message: dict[str, Any], catalogue: Catalogue) -> Subscribe:
        shape = shaped(message, SubscribeMessage)
        auth = shape.auth
        return Subscribe(
            _channels(shape.channels, catalogue),
            None if auth is None else Signature(auth.key, auth.sig, auth.timestamp),
        )

    # ---- to the client

    def reply(self, reply: Reply, message_id: MessageId) -> bytes:
        match reply:
            case Refused():
                return refusal(reply, message_id)
            case Welcome():
                return dump(welcome(reply), message_id)
            case Subscribed(_, active):
                return dump({"type": "subscribed", "channels": _names(active)}, message_id)
            case Unsubscribed(_, active):
                return dump({"type": "unsubscribed", "channels": _names(active)}, message_id)
            case _:
                return dump(common(reply), message_id)

    def encode(self, news: News, catalogue: Catalogue) -> Encoded:
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
        case _:
            return f"trading:{channel.kind}" + ("_demo" if channel.environment == "demo" else "")


def _names(active: dict[Channel, int]) -> list[str]:
    return [channel_name(channel, interval_ms) for channel, interval_ms in active.items()]


def _channels(names: list[str], catalogue: Catalogue) -> dict[Channel, int]:
    return dict(_channel(name, catalogue) for name in bounded(names))


def _channel(name: str, catalogue: Catalogue) -> tuple[Channel, int]:
    """Return the channel of a name and its interval; raises `Refused` that names it."""
    if name == "heartbeat":
        return Channel("heartbeat"), 0
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
