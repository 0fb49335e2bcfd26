"""The event stream to the letter of its document."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Code, Refused
from engine.values import RESOLUTIONS, Candle, MarketStatus
from streaming.dialects import EVENT_STREAM
from streaming.dialects.base import MAX_NAMES
from streaming.dialects.event_stream import channel_name
from streaming.frames import Numbered, text_frame
from streaming.messages import (
    INTERVALS_MS,
    Channel,
    Heartbeat,
    Ping,
    Pong,
    Publish,
    Published,
    Shutdown,
    Signature,
    Step,
    Stepped,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)
from tests.streaming.nodes import PRODUCTS, FixedCatalogue, quote

CATALOGUE = FixedCatalogue()
EUR, GBP = Channel("quotes", "EUR-USD"), Channel("quotes", "GBP-USD")
AUTH = {
    "key": "8b6bcdc6-5ef8-463b-833f-3681dc2c90d3",
    "sig": "5a1073b62e4dd62e4dd56244c89941...",
    "timestamp": 1511027890939,
}


def decoded(message):
    return EVENT_STREAM.decode(message, CATALOGUE)


def refusal_of(message):
    with pytest.raises(Refused) as refused:
        decoded(message)
    return refused.value


def subscribe(*channels, **fields):
    return {"type": "subscribe", "channels": list(channels), **fields}


# ---- from the client


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (subscribe("trading:quotes:EUR-USD", "trading:quotes:GBP-USD"), Subscribe({EUR: 0, GBP: 0})),
        ({"type": "unsubscribe"}, Unsubscribe(None)),
        (
            subscribe("trading:quotes:EUR-USD", "trading:positions", auth=AUTH),
            Subscribe(
                {EUR: 0, Channel("positions", environment="live"): 0},
                Signature("8b6bcdc6-5ef8-463b-833f-3681dc2c90d3", "5a1073b62e4dd62e4dd56244c89941...", 1511027890939),
            ),
        ),
        (subscribe("trading:candles:BTC-USD:1D"), Subscribe({Channel("candles", "BTC-USD", "1D"): 0})),
        (subscribe("trading:quotes:EUR-USD@250ms"), Subscribe({EUR: 250})),
        (subscribe("heartbeat"), Subscribe({Channel("heartbeat"): 0})),
        (subscribe("trading:orders_demo"), Subscribe({Channel("orders", environment="demo"): 0})),
        (subscribe(), Subscribe({})),
        (subscribe(auth=None), Subscribe({})),
        ({"type": "unsubscribe", "channels": []}, Unsubscribe(())),
        ({"type": "unsubscribe", "channels": ["trading:quotes:EUR-USD@250ms"]}, Unsubscribe((EUR,))),
        ({"type": "ping"}, Ping()),
        ({"type": "publish", "ticks": []}, Publish(())),
        ({"type": "step"}, Step()),
    ],
    ids=str,
)
def test_a_message_is_read(message, request_):
    assert decoded(message) == request_


channels = (
    st.builds(Channel, st.just("quotes"), st.sampled_from(sorted(PRODUCTS)))
    | st.builds(Channel, st.just("candles"), st.sampled_from(sorted(PRODUCTS)), st.sampled_from(sorted(RESOLUTIONS)))
    | st.builds(
        Channel,
        st.sampled_from(["orders", "positions", "balances"]),
        environment=st.sampled_from(["live", "demo"]),
    )
    | st.just(Channel("heartbeat"))
)


@given(channels, st.sampled_from([0, *INTERVALS_MS]))
def test_every_channel_is_read_as_it_is_written(channel, interval_ms):
    interval_ms = interval_ms if channel.kind == "quotes" else 0
    assert decoded(subscribe(channel_name(channel, interval_ms))) == Subscribe({channel: interval_ms})


@pytest.mark.parametrize(
    "name",
    [
        "", "trading", "trading:quotes", "trading:quotes:", "trading:quotes:NOSUCH", "trading:quotes:EURUSD",
        "trading:quotes:eur-usd", "trading:quotes:EUR-USD:1", " trading:quotes:EUR-USD", "trading:quotes:EUR-USD\n",
        "trading:quotes:EUR-USD@", "trading:quotes:EUR-USD@ms", "trading:quotes:EUR-USD@250", "trading:quotes:@250ms",
        "trading:quotes:EUR-USD@\u0662\u0665\u0660ms", "trading:quotes:EUR-USD@250ms@250ms",
        "trading:candles:EUR-USD", "trading:candles:EUR-USD:2", "trading:candles:EUR-USD:1@250ms",
        "trading:candles:EUR-USD:1:1", "trading:candles:NOSUCH:1", "trading:candles:EUR-USD:\u0665",
        "trading:orders_live", "trading:orders_demo_demo", "trading:orders\n", "trading:nosuch", "Heartbeat", "*",
    ],
)  # fmt: skip
def test_a_channel_that_is_none_is_named(name):
    for message in (subscribe("trading:quotes:EUR-USD", name), {"type": "unsubscribe", "channels": [name]}):
        refused = refusal_of(message)
        assert refused.code is Code.UNKNOWN_CHANNEL
        assert refused.message == f"Unknown channel: {name}".replace("\n", "?")


@pytest.mark.parametrize("interval_ms", [0, 1, 99, 251, 2000, 9999])
def test_an_interval_that_nobody_offers_is_refused(interval_ms):
    assert refusal_of(subscribe(f"trading:quotes:EUR-USD@{interval_ms}ms")).code is Code.INVALID_INTERVAL


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, Code.INVALID_MESSAGE),
        ({"type": 5}, Code.INVALID_MESSAGE),
        ({"type": "list"}, Code.UNKNOWN_TYPE),
        ({"type": "auth", "apiKey": "x"}, Code.UNKNOWN_TYPE),
        ({"type": "subscribe"}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "channels": None}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "channels": "heartbeat"}, Code.INVALID_MESSAGE),
        ({"type": "subscribe", "channels": [5]}, Code.INVALID_MESSAGE),
        ({"type": "unsubscribe", "channels": None}, Code.INVALID_MESSAGE),
        (subscribe(auth={}), Code.INVALID_MESSAGE),
        (subscribe(auth={**AUTH, "timestamp": "1511027890939"}), Code.INVALID_MESSAGE),
        (subscribe(auth={**AUTH, "timestamp": Decimal("1.5")}), Code.INVALID_MESSAGE),
        (subscribe(auth={**AUTH, "key": None}), Code.INVALID_MESSAGE),
        (subscribe(*["heartbeat"] * (MAX_NAMES + 1)), Code.TOO_MANY_NAMES),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_message_is_refused(message, code):
    assert refusal_of(message).code is code


# ---- to the client


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            Subscribed((GBP,), {EUR: 0, GBP: 250}),
            '{"type":"subscribed","channels":["trading:quotes:EUR-USD","trading:quotes:GBP-USD@250ms"]}',
        ),
        (Unsubscribed((EUR,), {}), '{"type":"unsubscribed","channels":[]}'),
        (
            Refused(Code.RATE_LIMITED, retry_after_ms=4200),
            '{"type":"error","message":"Too many requests","code":"rate_limited","retryAfterMs":4200}',
        ),
        (
            Welcome(30, 1709742000000),
            '{"type":"welcome","message":"Welcome to Tickwire","authWindow":30,"serverTime":1709742000000}',
        ),
        (Pong(1709742000000), '{"type":"pong","time":1709742000000}'),
        (Published(2, ()), '{"type":"published","accepted":2,"refused":[]}'),
        (Stepped(), '{"type":"stepped"}'),
        (Shutdown(1500), '{"type":"shutdown","retryAfterMs":1500}'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_reply_is_written(reply, text):
    assert EVENT_STREAM.reply(reply, None).decode() == text
    assert EVENT_STREAM.reply(reply, 7).decode() == text[:-1] + ',"id":7}'


def prices(*texts):
    first, high, low, close = map(Decimal, texts)
    return first, high, low, close


DOCUMENT_CANDLE = Candle(
    "BTC-USD", "1", 1553623740,
    prices("3916.6", "3916.6", "3916.5", "3916.5"),
    prices("3916.3", "3916.3", "3916.2", "3916.2"),
    prices("3917.0", "3917.0", "3916.8", "3916.8"),
    closed=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("news", "text"),
    [
        (
            quote(1, time_ms=1511434319320),
            '{"event":"quote","sequence":889,"data":["EUR-USD","1.12442","1.12439","1.12445","1.12411",1511434319320]}',
        ),
        (
            DOCUMENT_CANDLE,
            '{"event":"candle","sequence":889,"resolution":"1","product":"BTC-USD","data":{"t":"1553623740",'
            '"m":["3916.6","3916.6","3916.5","3916.5"],"b":["3916.3","3916.3","3916.2","3916.2"],'
            '"a":["3917.0","3917.0","3916.8","3916.8"],"closed":false}}',
        ),
        (Heartbeat(1511434319320), '{"event":"heartbeat","sequence":889,"data":{"time":1511434319320}}'),
        (
            Heartbeat(1511434319320, {"live": 812, "demo": 0}),
            '{"event":"heartbeat","sequence":889,"data":{"time":1511434319320,"offset":{"live":812,"demo":0}}}',
        ),
        (
            MarketStatus("EUR-USD", "halted"),
            '{"event":"status","sequence":889,"data":{"product":"EUR-USD","state":"halted"}}',
        ),
    ],
    ids=["quote", "candle", "heartbeat", "heartbeat with offsets", "status"],
)
def test_an_event_is_written_with_its_readers_sequence(news, text):
    event = EVENT_STREAM.encode(news, CATALOGUE)
    assert isinstance(event, Numbered)
    for sequence in (1, 889, 10**9):
        assert event.frame(sequence) == text_frame(text.replace("889", str(sequence)).encode())
