"""Who calls REST: by signature, by bearer token, by a browser's session; and how often they may."""

import json
import time
from urllib.parse import unquote

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions

import market.live
from accounts import authentication
from accounts.authentication import rest_error
from accounts.errors import Code, Refused
from accounts.limits import Budgets
from accounts.services import api_key_revoke
from tests.accounts.callers import given_key, signature

pytestmark = pytest.mark.django_db

TICKS = json.dumps({"ticks": [["EURUSD", 1.0850, 1.0852, 1_709_742_000_000]]}).encode()


@pytest.fixture
def published(monkeypatch):
    """Return the list of who published: the feed of these tests takes everything."""
    sources = []

    async def submit(ticks, source):
        sources.append(source)
        return []

    monkeypatch.setattr(market.live, "submit_ticks", submit)
    return sources


@pytest.fixture
def feeder(ann):
    return given_key(ann, scopes=["feed"])


def signed(issued, method, path, body=b"", *, prefix="T8", offset_ms=0, sig=None):
    timestamp_ms = time.time_ns() // 1_000_000 + offset_ms
    return {
        f"{prefix}-APIKEY": issued.id,
        f"{prefix}-SIG": sig or signature(issued.secret, timestamp_ms, method, path, body),
        f"{prefix}-TIMESTAMP": str(timestamp_ms),
    }


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def publish(client, headers, body=TICKS):
    return client.post("/feed/ticks", body, content_type="application/json", headers=headers)


def code_of(answer):
    return answer.status_code, answer.json().get("code")


# ---- signed


@pytest.mark.parametrize("prefix", ["T8", "WCX"])
def test_a_signed_call_is_its_keys(client, feeder, published, prefix):
    answer = publish(client, signed(feeder, "POST", "/feed/ticks", TICKS, prefix=prefix))
    assert answer.json() == {"accepted": 1, "refused": []}
    assert published == [f"key:{feeder.id}"]


def test_the_path_is_signed_without_its_trading_and_with_its_query(client, feeder):
    good = "/products?product=EUR-USD&a=%2C,"
    assert client.get("/trading" + good, headers=signed(feeder, "GET", good)).status_code == 200
    for wrong in ("/trading" + good, "/products", "/products?a=%2C,&product=EUR-USD"):
        answer = client.get("/trading" + good, headers=signed(feeder, "GET", wrong))
        assert code_of(answer) == (401, "invalid_signature")


def test_a_signature_is_of_one_body_and_one_method(client, feeder, published):
    headers = signed(feeder, "POST", "/feed/ticks", TICKS)
    assert code_of(publish(client, headers, TICKS.replace(b"1.0852", b"1.0853"))) == (401, "invalid_signature")
    assert code_of(publish(client, signed(feeder, "GET", "/feed/ticks", TICKS))) == (401, "invalid_signature")
    assert not published


def test_a_changing_call_counts_once_and_a_reading_one_may_repeat(client, feeder, published):
    changing = signed(feeder, "POST", "/feed/ticks", TICKS)
    answers = [publish(client, changing) for _ in range(2)]
    assert [code_of(answer) for answer in answers] == [(200, None), (401, "signature_reused")]
    reading = signed(feeder, "GET", "/time")
    assert [client.get("/time", headers=reading).status_code for _ in range(2)] == [200, 200]


def test_the_vendors_rule_lets_a_changing_call_repeat(client, feeder, published, settings):
    settings.SIGNATURE_SINGLE_USE = False
    headers = signed(feeder, "POST", "/feed/ticks", TICKS)
    assert [publish(client, headers).status_code for _ in range(2)] == [200, 200]


def test_a_timestamp_outside_the_window_names_the_servers_clock(client, feeder):
    answer = client.get("/time", headers=signed(feeder, "GET", "/time", offset_ms=-31_000))
    assert code_of(answer) == (401, "timestamp_out_of_window")
    assert abs(answer.json()["server_time"] - time.time() * 1000) < 5_000
    assert -36_000 < answer.json()["drift_ms"] <= -31_000


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e12", "1" * 17, "١٧٠٩٧٤٢٠٠٠٠٠٠".encode().decode("latin-1")])
def test_a_timestamp_that_is_none_is_an_invalid_signature(client, feeder, stamp):
    headers = {**signed(feeder, "GET", "/time"), "T8-TIMESTAMP": stamp}
    assert code_of(client.get("/time", headers=headers)) == (401, "invalid_signature")


