"""REST for orders, positions and money: the documents' bodies byte for byte, wherever the parameters come from."""

import json
import re
from urllib.parse import urlencode

import pytest

from engine.values import AccountId
from tests.trading.callers import DOCUMENT, JSON, PENDING, Browser, Caller
from tests.trading.engines import CLOSED_MS, OPENED_MS, given_quote
from trading.models import EngineLease
from trading.selectors import MAX_ROWS

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

ORDER = (
    '{"id":"ID","product":"EUR-USD","price":"1.26635","side":"buy","leverage":"300","amount":1000000,'
    '"margin":"3.33333333","base_size":"1000","base_currency":"BTC","type":"market","liquidation_price":"1.26354",'
    '"decay_rate":"0.0002","created_at":1511482279492}'
)
POSITION = f'{ORDER[:-1]},"opened_at":1511482279492}}'
CLOSED = (
    '{"id":"ID","product":"EUR-USD","price":"1.26635","side":"buy","leverage":"300","amount":1000000,'
    '"margin":"3.33333333","base_size":"1000","base_currency":"BTC","type":"market","liquidation_price":"1.26354",'
    '"decay_rate":"0.0002","close_price":"1.26995","pnl":"2.84281590","pnl_percent":"85.2845","reason":"manual",'
    '"decay":"0","created_at":1511482279492,"opened_at":1511482279492,"closed_at":1511483816212}'
)


@pytest.fixture
def caller(ann, engine):
    return Caller(ann)


def without_ids(text):
    return UUID.sub("ID", text)


# ---- the document's trade


def test_the_documents_trade_over_rest(caller, engine):
    opened = caller.ask("new", DOCUMENT)
    assert without_ids(opened) == ORDER
    identifier = json.loads(opened)["id"]
    assert without_ids(caller.read("positions")) == f"[{POSITION}]"
    assert caller.read("balances") == '{"BTC":"6.66666667"}'
    engine.now_ms = CLOSED_MS
    given_quote("1.26995", "1.27000")
    closed = caller.ask("close", {"id": identifier})
    assert without_ids(closed) == CLOSED
    assert caller.read("history") == f"[{closed}]"
    assert caller.read("balances") == '{"BTC":"12.84281590"}'


def test_update_cancel_and_split_over_rest(caller, engine):
    pending = caller.place(PENDING)
    engine.now_ms = OPENED_MS
    changed = caller.ask("update", {"id": pending, "price": "1.25", "stop_loss": "1.248", "take_profit": 1.3})
    assert f"[{changed}]" == caller.read("orders")
    assert json.loads(changed)["updated_at"] == OPENED_MS
    assert caller.ask("cancel", {"id": pending}) == f'{{"id":"{pending}"}}'
    assert caller.read("orders") == "[]"
    parent = caller.place()
    parts = json.loads(caller.ask("split", {"id": parent, "ratio": "40:60"}))
    assert (list(parts), list(parts["data"])) == (
        ["success", "data"],
        ["parent_id", "first_position", "second_position"],
    )
    open_ones = json.loads(caller.read("positions"))
    assert sorted(one["amount"] for one in open_ones) == [400000, 600000]
    assert all(one in open_ones for one in (parts["data"]["first_position"], parts["data"]["second_position"]))


# ---- where parameters come from


@pytest.mark.parametrize(
    ("body", "query", "content_type"),
    [
        (DOCUMENT, "demo=true", JSON),
        ({**DOCUMENT, "demo": True}, "", JSON),
        (DOCUMENT, "demo=true", "application/x-www-form-urlencoded"),
        ({**DOCUMENT, "demo": "true"}, "", "application/x-www-form-urlencoded"),
        ({}, urlencode({**DOCUMENT, "demo": "true"}), JSON),
        ({"amount": 1000000}, urlencode({**DOCUMENT, "demo": "true"}), JSON),
        ({**DOCUMENT, "leverage": 300, "amount": "1000000", "price": None}, "demo=true", JSON),
    ],
    ids=["json", "demo in json", "form", "demo in form", "query", "both", "numbers"],
)
def test_parameters_are_read_from_the_body_and_the_query_string(caller, body, query, content_type):
    assert without_ids(caller.ask("new", body, query=query, content_type=content_type)) == ORDER


