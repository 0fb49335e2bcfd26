"""Who may do what: every route, every channel, every kind of identity; and what may never happen, whoever calls.

The routes are generated from Django's own table, the channels from the streams' vocabulary, so a new one without a line
here fails.
"""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.errors import ERRORS, Code
from accounts.identity import VIEW_OVERVIEW
from accounts.models import User
from accounts.services import api_key_create
from engine.commands import OpenAccount
from engine.values import AccountId
from market import live as market_live
from market.models import Product
from streaming.channels import ENVIRONMENTS
from streaming.dialects.event_stream import channel_name
from streaming.messages import ACTIONS, Channel, Kind, Request
from streaming.routing import ENDPOINTS
from tests.market.products import given_products
from tests.streaming.sessions import EVENTS, PAGE, identity, subscribe
from tests.streaming.sessions import Client as Socket
from tests.trading.callers import DOCUMENT, JSON, PENDING, Browser
from tests.trading.engines import SmallEngine, given_quote
from trading import live
from trading.requests import NAMES

NOBODYS_ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"
STRANGER, BARRED, ELSEWHERE = "authentication_required", "scope_denied", "environment_denied"


# ---- who calls


KEYS: dict[str, dict[str, Any]] = {
    "market only": {"scopes": ["market"]},
    "read only": {"scopes": ["read"]},
    "trade only": {"scopes": ["trade"]},
    "feed only": {"scopes": ["feed"]},
    "demo only": {"scopes": ["market", "read", "trade", "feed"], "environments": ["demo"]},
    "live only": {"scopes": ["market", "read", "trade", "feed"], "environments": ["live"]},
}
KINDS = ("nobody", *KEYS, "browser")


def holds(kind, scope):
    if kind in ("browser", "staff"):
        return scope != "feed"
    return scope in KEYS.get(kind, {}).get("scopes", ())


def enters(kind, environment):
    return kind in ("browser", "staff") or environment in KEYS.get(kind, {}).get("environments", ENVIRONMENTS)


def refusal_of(kind, who, environment=""):
    """Return the code with which a kind of identity is refused what is for `who`: everybody, browsers, or a scope's."""
    if who == "everybody":
        return None
    if kind == "nobody":
        return STRANGER
    if who == "browser":
        return None if kind == "browser" else BARRED
    if who == "staff":
        return None if kind == "staff" else BARRED
    if not holds(kind, who):
        return BARRED
    return ELSEWHERE if environment and not enters(kind, environment) else None


# ---- what may be asked of a route


@dataclass(frozen=True)
class Line:
    """One method of a route: whom it is for, how it is called, and what somebody who may call it is answered with."""

    who: str
    path: str
    method: str = "get"
    body: dict[str, object] = field(default_factory=dict)
    status: int = 200

    def expected(self, kind, environment):
        """Return the status, and the code of a refusal, for a kind of identity."""
        refusal = refusal_of(kind, self.who, "" if self.who == "feed" else environment)
        return (ERRORS[Code(refusal)].http_status, refusal) if refusal else (self.status, None)


def line(who, path, method="get", status=200, **body):
    return Line(who, path, method, body, status)