@pytest.mark.parametrize("missing", ["T8-SIG", "T8-TIMESTAMP"])
def test_half_a_signature_is_none(client, feeder, missing):
    headers = signed(feeder, "GET", "/time")
    del headers[missing]
    assert code_of(client.get("/time", headers=headers)) == (401, "invalid_signature")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/trading/quotes/EUR-USD%2CBTC-USD", ""),
        ("/trading/quotes/EUR-USD,BTC-USD", ""),
        ("/trading/quotes/%45UR-USD", "a=1%7C2"),
        ("/trading/products", 'a=1|2&b="x"&c=%zz&d=~\'()'),
        ("/trading/products", "a=%C3%A9&b=+%20"),
    ],
)
async def test_what_is_signed_is_what_was_sent_and_not_what_it_means(feeder, path, query):
    """Over ASGI, as the server calls it: Django shows a path decoded and a query tidied up."""
    sent = path.removeprefix("/trading") + (f"?{query}" if query else "")
    assert await asgi_status(path, query, signed(feeder, "GET", sent)) in (200, 404)


async def asgi_status(path, query, headers):
    """Return the status of a GET as a server hands it to Django."""
    scope = {
        "type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode(), "client": ["127.0.0.1", 1], "server": ["127.0.0.1", 8080],
        "headers": [(name.lower().encode(), text.encode()) for name, text in {"host": "127.0.0.1", **headers}.items()],
    }  # fmt: skip
    asgi = ApplicationCommunicator(get_asgi_application(), scope)
    await asgi.send_input({"type": "http.request", "body": b""})
    start = await asgi.receive_output(5)
    await asgi.wait(5)
    return start["status"]


# ---- bearer


def test_a_bearer_token_is_its_keys(client, feeder, published):
    assert publish(client, bearer(feeder.secret)).status_code == 200
    assert publish(client, {"Authorization": f"bearer  {feeder.secret} "}).status_code == 200
    assert published == [f"key:{feeder.id}"] * 2


def test_each_refusal_of_a_token_has_its_code_also_where_nobody_need_log_in(client, ann):
    revoked = given_key(ann)
    api_key_revoke(revoked.key)
    wrong = {
        "invalid_key": "tk_live_a1b2c3d4e5f6",
        "key_revoked": revoked.secret,
        "key_expired": given_key(ann, expires_at="2020-01-01T00:00:00Z").secret,
    }
    for code, secret in wrong.items():
        answer = client.get("/time", headers=bearer(secret))
        assert code_of(answer) == (401, code)
        assert answer["WWW-Authenticate"] == "Bearer"
    elsewhere = given_key(ann, networks="192.0.2.0/24 2001:db8::/32")
    assert code_of(client.get("/time", headers=bearer(elsewhere.secret))) == (403, "address_not_allowed")
    for address in ("192.0.2.9", "2001:db8::9", "::ffff:192.0.2.9"):
        assert client.get("/time", headers=bearer(elsewhere.secret), REMOTE_ADDR=address).status_code == 200


def test_a_key_without_the_scope_and_a_caller_without_a_name_publish_nothing(client, ann, published):
    reader = given_key(ann, scopes=["market", "read", "trade"])
    assert code_of(publish(client, bearer(reader.secret))) == (403, "scope_denied")
    assert code_of(publish(client, {})) == (401, "authentication_required")
    assert code_of(publish(client, {"Authorization": "Basic YW5uOng="})) == (401, "authentication_required")
    assert not published


def test_a_key_that_was_used_just_now_costs_no_query(client, ann, django_assert_num_queries):
    issued = given_key(ann)
    assert client.get("/time", headers=bearer(issued.secret)).status_code == 200
    with django_assert_num_queries(0):
        assert client.get("/time", headers=bearer(issued.secret)).status_code == 200


# ---- a browser


@pytest.fixture
def browser(ann):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    return client


def csrf_token(browser):
    browser.get("/keys/")
    return browser.cookies["csrftoken"].value


def test_a_browser_reads_with_its_session_and_changes_with_its_token(browser, published):
    assert browser.get("/time").status_code == 200
    assert code_of(publish(browser, {})) == (403, "csrf_failed")
    assert code_of(publish(browser, {"X-CSRFToken": "x" * 32})) == (403, "csrf_failed")
    # With the token it is known who asks; publishing is nothing for a browser.
    assert code_of(publish(browser, {"X-CSRFToken": csrf_token(browser)})) == (403, "scope_denied")


