"""REST for public data, and ticks in. The golden texts are those of the protocol page."""

import json
import time
from decimal import Decimal

import pytest

from accounts.models import User
from accounts.services import api_key_create
from engine.values import Candle, Quote
from market import live, store
from market.models import Product
from tests.market.feeds import Feeding, rules

pytestmark = pytest.mark.usefixtures("products")

START_S = 1_553_623_740
JSON = "application/json"


@pytest.fixture
def get(client):
    """Give a function that calls an address; returns the answer's JSON, after checking its status."""

    def call(path, status=200):
        response = client.get(path)
        assert response.status_code == status, response.content
        assert response["Content-Type"] == JSON
        return response.json()

    return call


def code_of(answer):
    assert list(answer) == ["message", "code"]
    return answer["code"]


# ---- time


def test_the_time_is_in_ms_and_the_drift_is_told_if_asked(get):
    now_ms = time.time() * 1000
    assert list(get("/time")) == list(get("/time?client_time=")) == ["timestamp"]
    assert abs(get("/time/")["timestamp"] - now_ms) < 60_000
    for client_ms in (0, int(now_ms) + 10**7):
        answer = get(f"/time?client_time={client_ms}")
        assert list(answer) == ["timestamp", "drift"]
        assert answer["drift"] == answer["timestamp"] - client_ms


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e5", "\u0661", "9" * 30])
def test_a_client_time_that_is_none_is_refused(get, text):
    assert code_of(get(f"/time?client_time={text}", 400)) == "invalid_parameter"


# ---- products

EUR_USD = ["EUR-USD", "300", "0.00001", "0.0002", {"BTC": "600000"}, "EUR/USD"]


def test_products_are_lists_by_group_forex_and_crypto_first(get):
    groups = get("/trading/products")
    assert list(groups) == ["forex", "crypto", "metals", "stocks", "indices"]
    assert groups["forex"][0] == EUR_USD
    assert groups["crypto"][0] == ["BTC-USD", "100", "0.1", "0.0003", {"BTC": "50000"}, "Bitcoin"]
    assert sum(map(len, groups.values())) == 20


@pytest.mark.parametrize(
    "path", ["/trading/products/EUR-USD", "/trading/products/EUR-USD/", "/trading/products/eurusd"]
)
def test_one_product_is_an_object_in_the_documents_order(client, path):
    assert client.get(path).content.decode() == (
        '{"product":"EUR-USD","max_leverage":"300","tick":"0.00001","decay_rate":"0.0002",'
        '"max_size":{"BTC":"600000"},"name":"EUR/USD","liquidation_fraction":"2/3"}'
    )


@pytest.mark.parametrize("call", ["products/{}", "quotes/{}", "quotes/EUR-USD,{}", "candles/{}/1"])
@pytest.mark.parametrize("name", ["NOSUCH", "AAPL", "%00", "%ED%A0%80", "\u0130", "x" * 500])
def test_an_unknown_or_disabled_product_is_not_found(get, call, name):
    Product.objects.filter(name="AAPL").update(enabled=False)
    assert code_of(get(f"/trading/{call.format(name)}", 404)) == "unknown_product"


@pytest.mark.parametrize(
    "path",
    ["/time/", "/trading/products/", "/trading/products/AAPL/", "/trading/quotes/AAPL/", "/trading/candles/AAPL/1/"],
)
def test_a_trailing_slash_is_fine(get, path):
    get(path)


def test_what_is_not_a_get_is_refused(client):
    assert code_of(client.delete("/time").json()) == "method_not_allowed"


# ---- quotes


def known_quote(product, mid, bid, ask):
    prices = Decimal(bid), Decimal(ask), Decimal(mid), Decimal(1)
    live.board.apply(Quote(product, *prices, 1_511_434_319_320, 1))


def test_quotes_are_mid_bid_ask_and_the_time(client):
    known_quote("EUR-USD", "1.12440", "1.12439", "1.12445")
    known_quote("BTC-USD", "3916.6", "3916.3", "3917.0")
    assert client.get("/trading/quotes/btcusd,EUR-USD,EUR-USD").content.decode() == (
        '{"BTC-USD":["3916.6","3916.3","3917.0",1511434319320],"EUR-USD":["1.12440","1.12439","1.12445",1511434319320]}'
    )


def test_a_product_without_a_quote_is_left_out(get):
    known_quote("EUR-USD", "1.12440", "1.12439", "1.12445")
    assert list(get("/trading/quotes/AAPL,EUR-USD")) == ["EUR-USD"]


def test_too_many_names_are_refused(get):
    assert code_of(get("/trading/quotes/" + ",".join(["EURUSD"] * 201), 400)) == "too_many_names"


# ---- candles


