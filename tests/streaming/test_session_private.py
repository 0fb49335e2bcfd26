"""The session's private side: where logs go on, what is said of them, and orders over the socket."""

import pytest

from accounts.errors import Code, Refused
from engine.values import AccountId
from streaming import effects
from streaming.messages import Heartbeat, Resume, Standing, Trade
from tests.streaming.books import DEMO, EPOCH, LIVE
from tests.streaming.sessions import EVENTS, NOW_MS, PAGE, Client, auth, event_client, identity, subscribe, tick_client

EUR = "trading:quotes:EUR-USD"
TRADE = {"type": "trade", "id": 1, "action": "new", "demo": True, "params": {"product": "EUR-USD"}}
CUT = {"type": "session", "cancelOnDisconnect": True}


def reader(*channels, **options):
    """Return an authenticated client, subscribed to these channels."""
    client = Client(EVENTS, known={"k1": identity(**options)})
    assert client.say(subscribe(*channels, auth=auth()))[0]["type"] == "subscribed"
    client.effects.clear()
    return client


def authenticated(*scopes, **options):
    client = Client(EVENTS, known={"k1": identity(*scopes, **options)})
    client.say(subscribe(auth=auth()))
    return client


# ---- subscribing to logs


def test_the_answer_says_where_each_log_stands():
    client = Client(EVENTS, known={"k1": identity()})
    assert client.ask(subscribe("trading:orders_demo", "trading:balances", EUR, auth=auth(), id=3)) == {
        "type": "subscribed",
        "channels": ["trading:orders_demo", "trading:balances", EUR],
        "accounts": {"live": {"epoch": EPOCH, "offset": 840}, "demo": {"epoch": EPOCH, "offset": 840}},
        "id": 3,
    }


def test_an_answer_about_public_channels_says_nothing_of_accounts():
    client = reader("trading:orders_demo")
    assert client.ask(subscribe(EUR)) == {"type": "subscribed", "channels": ["trading:orders_demo", EUR]}
    assert not client.performed(effects.OpenLogs)


def test_the_answer_comes_before_the_log_and_the_logs_before_the_last_known():
    client = Client(EVENTS, known={"k1": identity()})
    client.say(subscribe("trading:orders_demo", "trading:balances_demo", EUR, auth=auth()))
    assert [type(effect).__name__ for effect in client.effects] == [
        "TakeSubscribe", "VerifySignature", "OpenLogs", "Join", "Join", "Send", "Follow", "Watch", "Prime",
        "PrimeStatus", "Ready",
    ]  # fmt: skip
    assert client.followed == {DEMO: {"orders", "balances"}}


def test_a_channel_that_is_held_may_be_named_again_and_others_added():
    client = reader("trading:orders_demo")
    answer = client.ask(subscribe("trading:orders_demo", "trading:positions_demo"))
    assert answer["accounts"] == {"demo": {"epoch": EPOCH, "offset": 840}}
    assert client.followed == {DEMO: {"orders", "positions"}}


def test_leaving_channels_leaves_their_events_before_the_answer_and_the_log_with_the_last():
    client = reader("trading:orders_demo", "trading:balances_demo", "trading:orders")
    client.say({"type": "unsubscribe", "channels": ["trading:orders_demo", "trading:positions_demo"]})
    assert [type(effect).__name__ for effect in client.effects] == ["TakeSubscribe", "Follow", "Send"]
    assert client.followed == {DEMO: {"balances"}, LIVE: {"orders"}}
    client.say({"type": "unsubscribe"})
    assert client.followed == {}


def test_a_log_that_cannot_be_read_refuses_the_whole_message_and_costs_nothing():
    client = Client(EVENTS, known={"k1": identity()})
    client.standing = Refused(Code.UNAVAILABLE)
    assert client.ask(subscribe(EUR, "trading:orders", auth=auth()))["code"] == "unavailable"
    assert (client.session.channels, client.session.identity, client.spent) == ({}, None, 0)
    client.standing = None
    assert client.ask(subscribe(EUR, "trading:orders", auth=auth()))["type"] == "subscribed"


def test_a_page_follows_the_accounts_of_who_is_logged_in():
    page = Client(PAGE, who=identity(session="browser", user_id=9))
    page.say(subscribe("trading:orders_demo", "heartbeat"))
    assert page.followed == {AccountId("demo", 9): {"orders"}}
    assert page.watched == (AccountId("live", 9), AccountId("demo", 9))


# ---- going on


def test_a_resume_goes_to_the_log_and_its_outcome_into_the_answer():
    client = Client(EVENTS, known={"k1": identity()})
    client.standing = Standing(EPOCH, 840, recovered=True)
    message = subscribe("trading:orders_demo", auth=auth(), resume={"demo": {"epoch": EPOCH, "offset": 812}})
    assert client.ask(message)["accounts"] == {"demo": {"epoch": EPOCH, "offset": 840, "recovered": True}}
    assert client.performed(effects.OpenLogs) == [effects.OpenLogs({DEMO: Resume(EPOCH, 812)}, False)]


