"""The tick stream to the letter of its document."""

from decimal import Decimal

import pytest

from accounts.errors import Code, Refused
from engine.values import MarketStatus, Product
from streaming.dialects import TICK_STREAM
from streaming.dialects.base import MAX_NAMES
from streaming.frames import text_frame
from streaming.messages import (
    Authenticate,
    Authenticated,
    Channel,
    Heartbeat,
    ListSubscriptions,
    Ping,
    Pong,
    Publish,
    Published,
    Shutdown,
    Step,
    Stepped,
    Subscribe,
    Subscribed,
    Subscriptions,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)
from tests.streaming.nodes import FixedCatalogue, candle, quote

CATALOGUE = FixedCatalogue(
    {name: Product(name, name.replace("-", ""), 5) for name in ("EUR-USD", "GBP-USD", "XAU-USD")}
)
EUR, GBP, XAU = (Channel("quotes", name) for name in CATALOGUE.products)


def decoded(message):
    return TICK_STREAM.decode(message, CATALOGUE)


def refusal_of(message):
    with pytest.raises(Refused) as refused:
        decoded(message)
    return refused.value


# ---- from the client


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        ({"type": "auth", "apiKey": "<your-api-key>"}, Authenticate("<your-api-key>")),
        ({"type": "subscribe", "symbol": "EURUSD"}, Subscribe({EUR: 0})),
        (
            {"type": "subscribe", "symbols": ["EURUSD", "GBPUSD", "XAUUSD"]},
            Subscribe({EUR: 0, GBP: 0, XAU: 0}),
        ),
        ({"type": "unsubscribe", "symbol": "EURUSD"}, Unsubscribe((EUR,))),
        ({"type": "list"}, ListSubscriptions()),
        ({"type": "unsubscribe"}, Unsubscribe(None)),
        ({"type": "unsubscribe", "symbols": []}, Unsubscribe(())),
        ({"type": "unsubscribe", "symbols": ["XAUUSD", "EURUSD"]}, Unsubscribe((XAU, EUR))),
        ({"type": "subscribe", "symbols": []}, Subscribe({})),
        ({"type": "subscribe", "symbols": ["eurusd", "EUR-USD", "Eur-Usd"]}, Subscribe({EUR: 0})),
        ({"type": "subscribe", "symbol": "GBPUSD", "symbols": ["EURUSD"]}, Subscribe({GBP: 0, EUR: 0})),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": 250}, Subscribe({EUR: 250})),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": 0}, Subscribe({EUR: 0})),
        ({"type": "ping"}, Ping()),
        ({"type": "publish", "ticks": []}, Publish(())),
        ({"type": "step"}, Step()),
    ],
    ids=str,
)
def test_a_message_is_read(message, request_):
    assert decoded(message) == request_


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, Code.INVALID_MESSAGE),
        ({"type": None}, Code.INVALID_MESSAGE),
        ({"type": ["auth"]}, Code.INVALID_MESSAGE),
        ({"type": "Auth"}, Code.UNKNOWN_TYPE),
        ({"type": ""}, Code.UNKNOWN_TYPE),
        ({"type": "auth"}, Code.INVALID_MESSAGE),
        ({"type": "auth", "apikey": "x"}, Code.INVALID_MESSAGE),
        ({"type": "auth", "apiKey": 5}, Code.INVALID_MESSAGE),
        ({"type": "subscribe"}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbol": ["EURUSD"]}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbols": "EURUSD"}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbols": ["EURUSD", None]}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbol": None}, Code.INVALID_MESSAGE),
        ({"type": "unsubscribe", "symbols": None}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbol": ""}, Code.UNKNOWN_SYMBOL),
        ({"type": "subscribe", "symbol": "EURUSD "}, Code.UNKNOWN_SYMBOL),
        ({"type": "unsubscribe", "symbol": "NOSUCH"}, Code.UNKNOWN_SYMBOL),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": 1}, Code.INVALID_INTERVAL),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": -250}, Code.INVALID_INTERVAL),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": True}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": "250"}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbol": "EURUSD", "interval": Decimal("250.5")}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "symbols": ["EURUSD"] * (MAX_NAMES + 1)}, Code.TOO_MANY_NAMES),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_message_is_refused(message, code):
    assert refusal_of(message).code is code