TRADE = "/trading/trade"
ROUTES = {
    "^time/?$": [line("everybody", "/time")],
    "^trading/products/?$": [line("everybody", "/trading/products")],
    "^trading/products/(?P<product>[^/]+)/?$": [line("everybody", "/trading/products/EUR-USD")],
    "^trading/quotes/(?P<products>[^/]+)/?$": [line("everybody", "/trading/quotes/EUR-USD")],
    "^trading/candles/(?P<product>[^/]+)/(?P<resolution>[^/]+)/?$": [line("everybody", "/trading/candles/EUR-USD/1")],
    "^feed/ticks/?$": [line("feed", "/feed/ticks", "post", 503, ticks=[])],
    "^trading/trade/?$": [line("read", f"{TRADE}?id={NOBODYS_ID}", status=404)],
    "^trading/trade/new/?$": [line("trade", f"{TRADE}/new", "post", **DOCUMENT)],
    "^trading/trade/cancel/?$": [line("trade", f"{TRADE}/cancel", "post", 404, id=NOBODYS_ID)],
    "^trading/trade/update/?$": [line("trade", f"{TRADE}/update", "post", 404, id=NOBODYS_ID, margin="4")],
    "^trading/trade/close/?$": [line("trade", f"{TRADE}/close", "post", 404, id=NOBODYS_ID)],
    "^trading/trade/split/?$": [line("trade", f"{TRADE}/split", "post", 404, id=NOBODYS_ID, ratio="40:60")],
    "^trading/orders/?$": [line("read", "/trading/orders")],
    "^trading/positions/?$": [line("read", "/trading/positions")],
    "^trading/history/?$": [line("read", "/trading/history")],
    "^trading/history/(?P<product>[^/]+)/?$": [line("read", "/trading/history/EUR-USD")],
    "^trading/balances/?$": [line("read", "/trading/balances")],
    "^trading/balances/(?P<asset>[^/]+)/?$": [line("read", "/trading/balances/BTC")],
    "^trading/transactions/?$": [line("read", "/trading/transactions")],
    "^trading/transactions/(?P<type>[^/]+)/?$": [line("read", "/trading/transactions/deposit")],
    "^trading/events/?$": [line("read", "/trading/events")],
    "^trading/account/?$": [line("read", "/trading/account")],
    "^account/favourites/?$": [
        line("browser", "/account/favourites"),
        line("browser", "/account/favourites", "post", product="EUR-USD", favourite=True),
    ],
    "^account/demo/reset/?$": [line("browser", "/account/demo/reset", "post")],
    "^account/keys/?$": [line("browser", "/account/keys", "post", 201)],
    "^account/keys/(?P<key_id>[^/]+)/rotate/?$": [line("browser", f"/account/keys/{NOBODYS_ID}/rotate", "post", 404)],
    "^account/keys/(?P<key_id>[^/]+)/revoke/?$": [line("browser", f"/account/keys/{NOBODYS_ID}/revoke", "post", 404)],
}
"""The REST calls."""

PAGES = {
    "": "logged in",
    "connect": "logged in",
    "reference/<slug:name>": "everybody",
    "login": "everybody",
    "^login/code$": "whose password was right",
    "logout": "everybody",
    "^signup$": "everybody",
    "^password/reset$": "everybody",
    "^password/reset/sent$": "everybody",
    "^password/reset/done$": "everybody",
    "^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$": "everybody",
    "^email/(?P<key>[^/]+)$": "everybody",
    "^account/profile$": "logged in",
    "^account/email$": "logged in",
    "^account/again$": "logged in",
    "^account/again/code$": "proved again",
    "account/two-factor": "logged in",
    "^account/two-factor/app$": "proved again",
    "^account/two-factor/app/remove$": "proved again",
    "^account/two-factor/codes$": "proved again",
    "^account/two-factor/codes/new$": "proved again",
    "account/two-factor/codes.txt": "proved again",
    "account/sessions": "logged in",
    "account/sessions/end": "logged in",
    "account/sessions/<int:pk>/end": "logged in",
    "account/demo": "logged in",
    "keys/": "logged in",
    "keys/<int:pk>/rotate": "logged in",
    "keys/<int:pk>/revoke": "logged in",
    "api/schema": "everybody",
    "api/docs": "everybody",
    "livez": "everybody",
    "readyz": "everybody",
    "metrics": "token",
}
"""The pages outside the admin site; what they say in detail is in their own tests."""

AT_THE_DOOR = ("login", "^login/code$", "^signup$")
"""What leads on who is in already."""

ADMIN_FOR_EVERYBODY = ("admin/login/", "admin/logout/")


def routes(patterns, prefix=""):
    """Yield every pattern that a path can match, and what answers it."""
    for pattern in patterns:
        name = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, name)
        else:
            assert isinstance(pattern, URLPattern)
            yield name, pattern.callback


ALL_ROUTES = dict(routes(get_resolver().url_patterns))
ADMIN = sorted(name for name in ALL_ROUTES if name.startswith("admin/"))


def test_every_route_has_its_line():
    assert {name for name in ALL_ROUTES if name not in ADMIN} == set(ROUTES) | set(PAGES)


@pytest.mark.parametrize("route", ROUTES)
def test_every_method_of_a_route_has_its_line(route):
    view = ALL_ROUTES[route].cls
    methods = {method for method in view.http_method_names if hasattr(view, method)} - {"options"}
    assert methods == {line.method for line in ROUTES[route]}


# ---- the world in which they are called


@pytest.fixture
def engine(transactional_db, monkeypatch, settings):
    settings.REST_LIMIT_PER_S = settings.REST_IDENTITY_LIMIT_PER_S = 0
    market_live.board.clear()
    # No feed runs here, whatever a test before this one has put there.
    monkeypatch.setattr(market_live, "submit_ticks", market_live._no_feed)
    given_products()
    given_quote("1.26630", "1.26635")
    running = SmallEngine()
    monkeypatch.setattr(live, "submit", running.submit)
    yield running
    running.close()
    market_live.board.clear()