def candle(minute, *, closed=True, price="1.1"):
    mid, bid, ask = ((Decimal(price) + Decimal(place).scaleb(-5),) * 4 for place in range(3))
    return Candle("EUR-USD", "1", START_S + 60 * minute, mid, bid, ask, closed)


def starts(rows):
    return [(int(row[0]) - START_S) // 60 for row in rows]


def test_a_candle_is_a_row_of_strings_with_the_products_digits(client):
    prices = Decimal("3916.6"), Decimal("3917"), Decimal("3916.5"), Decimal("3916.50")
    store.candles_write([Candle("BTC-USD", "1", START_S, prices, prices, prices, True)])
    text = client.get("/trading/candles/BTC-USD/1").content.decode()
    assert text == '[["1553623740","3916.6","3917.0","3916.5","3916.5"]]'


def test_candles_are_newest_first_both_ends_included_the_open_one_too(get):
    store.candles_write([candle(minute) for minute in range(4)])
    live.board.apply(candle(4))  # closed, not stored yet
    live.board.apply(candle(5, closed=False))
    path = "/trading/candles/EUR-USD/1"
    assert starts(get(path)) == [5, 4, 3, 2, 1, 0]
    assert starts(get(f"{path}?start={START_S + 60}&end={START_S + 240}")) == [4, 3, 2, 1]
    assert starts(get(f"{path}?limit=2")) == [5, 4]
    assert starts(get(f"{path}?end={START_S + 120}&limit=2")) == [2, 1]
    assert get(f"{path}?start={START_S + 360}") == get(f"{path}?start={START_S + 1}&end={START_S}") == []


@pytest.mark.parametrize(
    ("signal", "price"), [("", "1.10000"), ("mid", "1.10000"), ("bid", "1.10001"), ("ask", "1.10002")]
)
def test_the_signal_says_which_price(get, signal, price):
    store.candles_write([candle(0)])
    query = f"?signal={signal}" if signal else ""
    assert get(f"/trading/candles/EUR-USD/1{query}") == [[str(START_S), price, price, price, price]]


def test_pages_of_150_give_each_candle_once(get):
    store.candles_write([candle(minute) for minute in range(320)])
    found, end = [], ""
    while page := get(f"/trading/candles/EURUSD/1?limit=150{end}"):
        assert len(page) <= 150
        found += starts(page)
        end = f"&end={int(page[-1][0]) - 1}"
    assert found == list(range(319, -1, -1))
    assert len(get("/trading/candles/EURUSD/1")) == 150


def test_what_is_newer_wins_and_a_closed_candle_is_final(get):
    store.candles_write([candle(0, closed=False, price="1.1"), candle(1, price="1.3")])
    live.board.apply(candle(0, price="1.2"))
    live.board.apply(candle(1, closed=False, price="1.2"))  # this process has missed that it closed
    assert [row[4] for row in get("/trading/candles/EUR-USD/1")] == ["1.30000", "1.20000"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("EUR-USD/2", "invalid_resolution"),
        ("EUR-USD/1d", "invalid_resolution"),
        ("EUR-USD/1?signal=last", "invalid_parameter"),
        ("EUR-USD/1?limit=151", "invalid_parameter"),
        ("EUR-USD/1?limit=0", "invalid_parameter"),
        ("EUR-USD/1?start=1553623740000", "invalid_parameter"),
        ("EUR-USD/1?end=-1", "invalid_parameter"),
        ("EUR-USD/1?start=now", "invalid_parameter"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(get, path, code):
    assert code_of(get(f"/trading/candles/{path}", 400)) == code


# ---- ticks in


@pytest.fixture
def feeding(monkeypatch):
    """A feed behind the address; its time of day is now."""
    running = Feeding(rules(high="1000"), rules("GBP-USD"))
    running.wall_ms = int(time.time() * 1000)

    async def submit(ticks, source):
        return running.feed.submit(ticks, source=source, wall_ms=running.wall_ms, now_s=running.now_s)

    monkeypatch.setattr(live, "submit_ticks", submit)
    return running


@pytest.fixture
def publish(client, feeding):
    """Give a function that posts a body, or ticks of (symbol, bid, ask), as a key with some scopes."""

    def post(body, status=200, scopes=("feed",)):
        text = body if isinstance(body, str | bytes) else json.dumps({"ticks": body})
        headers = {}
        if scopes:
            user, _ = User.objects.get_or_create(username="publisher")
            headers = {"Authorization": f"Bearer {api_key_create(user=user, scopes=scopes)[1]}"}
        response = client.post("/feed/ticks", text, content_type=JSON, headers=headers)
        assert response.status_code == status, response.content
        return response.json()

    return post


def test_publishing_needs_a_key_with_the_scope(publish, feeding):
    assert code_of(publish([], 401, scopes=())) == "authentication_required"
    assert code_of(publish([], 403, scopes=("market", "read", "trade"))) == "scope_denied"
    assert publish([]) == {"accepted": 0, "refused": []}


def test_good_ticks_are_accepted_and_the_others_named_by_index_and_code(publish, feeding):
    now_ms = feeding.wall_ms
    ticks = [
        ["EURUSD", 1.0850, 1.0852, now_ms],
        ["NOSUCH", 1, 1, now_ms],
        ["gbp-usd", "1.2", "1.1", now_ms],
        ["EUR-USD", "1.0851", 1.0853, now_ms],
    ]
    assert publish(ticks) == {
        "accepted": 2,
        "refused": [{"index": 1, "code": "unknown_product"}, {"index": 2, "code": "crossed"}],
    }
    assert [quote.bid for quote in feeding.quotes()] == [Decimal("1.0850"), Decimal("1.0851")]


def test_another_key_is_another_source(publish, feeding):
    tick = ["EURUSD", "1.1", "1.2", feeding.wall_ms]
    assert publish([tick])["accepted"] == 1
    assert publish([tick])["refused"] == [{"index": 0, "code": "product_has_source"}]


@pytest.mark.parametrize(
    "written", ["0.3", "1.10", "0.1000000000000001", "100.000001", '"1.085"', "2", "123.4567890123"]
)
def test_a_price_arrives_as_it_was_written(publish, feeding, monkeypatch, written):
    arrived = []

    async def submit(ticks, source):
        arrived.extend(ticks)
        return []

    monkeypatch.setattr(live, "submit_ticks", submit)
    plain = written.strip('"')
    too_long = len(plain.partition(".")[2]) > 10
    answer = publish(f'{{"ticks":[["EURUSD",{written},{written},{feeding.wall_ms}]]}}', 400 if too_long else 200)
    assert code_of(answer) == "invalid_number" if too_long else [str(tick.bid) for tick in arrived] == [plain]


@pytest.mark.parametrize(
    "price", ["1e0", "NaN", "Infinity", "-Infinity", '"1e0"', '"NaN"', "true", "null", "[]", '"\u0661"']
)
def test_what_is_no_plain_number_is_refused_and_nothing_happens(publish, feeding, price):
    body = f'{{"ticks":[["EURUSD","1.1","1.2",{feeding.wall_ms}],["EURUSD",{price},"1.2",{feeding.wall_ms}]]}}'
    assert code_of(publish(body, 400)) == "invalid_number"
    assert feeding.news == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "invalid_parameter"),
        ("[]", "invalid_json"),
        ("{", "invalid_json"),
        (b"\xff", "invalid_json"),
        ('{"ticks":[],"ticks":[]}', "invalid_json"),
        ("[" * 5_000, "invalid_json"),
        ("{}", "invalid_parameter"),
        ('{"ticks":{}}', "invalid_parameter"),
        ('{"ticks":[["EURUSD","1.1","1.2"]]}', "invalid_parameter"),
        ('{"ticks":[["EURUSD","1.1","1.2","1"]]}', "invalid_parameter"),
        ('{"ticks":[["EURUSD","1.1","1.2",1.5]]}', "invalid_parameter"),
        ('{"ticks":[["EURUSD","1.1","1.2",true]]}', "invalid_parameter"),
        ('{"ticks":[[1,"1.1","1.2",1]]}', "invalid_parameter"),
        (f'{{"ticks":[["EURUSD","1.1","1.2",{"9" * 30}]]}}', "invalid_number"),
        (json.dumps({"ticks": [["EURUSD", "1.1", "1.2", 1]] * 1_001}), "too_many_names"),
    ],
)
def test_a_body_of_another_shape_is_refused(publish, body, code):
    assert code_of(publish(body, 400)) == code


def test_a_process_that_no_feed_can_be_reached_from_says_so(client):
    user = User.objects.create(username="publisher")
    headers = {"Authorization": f"Bearer {api_key_create(user=user, scopes=['feed'])[1]}"}
    response = client.post("/feed/ticks", '{"ticks":[]}', content_type=JSON, headers=headers)
    assert (response.status_code, code_of(response.json())) == (503, "unavailable")


# ---- limits


def test_too_many_calls_of_an_address_are_refused_with_the_time_to_wait(client, settings):
    settings.REST_LIMIT_PER_S = 3
    address = {"REMOTE_ADDR": "192.0.2.77"}
    answers = [client.get("/time", **address) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[-1].json()
    assert list(refused) == ["message", "code", "retry_after_ms"]
    assert refused["code"] == "rate_limited"
    assert 0 < refused["retry_after_ms"] <= 1_000
    assert answers[-1]["Retry-After"] == "1"
    assert client.get("/time", REMOTE_ADDR="192.0.2.78").status_code == 200