def test_a_form_with_parts_is_read_too(caller):
    response = caller.post(
        "/trading/trade/new?demo=true", {**DOCUMENT, "csrfmiddlewaretoken": "x"}, headers=caller.proof
    )
    assert without_ids(caller.answer(response, 200)) == ORDER


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({**DOCUMENT, "amount": 5}, "demo=true&amount=6"),
        ({**DOCUMENT, "demo": False}, "demo=true"),
        (DOCUMENT, "demo=true&demo=false"),
        (DOCUMENT, "demo=true&stop_loss=1.2&stop_loss=1.1"),
    ],
)
def test_what_is_said_twice_and_differently_is_refused(caller, engine, body, query):
    assert caller.refusal("new", body, 400, query=query) == "invalid_parameter"
    assert engine.asked == []


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", JSON, 400, "invalid_json"),
        ("[]", JSON, 400, "invalid_json"),
        ('{"id":1,"id":1}', JSON, 400, "invalid_json"),
        ('{"leverage":1e5}', JSON, 400, "invalid_number"),
        ("<a/>", "text/xml", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_is_none_is_refused(caller, body, content_type, status, code):
    response = caller.post("/trading/trade/new?demo=true", body, content_type=content_type, headers=caller.proof)
    assert json.loads(caller.answer(response, status))["code"] == code


def test_the_live_account_is_meant_where_nothing_is_said(caller, engine, ann):
    assert caller.refusal("new", DOCUMENT, 402, query="") == "insufficient_balance"
    engine.fund(AccountId("live", ann.pk), "5")
    caller.place(query="demo=false")
    assert caller.read("balances", demo=False) == '{"BTC":"1.66666667"}'
    assert (caller.read("balances"), caller.read("positions")) == ('{"BTC":"10.00000000"}', "[]")


SLASHED = (
    "orders/", "positions/", "history/", "history/EUR-USD/", "balances/", "balances/BTC/", "transactions/",
    "transactions/deposit/", "events/", "account/",
)  # fmt: skip


def test_a_trailing_slash_is_fine(caller):
    assert without_ids(caller.ask("new/", DOCUMENT)) == ORDER
    for path in SLASHED:
        assert caller.read(path) == caller.read(path[:-1])


# ---- refusals


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"leverage": "10"}, 402, "insufficient_balance"),
        ({"product": "NOSUCH"}, 404, "unknown_product"),
        ({"product": "BTC-USD"}, 402, "price_outdated"),
        ({"type": "limit", "price": "1.266351"}, 422, "price_off_tick"),
        ({"type": "limit", "price": "1.3"}, 422, "price_wrong_side"),
        ({"leverage": "301"}, 422, "leverage_not_allowed"),
        ({"amount": 10**14}, 422, "size_out_of_bounds"),
        ({"stop_loss": "1.2"}, 422, "invalid_stop_loss"),
        ({"take_profit": "1.2"}, 422, "invalid_take_profit"),
        ({"price": "1.2"}, 400, "invalid_price"),
        ({"type": "limit", "price": "1.2", "valid_until": 1}, 422, "valid_until_past"),
        ({"amount": "0"}, 400, "invalid_number"),
        ({"stoploss": "1.2"}, 400, "invalid_parameter"),
    ],
)
def test_each_refusal_has_its_status(caller, wish, status, code):
    assert caller.refusal("new", {**DOCUMENT, **wish}, status) == code


def test_what_has_ended_is_a_conflict(caller):
    identifier = caller.place()
    caller.ask("close", {"id": identifier})
    assert caller.refusal("close", {"id": identifier}, 409) == "position_closed"
    assert caller.refusal("cancel", {"id": identifier}, 409) == "order_ended"
    assert caller.refusal("close", {"id": "bf2b704c-010a-48ca-93fb-d0193f24420a"}, 404) == "not_found"


def test_an_order_sent_again_is_one_order(caller):
    named = {**DOCUMENT, "client_order_id": "till-7"}
    first = caller.ask("new", named)
    assert caller.ask("new", named) == first
    assert caller.refusal("new", {**named, "side": "sell"}, 409) == "client_order_id_reused"
    assert len(json.loads(caller.read("positions"))) == 1


def test_who_finds_no_engine_is_told_when_to_come_back(caller, engine):
    engine.away = True
    response = caller.post(
        "/trading/trade/new?demo=true", json.dumps(DOCUMENT), content_type=JSON, headers=caller.proof
    )
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response.json()["code"] == "unavailable"


# ---- reads


def test_what_became_of_an_order_is_looked_up(caller):
    identifier = caller.place({**DOCUMENT, "client_order_id": "till-7"})
    found = caller.read("trade", client_order_id="till-7")
    assert list(json.loads(found)) == ["status", "order", "position"]
    assert caller.read("trade", id=identifier) == caller.read("trade/", id=identifier.upper()) == found
    assert json.loads(caller.read("trade", 404, client_order_id="till-8"))["code"] == "not_found"
    assert json.loads(caller.read("trade", 400))["code"] == "invalid_parameter"
    assert json.loads(caller.read("trade", 404, demo=False, id=identifier))["code"] == "not_found"