@pytest.fixture
def ann(engine):
    """Somebody whose two accounts have 100 BTC each."""
    return funded(engine, "ann")


@pytest.fixture
def bob(engine):
    return funded(engine, "bob")


def funded(engine, name):
    user = User.objects.create_user(name, password="correct horse battery")
    for account in accounts_of(user):
        engine.fund(account, "100")
    return user


def accounts_of(user):
    return [AccountId(environment, user.pk) for environment in ENVIRONMENTS]


def caller(user, kind):
    """Return a client and its headers."""
    if kind == "nobody":
        return Client(), {}
    if kind == "browser":
        browser = Browser(user)
        return browser, browser.proof
    _, secret = api_key_create(user=user, **KEYS[kind])
    return Client(), {"Authorization": f"Bearer {secret}"}


def called(client, headers, line, environment="live"):
    """Return status and code of a call."""
    joint = "&" if "?" in line.path else "?"
    path = f"{line.path}{joint}demo=true" if environment == "demo" else line.path
    if line.method == "get":
        response = client.get(path, headers=headers)
    else:
        response = client.post(path, json.dumps(line.body), content_type=JSON, headers=headers)
    answer = response.json()
    return response.status_code, answer.get("code") if isinstance(answer, dict) else None


# ---- the matrix


@pytest.mark.parametrize("kind", KINDS)
def test_each_call_is_for_those_it_is_for(engine, ann, kind):
    client, headers = caller(ann, kind)
    wrong = {}
    for route, lines in ROUTES.items():
        for line in lines:
            for environment in ENVIRONMENTS:
                status, code = called(client, headers, line, environment)
                expected = line.expected(kind, environment)
                if (status, code if status in (401, 403) else expected[1]) != expected:
                    wrong[route, line.method, environment] = (status, code)
    assert not wrong


@pytest.mark.parametrize("kind", ["nobody", "demo only", "browser"])
def test_the_admin_site_is_for_staff(engine, ann, kind):
    client, headers = caller(ann, kind)
    for route in ADMIN:
        if route not in ADMIN_FOR_EVERYBODY:
            response = client.get("/" + example(route), headers=headers)
            assert (response.status_code, response.headers.get("Location", "")[:13]) == (302, "/admin/login/"), route


@pytest.mark.parametrize("kind", ["nobody", "live only", "browser"])
def test_pages_are_for_browsers(engine, ann, kind):
    client, headers = caller(ann, kind)
    for route, who in PAGES.items():
        response = client.get("/" + example(route), headers=headers)
        if who in ("logged in", "proved again") and kind != "browser":
            assert response.headers["Location"].startswith("/login"), route
        elif who == "proved again":
            # Who has no second factor has none of what belongs to it.
            assert response.status_code == 404 or response.headers["Location"].startswith("/account/again"), route
        elif route in AT_THE_DOOR and kind == "browser":
            assert response.headers["Location"] == "/"
        elif who == "whose password was right":
            assert response.headers["Location"] == "/login"
        else:
            # The buttons of the key page take a POST; /metrics is there for those who have a token, where there is one;
            # no server has started here that could be ready, unless an earlier test's has.
            expected = {"metrics": (404,), "readyz": (200, 503)}.get(route, (200, 405))
            assert response.status_code in expected, route


def example(route):
    """Return a path that a pattern matches."""
    path = route.replace("(?P<url>.*)$", "nosuch").replace("<slug:name>", "errors")
    path = re.sub(r"\^?\(\?P<app_label>[^)]*\)", "trading", path)
    path = re.sub(r"\(\?P<\w+>[^)]*\)|<(?:(?:int|path|str):)?\w+>", "1", path)
    return path.removeprefix("^").removesuffix("$")


# ---- channels and messages of the event stream

CHANNELS = {
    "quotes": "everybody",
    "candles": "everybody",
    "heartbeat": "everybody",
    "orders": "read",
    "positions": "read",
    "balances": "read",
    "overview": "staff",
}
MESSAGES = {
    "Authenticate": "everybody",
    "Subscribe": "everybody",
    "Unsubscribe": "everybody",
    "ListSubscriptions": "everybody",
    "Ping": "everybody",
    "Step": "everybody",
    "Trade": "trade",
    "SetSession": "trade",
    "Publish": "feed",
}
"""A subscription's channels have their own lines; a replay steps for whoever drives it."""


