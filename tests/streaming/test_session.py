"""The session: handshake, deadlines, who may what, and what a message that is refused must not change."""

import pytest

from accounts.errors import AUTH_TIMEOUT
from engine.values import Product
from streaming import effects, topics
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.messages import Channel, Heartbeat
from streaming.session import MAX_SUBSCRIPTIONS
from tests.streaming.nodes import FixedCatalogue
from tests.streaming.sessions import (
    AUTH_WINDOW_S,
    BOTH,
    EVENTS,
    NOW_MS,
    PAGE,
    TICKS,
    Client,
    auth,
    event_client,
    identity,
    replies,
    subscribe,
    symbols,
    tick_client,
)

AUTH = {"type": "auth", "apiKey": "secret"}
EUR = "trading:quotes:EUR-USD"
GBP = "trading:quotes:GBP-USD"


def heartbeats(heard):
    return [news for news in heard if isinstance(news, Heartbeat)]


# ---- before authentication


@pytest.mark.parametrize("endpoint", [BOTH, TICKS], ids=["bare", "ticks"])
def test_a_greeting_says_how_long_the_auth_window_is(endpoint):
    (welcome,) = Client(endpoint).open()
    assert list(welcome) == ["type", "message", "authWindow", "serverTime"]
    assert (welcome["type"], welcome["authWindow"], welcome["serverTime"]) == ("welcome", 30, NOW_MS)


@pytest.mark.parametrize("endpoint", [EVENTS, PAGE], ids=["events", "app"])
def test_the_event_streams_own_addresses_do_not_greet(endpoint):
    assert Client(endpoint).open() == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "list"},
        {"type": "unsubscribe"},
        {"type": "subscribe"},
        {"type": "dance"},
        {"type": 1},
        {"type": ["ping"]},
        {"symbol": "EURUSD"},
        {"type": "subscribe", "symbol": "EURUSD"},
        {"type": "subscribe", "symbol": "NOSUCH"},
        {"type": "subscribe", "symbols": 5},
        {"type": "publish", "ticks": []},
        {"type": "step"},
        {},
    ],
    ids=str,
)
def test_the_tick_stream_answers_with_the_documents_words_before_authentication(message):
    client = Client(TICKS)
    words = {"type": "error", "message": "Authentication required", "code": "authentication_required", "id": 5}
    assert client.ask({**message, "id": 5}) == words


def test_a_ping_is_answered_at_any_time():
    for endpoint in (BOTH, TICKS, EVENTS):
        assert Client(endpoint).ask({"type": "ping", "id": "p"}) == {"type": "pong", "time": NOW_MS, "id": "p"}
    assert tick_client().ask({"type": "ping"}) == {"type": "pong", "time": NOW_MS}


@pytest.mark.parametrize("endpoint", [BOTH, TICKS, EVENTS], ids=["bare", "ticks", "events"])
def test_the_auth_window_ends_with_an_error_and_a_close_whatever_is_said_meanwhile(endpoint):
    client = Client(endpoint)
    for message in ({"type": "ping"}, {"type": "list"}, "nonsense", subscribe("heartbeat"), subscribe("nosuch")):
        client.say(message)
        assert replies(client.wait(5)) == []
        assert client.closed is None
    (error,) = replies(client.wait(5))
    assert (error["type"], error["code"]) == ("error", "auth_timeout")
    assert client.closed == AUTH_TIMEOUT
    assert client.session.deadline_s is None


def test_an_accepted_auth_or_public_subscribe_ends_the_window():
    late = Client(TICKS, known={"secret": identity()})
    late.wait(AUTH_WINDOW_S - 0.001)
    assert late.ask(AUTH) == {"type": "auth", "success": True, "message": "Authenticated successfully"}
    public = event_client(EUR)
    signed = Client(EVENTS, known={"k1": identity()})
    assert signed.ask(subscribe(auth=auth())) == {"type": "subscribed", "channels": []}
    for client in (late, public, signed):
        client.wait(10 * AUTH_WINDOW_S)
        assert client.closed is None


