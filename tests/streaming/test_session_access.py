"""The session's access: who a connection proves to be, what that opens, and when it ends."""

import pytest

from accounts.errors import ACCESS_REVOKED, AUTH_FAILED, TOO_MANY_CONNECTIONS, Code, Refused
from engine.values import AccountId
from streaming import effects
from streaming.messages import Signature
from streaming.session import EXPIRY_CHECK_S, MAX_AUTH_FAILURES
from tests.streaming.sessions import (
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


# ---- authentication in the tick stream


def test_authenticating_twice_is_an_error_and_the_connection_stays():
    client = tick_client()
    assert client.ask(AUTH)["code"] == "already_authenticated"
    assert client.ask({"type": "list"})["type"] == "subscriptions"
    assert len(client.performed(effects.VerifyToken)) == 1


def test_the_third_failure_closes():
    client = Client(TICKS, known={"old": Refused(Code.KEY_EXPIRED), "trader": identity("trade")})
    tokens = ("unknown", "old", "trader")
    assert len(tokens) == MAX_AUTH_FAILURES
    codes = [client.ask({"type": "auth", "apiKey": token})["code"] for token in tokens]
    assert codes == ["invalid_key", "key_expired", "scope_denied"]
    assert client.closed == AUTH_FAILED


def test_two_failures_and_a_success_do_not_close():
    client = Client(TICKS, known={"secret": identity()})
    for _ in range(2):
        client.ask({"type": "auth", "apiKey": "wrong"})
    assert client.ask(AUTH)["success"] is True
    assert client.ask(AUTH)["code"] == "already_authenticated"
    assert client.closed is None


def test_no_answer_to_be_had_is_no_failure_of_the_key():
    client = Client(TICKS, known={"secret": Refused(Code.UNAVAILABLE)})
    for _ in range(2 * MAX_AUTH_FAILURES):
        assert client.ask(AUTH)["code"] == "unavailable"
    assert client.closed is None


def test_a_key_with_too_many_connections_closes_this_one():
    client = Client(TICKS, known={"secret": Refused(Code.TOO_MANY_CONNECTIONS)})
    assert client.ask(AUTH)["code"] == "too_many_connections"
    assert client.closed == TOO_MANY_CONNECTIONS


def test_a_publisher_need_not_be_a_reader():
    client = tick_client("feed")
    client.refused_ticks = [(1, Code.CROSSED)]
    ticks = [["EURUSD", 1.1, "1.2", NOW_MS], ["EURUSD", 2, 1, NOW_MS]]
    assert client.ask({"type": "publish", "ticks": ticks}) == {
        "type": "published", "accepted": 1, "refused": [{"index": 1, "code": "crossed"}],
    }  # fmt: skip
    assert client.performed(effects.SubmitTicks)[0].source == "key:k1"
    assert client.ask(symbols("EURUSD"))["code"] == "scope_denied"


def test_publishing_needs_its_scope():
    publish = {"type": "publish", "ticks": []}
    assert tick_client().ask(publish)["code"] == "scope_denied"
    assert event_client().ask(publish)["code"] == "authentication_required"


def test_a_step_is_passed_on():
    client = event_client(EUR)
    assert client.ask({"type": "step"}) == {"type": "stepped"}
    assert client.performed(effects.StepReplay)


# ---- authentication in the event stream


def test_auth_may_come_with_a_later_subscribe():
    client = Client(EVENTS, known={"k1": identity()})
    client.say(subscribe(EUR))
    assert client.ask(subscribe("trading:positions"))["code"] == "authentication_required"
    reply = client.ask(subscribe("trading:positions", "trading:balances_demo", auth=auth()))
    assert reply["channels"] == [EUR, "trading:positions", "trading:balances_demo"]
    assert client.followed == {AccountId("live", 7): {"positions"}, AccountId("demo", 7): {"balances"}}
    assert client.ask(subscribe("trading:orders"))["type"] == "subscribed"
    assert client.performed(effects.VerifySignature) == [effects.VerifySignature(Signature("k1", "s1", NOW_MS))]


def test_the_same_auth_again_is_a_no_op_and_another_keys_is_refused():
    client = Client(EVENTS, known={"k1": identity(), "k2": identity(key_id="k2")})
    for _ in range(2):
        assert client.ask(subscribe(auth=auth()))["type"] == "subscribed"
    assert len(client.performed(effects.VerifySignature)) == 1
    assert client.ask(subscribe(auth=auth("k2", "s2")))["code"] == "already_authenticated"
    assert client.session.identity == identity()


def test_an_auth_whose_message_was_refused_is_not_used_up():
    client = Client(EVENTS, known={"k1": identity(environments=["demo"])})
    assert client.ask(subscribe(EUR, "trading:positions", auth=auth()))["code"] == "environment_denied"
    assert client.session.identity is None
    # Its signature can be verified once only.
    client.known.clear()
    assert client.ask(subscribe("trading:positions_demo", auth=auth()))["type"] == "subscribed"


def test_whoever_has_proven_a_key_can_be_found_by_it():
    client = Client(EVENTS, known={"k1": identity(environments=["demo"])})
    assert client.session.proven is None
    client.say(subscribe("trading:positions", auth=auth()))
    assert client.session.proven == client.known["k1"]
    assert tick_client().session.proven == identity()


@pytest.mark.parametrize(
    ("who", "channel", "code"),
    [
        (identity("market"), "trading:orders", "scope_denied"),
        (identity(environments=["demo"]), "trading:orders", "environment_denied"),
        (identity(environments=["live"]), "trading:orders_demo", "environment_denied"),
    ],
)
def test_a_private_channel_needs_scope_and_environment(who, channel, code):
    client = Client(EVENTS, known={"k1": who})
    assert client.ask(subscribe(channel, auth=auth()))["code"] == code
    assert client.session.channels == client.joined == client.followed == {}


def test_the_third_wrong_signature_closes():
    client = Client(EVENTS)
    for number in range(3):
        assert client.ask(subscribe(EUR, auth=auth(sig=str(number))))["code"] == "invalid_signature"
    assert client.closed == AUTH_FAILED


def test_a_page_has_its_identity_from_the_start_and_ignores_keys():
    page = Client(PAGE, who=identity(session="browser"))
    assert page.session.deadline_s is None
    assert page.ask(subscribe("trading:positions", auth=auth("nobody's")))["type"] == "subscribed"
    assert not page.performed(effects.VerifySignature)


# ---- a key that expires


@pytest.mark.parametrize("kind", ["tick", "event", "page", "proven only"])
def test_a_connection_ends_when_its_access_expires(kind):
    options = {"expires_ms": NOW_MS + 90_000}
    match kind:
        case "tick":
            client = tick_client(**options)
        case "event":
            client = event_client(EUR, **options)
        case "page":
            client = Client(PAGE, who=identity(session="browser", **options))
        case _:
            client = event_client(EUR)
            client.known["k1"] = identity("trade", **options)
            client.say(subscribe("trading:orders", auth=auth()))
    client.wait(89.9)
    assert client.closed is None
    (error,) = replies(client.wait(0.2))
    assert error["code"] == "key_expired"
    assert client.closed == ACCESS_REVOKED
    assert client.session.deadline_s is None


def test_a_wall_clock_that_is_set_forward_ends_access_within_a_minute():
    client = tick_client(expires_ms=NOW_MS + 86_400_000)
    client.wall_ms += 86_400_000
    client.wait(EXPIRY_CHECK_S)
    assert client.closed == ACCESS_REVOKED


def test_a_wall_clock_that_is_set_back_prolongs_it():
    client = tick_client(expires_ms=NOW_MS + 10_000)
    client.wall_ms -= 60_000
    client.wait(69)
    assert client.closed is None
    client.wait(1)
    assert client.closed == ACCESS_REVOKED