def channels():
    for kind in get_args(Kind):
        if kind == "overview":
            yield Channel(kind)
        elif CHANNELS[kind] != "everybody":
            yield from (Channel(kind, environment=environment) for environment in ENVIRONMENTS)
        elif kind == "heartbeat":
            yield Channel(kind)
        else:
            yield Channel(kind, "EUR-USD", "1" if kind == "candles" else "")


def socket(kind):
    """Return a connection to the event stream of a kind of identity."""
    if kind == "nobody":
        return Socket(EVENTS)
    if kind in ("browser", "staff"):
        who = identity("market", "read", "trade", session="s1")
        return Socket(PAGE, who=replace(who, rights=frozenset({VIEW_OVERVIEW})) if kind == "staff" else who)
    rights = KEYS[kind]
    who = identity(*rights["scopes"], environments=rights.get("environments", ENVIRONMENTS))
    return Socket(EVENTS, who=who)


def test_every_channel_has_its_line():
    assert set(CHANNELS) == set(get_args(Kind))


def test_every_message_has_its_line():
    assert set(MESSAGES) == {message.__name__ for message in get_args(Request)}


@pytest.mark.parametrize("kind", [*KINDS, "staff"])
@pytest.mark.parametrize("channel", list(channels()), ids=lambda channel: channel_name(channel, 0))
def test_each_channel_is_for_those_it_is_for(kind, channel):
    connection = socket(kind)
    answer = connection.say(subscribe(channel_name(channel, 0)))[0]
    refusal = refusal_of(kind, CHANNELS[channel.kind], channel.environment)
    assert (answer["type"], answer.get("code")) == (("error", refusal) if refusal else ("subscribed", None))
    own = {AccountId(channel.environment, 7)} if channel.environment and not refusal else set()
    assert set(connection.followed) == own


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "environment", "message"),
    [
        ("Trade", "live", {"type": "trade", "action": "new", "params": {}}),
        ("Trade", "demo", {"type": "trade", "action": "new", "demo": True, "params": {}}),
        ("SetSession", "", {"type": "session", "cancelOnDisconnect": True}),
        ("Publish", "", {"type": "publish", "ticks": []}),
    ],
)
def test_each_message_is_for_those_it_is_for(kind, name, environment, message):
    refusal = refusal_of(kind, MESSAGES[name], environment)
    heard = [answer["code"] for answer in socket(kind).say(message) if answer["type"] == "error"]
    assert heard == ([refusal] if refusal else [])


def test_every_address_of_the_sockets_is_known():
    assert {address: endpoint.browser for address, endpoint in ENDPOINTS.items()} == {
        "": False, "ws/ticks": False, "ws/events": False, "ws/app": True,
    }  # fmt: skip


# ---- what never happens

TABLES = [model for app in ("trading", "market") for model in apps.get_app_config(app).get_models()]


def contents(**of):
    """Return all rows of all tables of trading and market; of an environment, only that one's."""
    found = {}
    for model in TABLES:
        names = {field.name for field in model._meta.get_fields()}
        if of.keys() <= names:
            found[model.__name__] = sorted(map(repr, model._default_manager.filter(**of).values_list()))
    return found


@pytest.mark.parametrize("action", ACTIONS)
def test_bad_input_of_every_field_is_a_coded_4xx_and_changes_nothing(engine, ann, action):
    client, headers = caller(ann, "demo only")
    pending, filled = (place(client, headers, body) for body in (PENDING, DOCUMENT))
    good = {
        "new": {**PENDING, "valid_until": 10**13, "take_profit": "1.3", "stop_loss": "1.2579"},
        "cancel": {"id": pending},
        "update": {
            "id": pending,
            "price": "1.25",
            "take_profit": "0",
            "stop_loss": "0",
            "leverage": "9",
            "margin": "4",
        },
        "close": {"id": filled},
        "split": {"id": filled, "ratio": "40:60"},
    }[action]
    before = contents()
    for name in NAMES[action]:
        for value in hostile(name):
            answers = [send(client, headers, action, {**good, name: value})]
            if isinstance(value, str):
                answers.append(send(client, headers, action, {}, {**good, name: value}))
            for status, code in answers:
                assert 400 <= status < 500, (name, value, status)
                assert code in set(Code), (name, value)
    assert contents() == before
    assert send(client, headers, action, good)[0] == 200