# ---- the bare address


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "list"}, "authentication_required"),
        ({"type": "unsubscribe"}, "dialect_undecided"),
        ({"type": "dance"}, "dialect_undecided"),
        ({}, "dialect_undecided"),
        ({"type": "auth"}, "dialect_undecided"),
        ({"type": "subscribe", "symbol": "EURUSD", "channels": [EUR]}, "dialect_undecided"),
        ({"type": "auth", "apiKey": "secret", "channels": []}, "dialect_undecided"),
        ('{"type":"subscribe","channels":[}', "invalid_json"),
        ('{"type":"subscribe","channels":[],"x":NaN}', "invalid_number"),
        ({"type": "subscribe", "channels": [], "id": {}}, "invalid_message"),
    ],
    ids=str,
)
def test_what_does_not_tell_leaves_it_undecided(message, code):
    for telling, type_of_answer in ((AUTH, "auth"), (subscribe(EUR), "subscribed")):
        client = Client(BOTH, known={"secret": identity()})
        error = client.ask(message)
        assert (error["type"], error["code"]) == ("error", code)
        assert client.session.dialect is None
        assert client.ask(telling)["type"] == type_of_answer


@pytest.mark.parametrize(
    ("message", "dialect"),
    [
        (AUTH, TICK_STREAM),
        ({"type": "subscribe", "symbol": "EURUSD"}, TICK_STREAM),
        (symbols("EURUSD"), TICK_STREAM),
        (subscribe("nosuch"), EVENT_STREAM),
        ({"type": "unsubscribe", "channels": []}, EVENT_STREAM),
    ],
    ids=lambda value: getattr(value, "name", None) or str(value),
)
def test_the_first_telling_message_decides_for_life(message, dialect):
    client = Client(BOTH)
    client.say(message)
    assert client.session.dialect is dialect
    other = AUTH if dialect is EVENT_STREAM else subscribe(EUR)
    assert client.ask(other)["type"] == "error"
    assert client.session.dialect is dialect


# ---- subscribing


def test_the_answer_comes_before_the_last_known_of_each_and_then_their_state():
    client = Client(EVENTS)
    client.say(subscribe(EUR, "trading:candles:BTC-USD:15"))
    assert [type(effect).__name__ for effect in client.effects] == [
        "TakeSubscribe", *["Join"] * 4, "Send", "Prime", "Prime", "PrimeStatus", "PrimeStatus", "Ready",
    ]  # fmt: skip
    assert client.performed(effects.Prime) == [
        effects.Prime(Channel("quotes", "EUR-USD")),
        effects.Prime(Channel("candles", "BTC-USD", "15")),
    ]
    assert client.joined == {
        topics.quotes("EUR-USD"): 0,
        topics.status("EUR-USD"): 0,
        topics.candles("BTC-USD", "15"): 0,
        topics.status("BTC-USD"): 0,
    }


def test_subscribing_twice_adds_nothing():
    client = tick_client()
    client.say(symbols("EURUSD"))
    client.effects.clear()
    assert client.ask(symbols("eur-usd", "EURUSD")) == {
        "type": "subscribed", "symbols": ["EURUSD"], "totalSubscriptions": 1,
    }  # fmt: skip
    assert [type(effect) for effect in client.effects] == [effects.Send]


def test_another_interval_replaces_the_one_before_and_the_last_tick_comes_again():
    client = tick_client()
    client.say(symbols("EURUSD"))
    for interval in (250, 1000, 0):
        client.effects.clear()
        assert client.ask(symbols("EURUSD", interval=interval))["totalSubscriptions"] == 1
        assert client.joined == {topics.quotes("EUR-USD"): interval, topics.status("EUR-USD"): 0}
        assert client.performed(effects.Prime) == [effects.Prime(Channel("quotes", "EUR-USD"))]
        assert not client.performed(effects.PrimeStatus)


