"""An unmodified public client of the vendor's API works: its requests as it makes them, and its own tests' demands."""

import itertools
import json
import time
from decimal import Decimal

import pytest

from accounts.services import api_key_create
from engine.values import Candle
from market import store
from tests.trading.clients.public_client import PublicClient
from tests.trading.engines import given_quote

LAST_S = 1_700_000_040
"""The newest minute of the history."""


@pytest.fixture
def send(client):
    """Give the way to the server: no body, no content type, as `requests` sends a call without data."""

    def over_http(method, path, headers):
        response = client.generic(method, path, b"", content_type="", headers=headers)
        assert response.status_code == 200, response.content
        return response.json()

    return over_http


@pytest.fixture(params=["T8", "WCX"])
def trader(request, send, ann, engine):
    key, secret = api_key_create(user=ann, scopes=["read", "trade"], environments=["demo"])
    # Each call a millisecond later: a signature that changes something is accepted once.
    clock = itertools.count(time.time_ns() // 1_000_000)
    return PublicClient(send, lambda: next(clock), str(key.public_id), secret, prefix=request.param)


@pytest.fixture
def stranger(send, engine):
    return PublicClient(send, lambda: 0)


def candles(product, resolution, count, step_s, digits):
    price = (Decimal(100).quantize(Decimal(1).scaleb(-digits)),) * 4
    last_s = LAST_S // step_s * step_s
    return [Candle(product, resolution, last_s - step_s * age, price, price, price, True) for age in range(count)]


# ---- trading


def test_a_position_is_opened_seen_and_closed(trader, engine):
    opened = trader.call(
        "POST", "/trading/trade/new", product="EUR-USD", side="buy", type="market", leverage=300, amount=1000000,
        base_currency="BTC",
    )  # fmt: skip
    assert [position["id"] for position in trader.get_positions()] == [opened["id"]]
    given_quote("1.26995", "1.27000")
    closed = trader.close_position(opened["id"])
    assert (closed["id"], closed["pnl"], closed["reason"]) == (opened["id"], "2.84281590", "manual")
    assert trader.get_positions() == []


def test_an_order_is_placed_changed_and_cancelled(trader):
    order = trader.call(
        "POST", "/trading/trade/new", product="EUR-USD", side="buy", type="pending", leverage=300, amount=1000000,
        price="1.26",
    )  # fmt: skip
    changed = trader.call("POST", "/trading/trade/update", id=order["id"], take_profit=1.3, stop_loss=0)
    assert trader.call("GET", "/trading/orders", limit=50) == [changed]
    assert trader.call("POST", "/trading/trade/cancel", id=order["id"]) == {"id": order["id"]}


def test_the_vendors_own_signing_example_is_accepted(client, send, ann, engine):
    """A JSON body, signed as sent; live, so that it is refused for want of money only."""
    key, secret = api_key_create(user=ann, scopes=["trade"])
    body = json.dumps(
        {
            "product": "EUR-USD",
            "side": "buy",
            "type": "market",
            "leverage": 10,
            "amount": 50000,
            "base_currency": "BTC",
        },
        separators=(",", ":"),
    )
    now_ms = time.time_ns() // 1_000_000
    signer = PublicClient(send, lambda: now_ms, str(key.public_id), secret)
    proof = signer._proof("POST", f"/trading/trade/new{body}")
    response = client.post("/trading/trade/new", body, content_type="application/json", headers=proof)
    assert (response.status_code, response.json()["code"]) == (402, "insufficient_balance")


def test_a_request_that_changes_something_counts_once(trader, client, engine):
    trader.now_ms = lambda: time.time_ns() // 1_000_000
    path = "/trading/trade/new?demo=true&product=EUR-USD&side=buy&type=market&leverage=300&amount=1000"
    proof = trader._proof("POST", path)
    answers = [client.generic("POST", path, b"", content_type="", headers=proof) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json()["code"] == "signature_reused"
    assert len(engine.asked) == 3  # the order, its account, the order


# ---- prices


def test_products_are_asked_for_with_a_trailing_slash(stranger):
    groups = stranger.get_products()
    assert all(groups[name] for name in ("forex", "crypto"))
    assert stranger.get_products("XAU-USD")["product"] == "XAU-USD"


def test_quotes_are_asked_for_by_one_name_or_several(stranger):
    given_quote("23.101", "23.125", "XAG-USD")
    assert list(stranger.get_quotes(["XAG-USD"])) == ["XAG-USD"]
    assert len(stranger.get_quotes(["XAG-USD", "EUR-USD", "AAPL"])) == 2


def test_a_window_of_a_thousand_minutes_of_history(stranger):
    store.candles_write(candles("BTC-USD", "1", 1_100, 60, 1))
    newest = int(stranger.get_candles("BTC-USD", 1)[0][0])
    start, end = newest - 1000 * 60, newest - 970 * 60
    rows = stranger.get_candles("BTC-USD", 1, start=start, end=end)
    assert (len(rows), int(rows[0][0]), int(rows[-1][0])) == (31, end, start)


def test_a_thousand_minutes_of_history_in_pages(stranger):
    store.candles_write(candles("BTC-USD", "1", 1_100, 60, 1))
    found: list[int] = []
    while len(found) < 1_000:
        end = {"end": found[-1] - 60} if found else {}
        found += [int(row[0]) for row in stranger.get_candles("BTC-USD", 1, limit=100, **end)]
    assert found == [LAST_S - 60 * age for age in range(1_000)]


def test_ten_rows_of_four_hours(stranger):
    store.candles_write(candles("AMZN", "240", 12, 14_400, 2))
    rows = stranger.get_candles("AMZN", 240, limit=10, signal="mid")
    assert len(rows) == 10
    assert {int(one[0]) - int(next_one[0]) for one, next_one in itertools.pairwise(rows)} == {14_400}