def test_unknown_symbols_are_named_shortly_and_without_control_characters():
    names = ["EURUSD", "NO\x00SUCH", "<script>", "X" * 500, "\u202eDSU"]
    message = refusal_of({"type": "subscribe", "symbols": names}).message
    assert message == f"Unknown symbol: NO?SUCH, <script>, {'X' * 64}…, ?DSU"
    many = refusal_of({"type": "subscribe", "symbols": [f"N{number}" for number in range(1_000)]}).message
    assert many == "Unknown symbol: " + ", ".join(f"N{number}" for number in range(10))


# ---- to the client


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Authenticated(), '{"type":"auth","success":true,"message":"Authenticated successfully"}'),
        (Subscribed((EUR,), {EUR: 0}), '{"type":"subscribed","symbols":["EURUSD"],"totalSubscriptions":1}'),
        (
            Refused(Code.AUTHENTICATION_REQUIRED),
            '{"type":"error","message":"Authentication required","code":"authentication_required"}',
        ),
        (
            Welcome(30, 1709742000000),
            '{"type":"welcome","message":"Welcome to Tickwire","authWindow":30,"serverTime":1709742000000}',
        ),
        (Subscribed((GBP,), {EUR: 0, GBP: 250}), '{"type":"subscribed","symbols":["GBPUSD"],"totalSubscriptions":2}'),
        (Unsubscribed((EUR,), {GBP: 0}), '{"type":"unsubscribed","symbols":["EURUSD"],"totalSubscriptions":1}'),
        (
            Subscriptions({EUR: 0, GBP: 0}),
            '{"type":"subscriptions","symbols":["EURUSD","GBPUSD"],"totalSubscriptions":2}',
        ),
        (Pong(1709742000000), '{"type":"pong","time":1709742000000}'),
        (
            Published(1, ((1, "crossed"),)),
            '{"type":"published","accepted":1,"refused":[{"index":1,"code":"crossed"}]}',
        ),
        (Stepped(), '{"type":"stepped"}'),
        (Shutdown(1500), '{"type":"shutdown","retryAfterMs":1500}'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_reply_is_written(reply, text):
    assert TICK_STREAM.reply(reply, None).decode() == text
    assert TICK_STREAM.reply(reply, "a-1").decode() == text[:-1] + ',"id":"a-1"}'


def test_a_tick_of_a_four_digit_product_is_the_documents():
    news = quote(1, bid="1.0850", ask="1.0852", time_ms=1709742000000)
    assert TICK_STREAM.encode(news, CATALOGUE) == text_frame(
        b'{"type":"tick","symbol":"EURUSD","bid":1.0850,"ask":1.0852,"time":1709742000000}'
    )


@pytest.mark.parametrize(
    ("bid", "written"), [("1.08500", b"1.08500"), ("65000.1", b"65000.1"), ("0.00000001", b"0.00000001"), ("7", b"7")]
)
def test_a_price_is_a_number_with_the_products_digits(bid, written):
    frame = TICK_STREAM.encode(quote(1, bid=bid, ask=bid), CATALOGUE)
    assert isinstance(frame, bytes)
    assert b'"bid":' + written + b',"ask":' + written + b"," in frame


def test_a_feed_state_is_written():
    assert TICK_STREAM.encode(MarketStatus("EUR-USD", "stale"), CATALOGUE) == text_frame(
        b'{"type":"status","symbol":"EURUSD","state":"stale"}'
    )


@pytest.mark.parametrize("news", [candle(0), Heartbeat(1)], ids=["candle", "heartbeat"])
def test_it_has_neither_candles_nor_heartbeats(news):
    with pytest.raises(AssertionError, match="no channel"):
        TICK_STREAM.encode(news, CATALOGUE)