@pytest.mark.parametrize(("subscribed", "left"), [(EUR, f"{EUR}@250ms"), (f"{EUR}@250ms", EUR)])
def test_a_channel_is_left_by_its_name_with_or_without_an_interval(subscribed, left):
    client = event_client(subscribed, "heartbeat")
    assert client.ask({"type": "unsubscribe", "channels": [left]})["channels"] == ["heartbeat"]
    assert client.joined == {}


def test_a_channel_has_one_interval():
    client = event_client(EUR, f"{EUR}@250ms")
    assert client.ask(subscribe()) == {"type": "subscribed", "channels": [f"{EUR}@250ms"]}
    assert client.ask(subscribe(f"{EUR}@1000ms", GBP))["channels"] == [f"{EUR}@1000ms", GBP]
    assert client.joined[topics.quotes("EUR-USD")] == 1000


def test_a_products_state_stays_until_its_last_channel_is_left():
    client = event_client(EUR, "trading:candles:EUR-USD:1")
    client.say({"type": "unsubscribe", "channels": [EUR]})
    assert client.joined == {topics.candles("EUR-USD", "1"): 0, topics.status("EUR-USD"): 0}
    client.say({"type": "unsubscribe"})
    assert client.joined == {}


def test_leaving_what_was_never_joined_is_no_error():
    assert tick_client().ask({"type": "unsubscribe", "symbol": "EURUSD"}) == {
        "type": "unsubscribed", "symbols": ["EURUSD"], "totalSubscriptions": 0,
    }  # fmt: skip
    assert event_client(EUR).ask({"type": "unsubscribe", "channels": []})["channels"] == [EUR]


def test_without_names_everything_is_left():
    ticks = tick_client()
    ticks.say(symbols("EURUSD", "GBPUSD"))
    assert ticks.ask({"type": "unsubscribe"}) == {
        "type": "unsubscribed", "symbols": ["EURUSD", "GBPUSD"], "totalSubscriptions": 0,
    }  # fmt: skip
    assert event_client(EUR, "heartbeat").ask({"type": "unsubscribe"}) == {"type": "unsubscribed", "channels": []}


@pytest.mark.parametrize("field", ["symbol", "symbols", "channels"])
def test_a_name_that_is_null_does_not_leave_everything(field):
    client = event_client(EUR) if field == "channels" else tick_client()
    client.say(symbols("EURUSD"))
    before = dict(client.session.channels)
    assert client.ask({"type": "unsubscribe", field: None})["code"] == "invalid_message"
    assert client.session.channels == before != {}


def test_the_first_market_subscription_is_told_once():
    client = event_client("heartbeat")
    assert not client.performed(effects.Ready)
    for _ in range(2):
        client.say(subscribe(EUR))
    client.say(subscribe(GBP))
    assert len(client.performed(effects.Ready)) == 1


