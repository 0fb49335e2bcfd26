"""The OpenAPI description of the trade calls: what they take, who may call them, and examples that are the wire's."""

import json
from decimal import Decimal
from typing import Any

import pytest

from accounts.errors import ERRORS
from engine.events import Closing, Order, Position
from engine.values import AccountId
from engine.wire import trade_object
from trading import openapi
from trading.requests import NAMES, read

READS = {
    "/trading/trade/": {"id", "client_order_id"},
    "/trading/orders/": {"limit"},
    "/trading/positions/": {"limit"},
    "/trading/history/": {"timestamp", "limit"},
    "/trading/history/{product}/": {"product", "timestamp", "limit"},
    "/trading/balances/": set(),
    "/trading/balances/{asset}/": {"asset"},
    "/trading/transactions/": {"asset", "timestamp", "limit"},
    "/trading/transactions/{type}/": {"type", "asset", "timestamp", "limit"},
    "/trading/events/": {"after", "limit"},
    "/trading/account/": set(),
}
REQUESTS = {
    "new": "NewRequest",
    "cancel": "TradeId",
    "update": "UpdateRequest",
    "close": "TradeId",
    "split": "SplitRequest",
}

TRADE: dict[str, Any] = {
    "account": AccountId("live", 7), "id": openapi.ID, "product": "EUR-USD", "side": "buy", "kind": "",
    "price": Decimal("1.26635"), "leverage": Decimal(300), "amount": 1_000_000, "margin": Decimal("3.33333333"),
    "liquidation_price": Decimal("1.26354"), "decay_rate": Decimal("0.0002"), "created_ms": 1_511_482_279_492,
}  # fmt: skip
ORDER = Order(**TRADE)
POSITION = Position(**TRADE, opened_ms=1_511_482_876_413)
UPDATED = Order(
    **TRADE, take_profit=Decimal("1.28898"), stop_loss=Decimal("1.26477"), updated_ms=1_511_482_476_135
)  # fmt: skip
CLOSING = Closing(
    Decimal("1.26995"), Decimal("2.84281590"), Decimal("85.2845"), "manual", Decimal(0), 1_511_483_816_212
)  # fmt: skip


@pytest.fixture(scope="module")
def paths():
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


def names(call):
    return {parameter["name"] for parameter in call.get("parameters", ())} - {"demo"}


@pytest.mark.parametrize("path", READS)
def test_each_read_says_what_it_takes(paths, path):
    call = paths["paths"][path]["get"]
    assert names(call) == READS[path]
    assert "demo" in {parameter["name"] for parameter in call["parameters"]}
    assert call["description"] == "Needs the scope read."
    assert call["responses"]["200"]["content"]["application/json"]["examples"]


@pytest.mark.parametrize("action", NAMES)
def test_each_trade_call_says_what_it_takes_and_why_it_is_refused(paths, action):
    call = paths["paths"][f"/trading/trade/{action}/"]["post"]
    assert call["description"] == "Needs the scope trade."
    body = call["requestBody"]["content"]
    assert set(body) == {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
    assert body["application/json"]["schema"]["$ref"].endswith(f"/{REQUESTS[action]}")
    fields = paths["components"]["schemas"][REQUESTS[action]]["properties"]
    assert set(fields) == set(NAMES[action])
    assert {int(status) for status in call["responses"]} - {200} <= {meaning.http_status for meaning in ERRORS.values()}


def test_a_reset_is_for_the_browser(paths):
    assert paths["paths"]["/account/demo/reset/"]["post"]["security"] == [{"session": []}]


@pytest.mark.parametrize(
    ("example", "written"),
    [
        (openapi.ORDER, trade_object(ORDER)),
        (openapi.POSITION, trade_object(POSITION)),
        (openapi.UPDATED, trade_object(UPDATED)),
        (openapi.CLOSED, trade_object(POSITION, CLOSING)),
    ],
    ids=["order", "position", "updated", "closed"],
)
def test_the_examples_are_what_is_written(example, written):
    shown = json.loads(written)
    assert example == shown
    assert set(example) == set(shown)


def test_required_fields_are_those_that_the_reader_demands(paths):
    schemas = paths["components"]["schemas"]
    wanted = {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "300", "amount": 1}
    assert set(schemas["NewRequest"]["required"]) == set(wanted)
    assert read("new", wanted, account=AccountId("demo", 7), first_id="a", second_id="b")
    assert schemas["UpdateRequest"]["required"] == ["id"]
    assert set(schemas["SplitRequest"]["required"]) == {"id", "ratio"}