HOSTILE = [
    "",
    " ",
    "\0",
    "x" * 5_000,
    "NaN",
    "-1",
    "1e9",
    "\u0661",
    "9" * 40,
    [],
    {},
    ["1"],
    {"a": {}},
    True,
    -1,
    10**18,
]


def hostile(name):
    """Return values that this field may never have."""
    if name in ("price", "take_profit", "stop_loss"):
        return [*HOSTILE, "0.0000001"]
    return (
        HOSTILE
        if name != "client_order_id"
        else [value for value in HOSTILE if value not in ("NaN", "-1", "1e9", "9" * 40)]
    )


def place(client, headers, body):
    return client.post(f"{TRADE}/new?demo=true", json.dumps(body), content_type=JSON, headers=headers).json()["id"]


def send(client, headers, action, body, query=None):
    path = f"{TRADE}/{action}?{urlencode({'demo': 'true', **(query or {})})}"
    response = client.post(path, json.dumps(body), content_type=JSON, headers=headers)
    return response.status_code, response.json().get("code")


def test_what_is_anothers_is_not_found_and_stays_as_it_is(engine, ann, bob):
    theirs, their_headers = caller(bob, "demo only")
    pending, filled, ended = (place(theirs, their_headers, body) for body in (PENDING, DOCUMENT, DOCUMENT))
    send(theirs, their_headers, "close", {"id": ended})
    client, headers = caller(ann, "demo only")
    before = contents()
    for identifier in (pending, filled, ended):
        for action, more in [("cancel", {}), ("close", {}), ("update", {"margin": "4"}), ("split", {"ratio": "40:60"})]:
            assert send(client, headers, action, {"id": identifier, **more}) == (404, "not_found"), action
        assert called(client, headers, line("read", f"{TRADE}?id={identifier}"), "demo") == (404, "not_found")
    assert contents() == before
    for path in ("orders", "positions", "history", "transactions"):
        assert client.get(f"/trading/{path}?demo=true", headers=headers).json() in ([], deposits(engine))


def deposits(engine):
    return [{"asset": "BTC", "amount": "100.00000000", "type": "deposit", "timestamp": engine.now_ms}]


@pytest.mark.parametrize(("environment", "other"), [("demo", "live"), ("live", "demo")])
def test_demo_and_live_never_mix(engine, ann, environment, other):
    client, headers = caller(ann, "browser")
    before = contents(environment=other), served(client, headers, other)
    query = {"demo": "true" if environment == "demo" else "false"}
    pending, filled, halved = (
        traded(client, headers, "new", body, query)["id"] for body in (PENDING, DOCUMENT, DOCUMENT)
    )
    traded(client, headers, "update", {"id": filled, "take_profit": "1.3"}, query)
    traded(client, headers, "split", {"id": halved, "ratio": "40:60"}, query)
    for action, identifier in [("cancel", pending), ("close", filled)]:
        wrong = {"demo": "true" if other == "demo" else "false"}
        assert traded(client, headers, action, {"id": identifier}, wrong, status=404)["code"] == "not_found"
        traded(client, headers, action, {"id": identifier}, query)
    if environment == "demo":
        assert client.post("/account/demo/reset", headers=headers).json() == {"BTC": "10.00000000"}
    assert (contents(environment=other), served(client, headers, other)) == before


def traded(client, headers, action, body, query, status=200):
    response = client.post(
        f"{TRADE}/{action}?{urlencode(query)}", json.dumps(body), content_type=JSON, headers=headers
    )  # fmt: skip
    assert response.status_code == status, response.content
    return response.json()


def served(client, headers, environment):
    """Return all that REST tells of an account."""
    demo = "true" if environment == "demo" else "false"
    paths = ("orders", "positions", "history", "balances", "transactions", "events", "account")
    return [client.get(f"/trading/{path}?demo={demo}", headers=headers).content for path in paths]


def test_an_account_that_is_only_looked_at_is_not_opened(engine):
    newcomer = User.objects.create_user("carl", password="correct horse battery")
    client, headers = caller(newcomer, "browser")
    before = contents()
    for environment in ENVIRONMENTS:
        served(client, headers, environment)
    assert contents() == before
    engine.do(*(OpenAccount(account=account) for account in accounts_of(newcomer)))
    assert contents() != before


def test_a_product_that_is_not_shown_cannot_be_traded(engine, ann):
    client, headers = caller(ann, "demo only")
    Product.objects.filter(name="AAPL").update(enabled=False)
    assert send(client, headers, "new", {**DOCUMENT, "product": "AAPL"}) == (404, "unknown_product")