def test_a_foreign_page_cannot_use_the_browsers_token(browser, published):
    headers = {"X-CSRFToken": csrf_token(browser), "Origin": "https://evil.example"}
    assert code_of(publish(browser, headers)) == (403, "csrf_failed")


def test_a_key_goes_before_the_session_and_needs_no_csrf(browser, feeder, published):
    assert publish(browser, bearer(feeder.secret)).status_code == 200
    assert code_of(publish(browser, bearer("tk_live_x"))) == (401, "invalid_key")


def test_a_disabled_users_session_is_nobodys(browser, ann, published):
    headers = {"X-CSRFToken": csrf_token(browser)}
    ann.is_active = False
    ann.save()
    assert code_of(publish(browser, headers)) == (401, "authentication_required")


# ---- limits


@pytest.fixture
def limited(settings):
    settings.REST_LIMIT_PER_S, settings.REST_IDENTITY_LIMIT_PER_S = 2, 3
    return settings


@pytest.fixture
def still(monkeypatch):
    """Stop the clocks of the budgets."""
    monkeypatch.setattr(authentication, "_budgets", Budgets("", now_ms=lambda: 0))


def tries(client, count, *, path="/time", **options):
    return [client.get(path, **options).status_code for _ in range(count)]


@pytest.mark.usefixtures("limited", "still")
def test_strangers_share_their_addresss_budget(client, db):
    assert tries(client, 3) == [200, 200, 429]
    answer = client.get("/trading/products")
    assert code_of(answer) == (429, "rate_limited")
    assert (answer.json()["retry_after_ms"], answer["Retry-After"]) == (1000, "1")
    assert tries(client, 1, REMOTE_ADDR="198.51.100.9") == [200]


@pytest.mark.usefixtures("limited", "still")
def test_keys_and_sessions_have_budgets_of_their_own(client, ann, browser):
    one, other = given_key(ann), given_key(ann)
    for issued in (one, other):
        assert tries(client, 4, headers=bearer(issued.secret)) == [200, 200, 200, 429]
    assert tries(browser, 4) == [200, 200, 200, 429]
    assert tries(client, 1) == [200]


@pytest.mark.usefixtures("limited", "still")
def test_an_ipv6_line_is_one_stranger(client, db):
    addresses = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3", "2001:db8:1:1::1"]
    assert [tries(client, 1, REMOTE_ADDR=address)[0] for address in addresses] == [200, 200, 429, 200]


@pytest.mark.usefixtures("limited", "still")
@pytest.mark.parametrize("headers", [bearer("x"), {"T8-APIKEY": "x"}, {"WCX-APIKEY": "x", "WCX-TIMESTAMP": "1"}])
def test_trying_keys_is_limited_like_any_strangers_calls(client, ann, headers):
    assert tries(client, 4, headers=headers) == [401, 401, 429, 429]
    assert tries(client, 1, headers=bearer(given_key(ann).secret)) == [200]


@pytest.mark.usefixtures("still")
def test_zero_is_no_limit(client, db):
    assert set(tries(client, 20)) == {200}


# ---- how a refusal is worded


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused(Code.KEY_EXPIRED), 401, "key_expired"),
        (Http404(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (exceptions.ParseError(), 400, "invalid_json"),
        (exceptions.ValidationError({"side": ["No."]}), 400, "invalid_parameter"),
        (RequestDataTooBig(), 413, "message_too_large"),
    ],
)
def test_a_refusal_has_a_status_a_code_and_words(error, status, code):
    answer = rest_error(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.data["message"]


def test_a_wrong_parameter_is_named():
    error = exceptions.ValidationError({"side": ["No."], "price": {"0": ["No."]}})
    answer = rest_error(error, {})
    assert answer is not None
    assert answer.data["message"] == "Missing or of the wrong form: side, price"


def test_a_bug_is_not_worded_here():
    assert rest_error(ZeroDivisionError(), {}) is None


def test_a_body_that_is_too_large_is_refused_in_our_words(client, feeder, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    answer = publish(client, signed(feeder, "POST", "/feed/ticks", TICKS))
    assert code_of(answer) == (413, "message_too_large")


def test_a_database_that_is_away_is_no_bug():
    answer = rest_error(OperationalError("the database system is shutting down"), {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (503, "unavailable", "1")
