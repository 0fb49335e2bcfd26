"""The tick stream: API key, symbols, bid/ask ticks (pure). Source: docs/protocols/tick_stream.md."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from accounts.errors import Code, Refused
from engine.values import Candle, MarketStatus, Quote, plain
from streaming.dialects.base import Catalogue, MessageId, Policy, bounded, decode_publish, dump, refusal, shaped
from streaming.frames import Encoded, text_frame
from streaming.messages import (
    INTERVALS_MS,
    Authenticate,
    Authenticated,
    Channel,
    Heartbeat,
    ListSubscriptions,
    News,
    Overview,
    Ping,
    Pong,
    Private,
    PrivateEvent,
    Published,
    Reply,
    Request,
    Shutdown,
    Snapshot,
    Step,
    Stepped,
    Subscribe,
    Subscribed,
    Subscriptions,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)

MAX_SHOWN = 64
"""Characters of a client's own text in an answer: every channel's name fits."""


class AuthMessage(msgspec.Struct, rename="camel"):
    """`{"type":"auth","apiKey":"…"}`"""

    api_key: str


class SymbolsMessage(msgspec.Struct):
    """`{"type":"subscribe","symbol":"EURUSD"}` or `"symbols":[…]`; `interval` in ms: at most one tick per that time.

    Unset is not null: a client whose variable was empty must not unsubscribe from everything.
    """

    symbol: str | UnsetType = UNSET
    symbols: list[str] | UnsetType = UNSET
    interval: int = 0


class TickStream:
    name = "tick_stream"
    policy = Policy(public_needs_identity=True, heartbeat_s=0, subscribes_limited=False)

    # ---- from the client

    def decode(self, message: dict[str, Any], catalogue: Catalogue) -> Request:
        match message.get("type"):
            case "auth":
                return Authenticate(shaped(message, AuthMessage).api_key)
            case "subscribe":
                return self._subscribe(message, catalogue)
            case "unsubscribe":
                return self._unsubscribe(message, catalogue)
            case "list":
                return ListSubscriptions()
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
        shape = shaped(message, SymbolsMessage)
        if shape.interval and shape.interval not in INTERVALS_MS:
            raise Refused(Code.INVALID_INTERVAL)
        channels = _channels(shape, catalogue)
        if channels is None:
            raise Refused(Code.INVALID_MESSAGE, "subscribe needs symbol or symbols")
        return Subscribe(dict.fromkeys(channels, shape.interval))

    def _unsubscribe(self, message: dict[str, Any], catalogue: Catalogue) -> Unsubscribe:
        return Unsubscribe(_channels(shaped(message, SymbolsMessage), catalogue))

    # ---- to the client

    def reply(self, reply: Reply, message_id: MessageId) -> bytes:
        if isinstance(reply, Refused):
            return refusal(reply, message_id)
        return dump(self._fields(reply), message_id)

    def _fields(self, reply: Reply) -> dict[str, Any]:
        match reply:
            case Welcome():
                return welcome(reply)
            case Authenticated():
                return {"type": "auth", "success": True, "message": "Authenticated successfully"}
            case Subscribed() | Unsubscribed():
                kind = "subscribed" if isinstance(reply, Subscribed) else "unsubscribed"
                return {
                    "type": kind,
                    "symbols": [_symbol(channel.product) for channel in reply.asked],
                    "totalSubscriptions": len(reply.active),
                }
            case Subscriptions(active):
                symbols = [_symbol(channel.product) for channel in active]
                return {"type": "subscriptions", "symbols": symbols, "totalSubscriptions": len(symbols)}
            case _:
                return common(reply)

    def encode(self, news: News | Private, catalogue: Catalogue) -> Encoded:
        match news:
            case Quote():
                # Prices are JSON numbers with the product's digits: the document's "bid": 1.0850.
                return text_frame(
                    b'{"type":"tick","symbol":"%b","bid":%b,"ask":%b,"time":%d}'
                    % (
                        _symbol(news.product).encode(),
                        plain(news.bid).encode(),
                        plain(news.ask).encode(),
                        news.time_ms,
                    )
                )
            case MarketStatus():
                return text_frame(dump({"type": "status", "symbol": _symbol(news.product), "state": news.state}, None))
            case Candle() | Heartbeat() | Overview() | PrivateEvent() | Snapshot():
                raise AssertionError("the tick stream has no channel that carries this")


def welcome(reply: Welcome) -> dict[str, Any]:
    """Return the greeting's fields (a `type` and no `event`, so that an event-stream client is not disturbed)."""
    return {
        "type": "welcome",
        "message": "Welcome to Tickwire",
        "authWindow": reply.auth_window_s,
        "serverTime": reply.time_ms,
    }


def common(reply: Reply) -> dict[str, Any]:
    """Return the fields of the replies that both dialects spell alike."""
    match reply:
        case Pong(time_ms):
            return {"type": "pong", "time": time_ms}
        case Published(accepted, refused):
            return {
                "type": "published",
                "accepted": accepted,
                "refused": [{"index": index, "code": code} for index, code in refused],
            }
        case Stepped():
            return {"type": "stepped"}
        case Shutdown(retry_after_ms):
            return {"type": "shutdown", "retryAfterMs": retry_after_ms}
        case _:
            raise AssertionError(f"no dialect spells {reply!r} so")


def _symbol(product: str) -> str:
    return product.replace("-", "")


def _channels(shape: SymbolsMessage, catalogue: Catalogue) -> tuple[Channel, ...] | None:
    """Return the channels named, each once, or None where the message names none at all."""
    if shape.symbol is UNSET and shape.symbols is UNSET:
        return None
    asked = ([] if shape.symbol is UNSET else [shape.symbol]) + ([] if shape.symbols is UNSET else shape.symbols)
    found = {name: catalogue.resolve(name) for name in bounded(asked)}
    unknown = [name for name, product in found.items() if product is None]
    if unknown:
        raise Refused(Code.UNKNOWN_SYMBOL, f"Unknown symbol: {', '.join(printable(name) for name in unknown[:10])}")
    return tuple(dict.fromkeys(Channel("quotes", product.name) for product in found.values() if product))


def printable(name: str) -> str:
    """Return a client's own text as it may stand in an answer: short, and without control characters.

    >>> printable("EUR\\x00USD")
    'EUR?USD'
    """
    short = name if len(name) <= MAX_SHOWN else name[:MAX_SHOWN] + "…"
    return "".join(character if character.isprintable() else "?" for character in short)