def test_what_is_not_recovered_is_said():
    client = reader()
    client.standing = Standing(EPOCH, 840, recovered=False)
    answer = client.ask(subscribe("trading:orders", resume={"live": {"epoch": "x", "offset": 1}}))
    assert answer["accounts"] == {"live": {"epoch": EPOCH, "offset": 840, "recovered": False}}


def test_one_account_may_go_on_while_the_other_begins():
    client = reader()
    client.say(subscribe("trading:orders", "trading:orders_demo", resume={"demo": {"epoch": EPOCH, "offset": 0}}))
    (opened,) = client.performed(effects.OpenLogs)
    assert opened.wishes == {LIVE: None, DEMO: Resume(EPOCH, 0)}


def test_a_snapshot_is_asked_for():
    client = reader("trading:orders")
    client.say(subscribe("trading:orders", snapshot=True))
    assert client.performed(effects.OpenLogs) == [effects.OpenLogs({LIVE: None}, True)]


def test_an_account_of_which_channels_are_held_cannot_go_on_from_elsewhere():
    client = reader("trading:orders_demo")
    message = subscribe("trading:positions_demo", resume={"demo": {"epoch": EPOCH, "offset": 1}})
    assert client.ask(message)["code"] == "invalid_message"
    assert not client.performed(effects.OpenLogs)
    assert client.followed == {DEMO: {"orders"}}
    client.say({"type": "unsubscribe"})
    assert client.ask(message)["type"] == "subscribed"


# ---- heartbeats


def test_heartbeats_say_how_far_the_logs_are_to_who_is_authenticated():
    stranger, client = event_client(EUR), reader("heartbeat")
    assert stranger.wait(5) == [Heartbeat(NOW_MS + 5_000)]
    assert client.wait(5) == [Heartbeat(NOW_MS + 5_000, {"live": 840, "demo": 840})]


def test_they_say_it_of_the_environments_that_the_key_has():
    client = reader("heartbeat", environments=["demo"])
    assert client.wait(5) == [Heartbeat(NOW_MS + 5_000, {"demo": 840})]


def test_logs_are_watched_as_soon_as_there_are_heartbeats_and_somebody_to_tell():
    client = Client(EVENTS, known={"k1": identity()})
    client.say(subscribe(auth=auth()))
    assert client.watched == ()
    client.say(subscribe(EUR))
    assert client.watched == (LIVE, DEMO)
    late = event_client(EUR)
    late.say(subscribe(auth=auth()))
    assert late.watched == (LIVE, DEMO)
    late.say(subscribe("heartbeat"))
    assert len(late.performed(effects.Watch)) == 1


def test_the_tick_stream_watches_nothing():
    client = tick_client()
    client.say({"type": "subscribe", "symbol": "EURUSD"})
    assert client.watched == ()


# ---- trades


def test_a_trade_is_started_and_not_waited_for():
    client = authenticated("trade")
    assert client.say(TRADE) == []
    assert client.performed(effects.StartTrade) == [
        effects.StartTrade(client.session.identity, Trade("new", "demo", {"product": "EUR-USD"}), 1)
    ]


@pytest.mark.parametrize(
    ("client", "message", "code"),
    [
        (Client(EVENTS), TRADE, "authentication_required"),
        (authenticated("market", "read", "feed"), TRADE, "scope_denied"),
        (authenticated("trade", environments=["live"]), TRADE, "environment_denied"),
        (authenticated("trade", environments=["demo"]), {**TRADE, "demo": False}, "environment_denied"),
        (tick_client("market", "trade"), TRADE, "unknown_type"),
        (Client(EVENTS), CUT, "authentication_required"),
        (authenticated("market", "read", "feed"), CUT, "scope_denied"),
        (tick_client("market", "trade"), CUT, "unknown_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_trading_needs_its_scope_and_environment(client, message, code):
    error = client.ask({**message, "id": "x"})
    assert (error["type"], error["code"], error["id"]) == ("error", code, "x")
    assert not client.performed(effects.StartTrade)
    assert not client.performed(effects.CancelOnDisconnect)


def test_a_key_that_may_only_trade_need_not_read():
    client = authenticated("trade")
    assert client.say(TRADE) == []
    assert client.ask(subscribe("trading:orders"))["code"] == "scope_denied"


def test_too_many_trades_at_once_are_refused_with_the_time_to_come_again():
    client = authenticated("trade")
    client.trades_full = True
    assert client.ask(TRADE) == {
        "type": "error", "message": "Too many requests", "code": "rate_limited", "retryAfterMs": 100, "id": 1,
    }  # fmt: skip


def test_a_page_may_trade():
    page = Client(PAGE, who=identity("trade", session="browser"))
    assert page.say(TRADE) == []
    assert page.performed(effects.StartTrade)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_becomes_of_orders_when_the_connection_is_cut_is_said_and_confirmed(wanted):
    client = authenticated("trade")
    client.cancels = not wanted
    assert client.ask({"type": "session", "cancelOnDisconnect": wanted, "id": 5}) == {
        "type": "session", "cancelOnDisconnect": wanted, "id": 5,
    }  # fmt: skip
    assert client.cancels is wanted