def test_the_log_is_read_in_pages(caller, engine, ann):
    caller.place()
    whole = json.loads(caller.read("events"))
    assert (list(whole), whole["offset"], whole["epoch"]) == (
        ["epoch", "offset", "events"], 5, str(EngineLease.objects.get().epoch),
    )  # fmt: skip
    assert [(event["event"], event["offset"]) for event in whole["events"]] == [
        ("balance_demo", 1), ("order_demo:new", 2), ("order_demo:activate", 3), ("position_demo:new", 4),
        ("balance_demo", 5),
    ]  # fmt: skip
    assert all(list(event) == ["event", "data", "offset"] for event in whole["events"])
    assert json.loads(caller.read("events", after=2, limit=1))["events"] == whole["events"][2:3]
    assert json.loads(caller.read("events", after=5))["events"] == []
    engine.fund(AccountId("live", ann.pk))
    live = json.loads(caller.read("events", demo=False))["events"]
    assert [event["event"] for event in live] == ["balance", "balance"]


def test_the_account_is_what_it_is_worth(caller):
    caller.place()
    given_quote("1.26995", "1.27000")
    assert caller.read("account") == (
        '{"environment":"demo","currency":"BTC","balance":"6.66666667","margin_used":"3.33333333",'
        '"unrealised_pnl":"2.84281590","equity":"12.84281590"}'
    )


def test_transactions_are_deposits_and_withdrawals_of_the_account(caller, engine, ann):
    engine.fund(AccountId("live", ann.pk), "0.2")
    deposit = {"asset": "BTC", "amount": "0.20000000", "type": "deposit", "timestamp": engine.now_ms}
    for path, params in [("transactions", {}), ("transactions/deposit", {"asset": "BTC", "limit": 1})]:
        assert json.loads(caller.read(path, demo=False, **params)) == [deposit]
    assert caller.read("transactions/withdraw", demo=False) == caller.read("transactions") == "[]"


def test_limits_are_bounded(caller):
    for _ in range(3):
        caller.place({**DOCUMENT, "amount": 1000})
    assert len(json.loads(caller.read("positions", limit=2))) == 2
    assert len(json.loads(caller.read("positions", limit=MAX_ROWS))) == 3


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "1e2", "\u0661", "9" * 400, "\0"])
def test_a_limit_that_cannot_be_is_refused(caller, limit):
    for path in ("orders", "positions", "history", "transactions", "events"):
        assert json.loads(caller.read(path, 400, limit=limit))["code"] == "invalid_parameter", path


MEANINGLESS = [
    ("history", {"timestamp": "now"}, 400, "invalid_parameter"),
    ("history/NOSUCH", {}, 404, "unknown_product"),
    ("transactions", {"timestamp": "-1"}, 400, "invalid_parameter"),
    ("transactions/gift", {}, 404, "not_found"),
    ("transactions", {"asset": "ETH"}, 404, "not_found"),
    ("balances/ETH", {}, 404, "not_found"),
    ("events", {"after": "-1"}, 400, "invalid_parameter"),
    ("events", {"after": "9" * 30}, 400, "invalid_parameter"),
    ("trade", {"id": "7"}, 400, "invalid_parameter"),
    ("trade", {"client_order_id": "a b"}, 400, "invalid_parameter"),
]


def test_a_read_that_cannot_be_meant_is_refused(caller):
    for path, params, status, code in MEANINGLESS:
        assert json.loads(caller.read(path, status, **params))["code"] == code, (path, params)


def test_whose_money_is_meant_is_never_guessed(caller):
    response = caller.get("/trading/account?demo=maybe", headers=caller.proof)
    assert json.loads(caller.answer(response, 400))["code"] == "invalid_parameter"


def test_no_cache_keeps_what_is_somebodys_own(caller):
    assert caller.get("/trading/account?demo=true", headers=caller.proof)["Cache-Control"] == "no-store"


# ---- a new beginning


def test_a_demo_account_is_reset_by_its_owner_in_a_browser(caller, ann):
    caller.place()
    caller.place(PENDING)
    answer = Browser(ann).reset()
    assert (answer.status_code, answer.content.decode()) == (200, '{"BTC":"10.00000000"}')
    assert (caller.read("positions"), caller.read("orders")) == ("[]", "[]")
    assert caller.read("balances/BTC") == '{"BTC":"10.00000000"}'
    names = [event["event"] for event in json.loads(caller.read("events"))["events"]]
    assert names[-3:] == ["order_demo:cancel", "position_demo:close", "balance_demo"]


def test_no_key_resets_an_account_nor_a_page_without_the_token(caller, ann):
    response = caller.post("/account/demo/reset/", headers=caller.proof)
    assert json.loads(caller.answer(response, 403))["code"] == "scope_denied"
    assert Browser(ann).reset(**{"X-CSRFToken": "x" * 32}).json()["code"] == "csrf_failed"
