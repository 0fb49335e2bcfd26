"""The event stream to the letter of its document."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Code, Refused
from engine.values import RESOLUTIONS, Candle, MarketStatus
from streaming.dialects import EVENT_STREAM
from streaming.dialects.base import MAX_NAMES
from streaming.dialects.event_stream import channel_name
from streaming.frames import Numbered, payloads, text_frame
from streaming.messages import (
    INTERVALS_MS,
    Channel,
    Heartbeat,
    Ping,
    Pong,
    PrivateEvent,
    Publish,
    Published,
    Result,
    Resume,
    SessionSet,
    SetSession,
    Shutdown,
    Signature,
    Snapshot,
    Standing,
    Step,
    Stepped,
    Subscribe,
    Subscribed,
    Trade,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)
from tests.engine.documents import ORDER_NEW, line
from tests.streaming.nodes import PRODUCTS, FixedCatalogue, quote

CATALOGUE = FixedCatalogue()
EUR, GBP = Channel("quotes", "EUR-USD"), Channel("quotes", "GBP-USD")
AUTH = {
    "key": "8b6bcdc6-5ef8-463b-833f-3681dc2c90d3",
    "sig": "5a1073b62e4dd62e4dd56244c89941...",
    "timestamp": 1511027890939,
}


KNOWN = {"epoch": "e", "offset": 812}
ORDERS_DEMO = Channel("orders", environment="demo")
PARAMS = {
    "price": Decimal("1.26635"),
    "amount": 1_000_000,
    "side": "buy",
    "more": [None, True, {"deep": Decimal("1.0")}],
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
        (
            subscribe("trading:orders_demo", resume={"demo": {"epoch": "e", "offset": 812}}),
            Subscribe({ORDERS_DEMO: 0}, None, {"demo": Resume("e", 812)}),
        ),
        (subscribe("trading:orders_demo", snapshot=True), Subscribe({ORDERS_DEMO: 0}, None, {}, True)),
        (subscribe(resume={}, snapshot=False), Subscribe({})),
        ({"type": "trade", "action": "new", "params": PARAMS}, Trade("new", "live", PARAMS)),
        ({"type": "trade", "action": "close", "demo": False, "params": {}}, Trade("close", "live", {})),
        ({"type": "trade", "action": "split", "demo": True, "params": {}}, Trade("split", "demo", {})),
        ({"type": "session", "cancelOnDisconnect": True}, SetSession(True)),
        ({"type": "session", "cancelOnDisconnect": False}, SetSession(False)),
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
        (subscribe("trading:orders", resume=None), Code.INVALID_MESSAGE),
        (subscribe("trading:orders", resume={"live": None}), Code.INVALID_MESSAGE),
        (subscribe("trading:orders", resume={"paper": KNOWN}), Code.INVALID_MESSAGE),
        (subscribe("trading:orders", resume={"live": {"offset": 1}}), Code.INVALID_MESSAGE),
        (subscribe("trading:orders", resume={"live": {"epoch": "e"}}), Code.INVALID_MESSAGE),
        *(
            (subscribe("trading:orders", resume={"live": {**KNOWN, **bad}}), Code.INVALID_MESSAGE)
            for bad in (
                {"offset": -1},
                {"offset": "1"},
                {"offset": True},
                {"offset": Decimal("1.5")},
                {"offset": 2**63},
                {"epoch": 1},
                {"epoch": None},
                {"epoch": "e" * 65},
            )
        ),
        # Neither is lost without a word.
        (subscribe("trading:orders", resume={"demo": KNOWN}), Code.INVALID_MESSAGE),
        (subscribe("trading:quotes:EUR-USD", resume={"live": KNOWN}), Code.INVALID_MESSAGE),
        (subscribe("trading:quotes:EUR-USD", snapshot=True), Code.INVALID_MESSAGE),
        (subscribe("trading:orders", snapshot=1), Code.INVALID_MESSAGE),
        ({"type": "trade"}, Code.INVALID_MESSAGE),
        ({"type": "trade", "action": "new"}, Code.INVALID_MESSAGE),
        ({"type": "trade", "action": "dance", "params": {}}, Code.INVALID_MESSAGE),
        ({"type": "trade", "action": None, "params": {}}, Code.INVALID_MESSAGE),
        ({"type": "trade", "action": "new", "params": []}, Code.INVALID_MESSAGE),
        ({"type": "trade", "action": "new", "params": {}, "demo": None}, Code.INVALID_MESSAGE),
        ({"type": "trade", "action": "new", "params": {}, "demo": "true"}, Code.INVALID_MESSAGE),
        ({"type": "session"}, Code.INVALID_MESSAGE),
        ({"type": "session", "cancelOnDisconnect": None}, Code.INVALID_MESSAGE),
        ({"type": "session", "cancelOnDisconnect": 1}, Code.INVALID_MESSAGE),
        ({"type": "session", "cancel_on_disconnect": True}, Code.INVALID_MESSAGE),
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
        (
            Subscribed((ORDERS_DEMO,), {ORDERS_DEMO: 0}, {"live": Standing("e", 7), "demo": Standing("e", 840, True)}),
            '{"type":"subscribed","channels":["trading:orders_demo"],"accounts":{"live":{"epoch":"e","offset":7},'
            '"demo":{"epoch":"e","offset":840,"recovered":true}}}',
        ),
        (Unsubscribed((EUR,), {}), '{"type":"unsubscribed","channels":[]}'),
        (Result('{"id":"a7","amount":1000000}'), '{"type":"result","data":{"id":"a7","amount":1000000}}'),
        (SessionSet(False), '{"type":"session","cancelOnDisconnect":false}'),
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
        (
            PrivateEvent("demo", 7, 841, "order:new", line(ORDER_NEW)),
            f'{{"event":"order_demo:new","sequence":889,"data":{line(ORDER_NEW)},"offset":841}}',
        ),
        (
            Snapshot("demo", 841, '{"orders":[],"positions":[],"balances":{"BTC":"10.00000000"}}'),
            '{"event":"snapshot_demo","sequence":889,"offset":841,'
            '"data":{"orders":[],"positions":[],"balances":{"BTC":"10.00000000"}}}',
        ),
    ],
    ids=["quote", "candle", "heartbeat", "heartbeat with offsets", "status", "order", "snapshot"],
)
def test_an_event_is_written_with_its_readers_sequence(news, text):
    event = EVENT_STREAM.encode(news, CATALOGUE)
    assert isinstance(event, Numbered)
    for sequence in (1, 889, 10**9):
        assert event.frame(sequence) == text_frame(text.replace("889", str(sequence)).encode())


@pytest.mark.parametrize(
    ("name", "live", "demo"),
    [
        ("order:new", "order:new", "order_demo:new"),
        ("position:close", "position:close", "position_demo:close"),
        ("balance", "balance", "balance_demo"),
    ],
)
def test_demo_events_have_their_suffix_before_the_colon(name, live, demo):
    for environment, spelled in (("live", live), ("demo", demo)):
        event = EVENT_STREAM.encode(PrivateEvent(environment, 7, 1, name, "{}"), CATALOGUE)  # type: ignore[arg-type]  # the two
        assert isinstance(event, Numbered)
        (text,) = payloads(event.frame(1))
        assert text == f'{{"event":"{spelled}","sequence":1,"data":{{}},"offset":1}}'


@pytest.mark.parametrize("identifier", ["a", 'quo"te', "ünïcode", 0, -7, 2**63])
def test_a_results_id_is_escaped_like_any_other(identifier):
    text = EVENT_STREAM.reply(Result("{}"), identifier).decode()
    assert text.startswith('{"type":"result","data":{},"id":')
    assert json.loads(text)["id"] == identifier