def test_a_connection_has_a_bound_of_subscriptions():
    resolutions = ("1", "5", "15", "60", "240", "1D")
    names = [f"P{number:04d}-USD" for number in range(MAX_SUBSCRIPTIONS // 6 + 1)]
    client = Client(EVENTS, catalogue=FixedCatalogue({name: Product(name, name, 5) for name in names}))
    channels = [f"trading:candles:{name}:{resolution}" for name in names for resolution in resolutions]
    for start in range(0, MAX_SUBSCRIPTIONS, 2_000):
        client.say(subscribe(*channels[start : start + 2_000]))
    assert len(client.session.channels) == MAX_SUBSCRIPTIONS
    assert client.ask(subscribe(channels[0]))["type"] == "subscribed"
    assert client.ask(subscribe(channels[MAX_SUBSCRIPTIONS]))["code"] == "too_many_subscriptions"
    assert len(client.session.channels) == MAX_SUBSCRIPTIONS


# ---- the address's budget


def test_the_limit_comes_before_the_signature_and_a_refused_message_costs_nothing():
    client = Client(EVENTS, known={"k1": identity()})
    client.limited = True
    refused = client.ask(subscribe(EUR, auth=auth(), id=3))
    assert refused == {
        "type": "error", "message": "Too many requests", "code": "rate_limited", "retryAfterMs": 4_000, "id": 3,
    }  # fmt: skip
    assert not client.performed(effects.VerifySignature)
    client.limited = False
    for message in (subscribe("nosuch"), subscribe("trading:orders"), subscribe(auth=auth("k9")), {"type": "nosuch"}):
        assert client.ask(message)["type"] == "error"
        assert client.spent == 0
    client.say(subscribe(EUR))
    client.say({"type": "unsubscribe"})
    client.say({"type": "ping"})
    assert client.spent == 2


def test_the_tick_stream_has_no_such_budget():
    client = tick_client()
    client.limited = True
    assert client.say(symbols("EURUSD"))[0]["type"] == "subscribed"


# ---- heartbeats


@pytest.mark.parametrize("channel", [EUR, "heartbeat"])
def test_heartbeats_come_every_five_seconds_from_the_first_subscription_on(channel):
    client = Client(EVENTS)
    client.say(subscribe(GBP + "x"))
    assert heartbeats(client.wait(7)) == []
    client.say(subscribe(channel))
    assert heartbeats(client.wait(4.9)) == []
    started_ms = client.wall_ms - 4_900
    assert [news.time_ms - started_ms for news in heartbeats(client.wait(11))] == pytest.approx(
        [5_000, 10_000, 15_000], abs=5
    )


def test_a_later_subscription_does_not_move_them_and_leaving_does_not_end_them():
    client = event_client(EUR)
    client.wait(3)
    client.say(subscribe(GBP))
    client.say({"type": "unsubscribe"})
    assert len(heartbeats(client.wait(2.1))) == 1
    assert len(heartbeats(client.wait(5))) == 1


def test_an_authentication_alone_starts_none():
    client = Client(EVENTS, known={"k1": identity()})
    client.say(subscribe(auth=auth()))
    assert client.session.deadline_s is None


def test_the_tick_stream_has_none():
    client = tick_client()
    client.say(symbols("EURUSD"))
    assert client.session.deadline_s is None


def test_a_late_timer_makes_the_next_heartbeat_no_later_and_repeats_none():
    client = event_client(EUR)
    planned_s = client.session.deadline_s
    client.now_s = planned_s + 12.5
    assert len(list(client.session.due(client.now_s))) == 1
    assert client.session.deadline_s == planned_s + 15


# ---- ids


def test_every_answer_echoes_the_id_last():
    client = event_client()
    for message in (
        subscribe(EUR),
        subscribe("nosuch"),
        {"type": "unsubscribe"},
        {"type": "ping"},
        {"type": "step"},
        {"type": "dance"},
        {},
        {"type": "subscribe", "channels": 5},
    ):
        for name in ("a" * 64, "", 0, -7, 2**63):
            answer = client.say({**message, "id": name})[0]
            assert list(answer)[-1] == "id"
            assert answer["id"] == name


@pytest.mark.parametrize("text", ['{"type":"ping","x":NaN,"id":9}', '{"type":"ping","type":"ping","id":9}'])
def test_a_message_that_cannot_be_read_is_answered_with_the_id_that_can(text):
    assert event_client().ask(text)["id"] == 9


@pytest.mark.parametrize("name", [True, 1.5, {}, [], "a" * 65], ids=str)
def test_an_id_is_a_short_string_or_an_integer(name):
    error = event_client().ask({"type": "ping", "id": name})
    assert error["code"] == "invalid_message"
    assert "id" not in error


def test_an_id_that_is_null_is_none():
    assert event_client().ask({"type": "ping", "id": None}) == {"type": "pong", "time": NOW_MS}
