"""Parameters of trade calls become commands, or a refusal that names what is wrong."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import ERRORS, Code, Refused
from engine.commands import CancelOrder, ClosePosition, PlaceOrder, SplitPosition, UpdateTrade
from engine.values import AccountId
from streaming.dialects.json_text import read_object
from tests.accounts.callers import refused_with
from trading import requests
from trading.requests import NAMES

ANN = AccountId("demo", 7)
ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"
FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

MARKET: dict[str, Any] = {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "300", "amount": 1000000}
PENDING: dict[str, Any] = {
    **MARKET, "type": "limit", "price": "1.26", "take_profit": "1.28898", "stop_loss": "1.2579",
    "base_currency": "BTC", "client_order_id": "till-7:a_b.c", "valid_until": 1511482279492,
}  # fmt: skip
COMPLETE: dict[str, dict[str, Any]] = {
    "new": PENDING,
    "cancel": {"id": ID},
    "update": {"id": ID, "price": "1.25", "take_profit": "0", "stop_loss": 0, "leverage": "50", "margin": "4"},
    "close": {"id": ID},
    "split": {"id": ID, "ratio": "40:60"},
}


def read(action, params):
    return requests.read(action, params, account=ANN, first_id=FIRST, second_id=SECOND)


def complaint(action, params):
    """Return the code and the words with which a call is refused."""
    with pytest.raises(Refused) as caught:
        read(action, params)
    assert 400 <= ERRORS[caught.value.code].http_status < 500
    return caught.value.code, caught.value.message


# ---- what is right


def test_a_market_order_needs_five_parameters():
    assert read("new", MARKET) == PlaceOrder(
        account=ANN, id=FIRST, product="EUR-USD", side="buy", type="market", leverage=Decimal(300), amount=1_000_000
    )


def test_everything_that_an_order_can_say_is_read():
    assert read("new", PENDING) == PlaceOrder(
        account=ANN, id=FIRST, product="EUR-USD", side="buy", type="limit", leverage=Decimal(300), amount=1_000_000,
        price=Decimal("1.26"), take_profit=Decimal("1.28898"), stop_loss=Decimal("1.2579"),
        valid_until_ms=1_511_482_279_492, client_order_id="till-7:a_b.c",
    )  # fmt: skip


def test_the_other_calls_name_a_trade_and_what_to_do_with_it():
    assert read("cancel", COMPLETE["cancel"]) == CancelOrder(account=ANN, id=ID)
    assert read("close", COMPLETE["close"]) == ClosePosition(account=ANN, id=ID)
    assert read("split", COMPLETE["split"]) == SplitPosition(
        account=ANN, id=ID, first_percent=40, first_id=FIRST, second_id=SECOND
    )
    assert read("update", COMPLETE["update"]) == UpdateTrade(
        account=ANN, id=ID, price=Decimal("1.25"), take_profit=Decimal(0), stop_loss=Decimal(0), leverage=Decimal(50),
        margin=Decimal(4),
    )  # fmt: skip


def test_an_update_leaves_what_it_does_not_name():
    assert read("update", {"id": ID, "margin": "4"}) == UpdateTrade(account=ANN, id=ID, margin=Decimal(4))


@pytest.mark.parametrize("action", COMPLETE)
def test_numbers_mean_the_same_as_text_and_as_json(action):
    as_text = {name: str(value) for name, value in COMPLETE[action].items()}
    as_json = ",".join(
        f'"{name}":{value}' if name in NUMBERS else f'"{name}":{json.dumps(value)}'
        for name, value in COMPLETE[action].items()
    )
    assert read(action, as_text) == read(action, COMPLETE[action]) == read(action, read_object(f"{{{as_json}}}"))


@pytest.mark.parametrize("action", COMPLETE)
def test_null_is_what_was_left_out(action):
    given_ones = COMPLETE[action]
    required = REQUIRED[action]
    assert read(action, {**given_ones, **{name: None for name in given_ones if name not in required}}) == read(
        action, {name: given_ones[name] for name in required}
    )


@pytest.mark.parametrize("written", [ID.upper(), ID.replace("-", ""), ID])
def test_any_spelling_of_an_id_is_the_same_trade(written):
    assert read("close", {"id": written}).id == ID


@pytest.mark.parametrize("amount", ["1000000", 1000000, Decimal("1000000.0"), "1000000.00"])
def test_an_amount_is_whole_however_it_is_written(amount):
    placed = read("new", {**MARKET, "amount": amount})
    assert (placed.amount, type(placed.amount)) == (1_000_000, int)


# ---- what is wrong

NUMBERS = ("leverage", "amount", "price", "take_profit", "stop_loss", "margin", "valid_until")
REQUIRED = {
    "new": ("product", "side", "type", "leverage", "amount"),
    "cancel": ("id",),
    "update": ("id",),
    "close": ("id",),
    "split": ("id", "ratio"),
}
FIELDS = [(action, name) for action, names in NAMES.items() for name in names]

NO_VALUE = ["", " ", [], {}, ["1"], {"a": 1}, True, False, "x" * 100_000, "\0", "\u0661"]
NO_NUMBER = [
    *NO_VALUE, "1.2.3", "NaN", "null", "1e3", "Infinity", "+1", " 1", "1_0", "01", ".5", "5.", "0x10", "1" * 16,
    10**16, 10**5000, Decimal("NaN"), Decimal("Infinity"), Decimal("1e999999"), Decimal("1e-11"), 1.5,
]  # fmt: skip


def named(value):
    return f"{value!r:.20}" if not isinstance(value, int) or value < 10**9 else "huge"


@pytest.mark.parametrize(("action", "name"), [field for field in FIELDS if field[1] in NUMBERS])
@pytest.mark.parametrize("value", NO_NUMBER, ids=named)
def test_what_is_no_number_is_refused_by_its_parameters_name(action, name, value):
    assert complaint(action, {**COMPLETE[action], name: value}) == (
        Code.INVALID_NUMBER, f"{name} is not a plain decimal number",
    )  # fmt: skip


@pytest.mark.parametrize(("action", "name"), [field for field in FIELDS if field[1] not in NUMBERS])
@pytest.mark.parametrize("value", [*NO_VALUE, 7, -1, Decimal("1.5")], ids=named)
def test_what_is_no_word_or_id_is_refused_by_its_parameters_name(action, name, value):
    code, message = complaint(action, {**COMPLETE[action], name: value})
    if name == "product" and isinstance(value, str):
        assert code is Code.UNKNOWN_PRODUCT
    else:
        assert (code, message.partition(" ")[0]) == (Code.INVALID_PARAMETER, name)


@pytest.mark.parametrize(("action", "name"), [(action, name) for action in REQUIRED for name in REQUIRED[action]])
@pytest.mark.parametrize("missing", [{}, {"null": None}], ids=["left out", "null"])
def test_what_is_missing_is_named(action, name, missing):
    params = {key: value for key, value in COMPLETE[action].items() if key != name}
    code, message = complaint(action, {**params, **({name: None} if missing else {})})
    assert (code, message.partition(" ")[0]) == (Code.INVALID_PARAMETER, name)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("amount", "0", Code.INVALID_NUMBER),
        ("amount", -1, Code.INVALID_NUMBER),
        ("amount", "0.5", Code.INVALID_NUMBER),
        ("valid_until", "-1", Code.INVALID_NUMBER),
        ("price", "-1.2", Code.INVALID_NUMBER),
        ("stop_loss", Decimal("-0.0000000001"), Code.INVALID_NUMBER),
        ("valid_until", Decimal("1511482279492.5"), Code.INVALID_NUMBER),
        ("base_currency", "USD", Code.INVALID_PARAMETER),
        ("base_currency", "btc", Code.INVALID_PARAMETER),
        ("side", "BUY", Code.INVALID_PARAMETER),
        ("side", "long", Code.INVALID_PARAMETER),
        ("type", "trailing", Code.INVALID_PARAMETER),
        ("client_order_id", "x" * 65, Code.INVALID_PARAMETER),
        ("client_order_id", 'a"b', Code.INVALID_PARAMETER),
        ("client_order_id", "a|b", Code.INVALID_PARAMETER),
        ("client_order_id", "a\n", Code.INVALID_PARAMETER),
        ("product", "eur-usd", Code.UNKNOWN_PRODUCT),
        ("product", "EUR-USD\n", Code.UNKNOWN_PRODUCT),
        ("product", "X" * 33, Code.UNKNOWN_PRODUCT),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(name, value, code):
    assert complaint("new", {**PENDING, name: value})[0] is code


@pytest.mark.parametrize("written", [f"{{{ID}}}", f"urn:uuid:{ID}", ID[:-1], f"{ID}0", f" {ID}", f"{ID}\n", "7"])
def test_an_id_that_is_none_is_refused(written):
    assert complaint("close", {"id": written}) == (Code.INVALID_PARAMETER, "id is a UUID")


@pytest.mark.parametrize(
    "ratio", ["4:96", "96:4", "40:61", "100:0", "0:100", "040:60", "40", "40:60:0", "-40:140", 0.4]
)
def test_a_ratio_is_two_percentages_from_5_to_95_that_make_100(ratio):
    assert complaint("split", {"id": ID, "ratio": ratio})[0] is Code.INVALID_PARAMETER
    assert [read("split", {"id": ID, "ratio": f"{a}:{100 - a}"}).first_percent for a in (5, 50, 95)] == [5, 50, 95]


@pytest.mark.parametrize("action", NAMES)
@pytest.mark.parametrize("name", ["stoploss", "stop_los", "demo", "account", "user", "Id", "", "reason"])
def test_a_name_that_is_not_known_is_refused_and_named(action, name):
    assert complaint(action, {**COMPLETE[action], name: "1.2"}) == (
        Code.INVALID_PARAMETER, f"Not a parameter of this call: {name}",
    )  # fmt: skip


def test_few_and_short_names_are_repeated():
    _, message = complaint("close", {"id": ID, **{f"{number}{'x' * 90}": 1 for number in range(9)}})
    assert len(message) < 250


@pytest.mark.parametrize("action", ["", "New", "open", "reset"])
def test_an_action_that_is_not_known_is_refused(action):
    assert complaint(action, {"id": ID})[0] is Code.INVALID_PARAMETER


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(FIELDS), ANYTHING)
def test_whatever_comes_is_a_command_or_a_coded_refusal(field, value):
    action, name = field
    refused = outcome(action, {**COMPLETE[action], name: value})
    if refused is not None:
        assert 400 <= ERRORS[refused.code].http_status < 500
        assert refused.code is Code.UNKNOWN_PRODUCT or name in refused.message


def outcome(action, params):
    """Return the refusal that a call meets, or None when it can be read."""
    try:
        read(action, params)
    except Refused as refused:
        return refused
    return None


# ---- where parameters come from


def test_parameters_of_all_places_are_one_set():
    assert requests.merged([("demo", "true"), ("id", ID)], [("id", ID)], [("ratio", "40:60")]) == {
        "demo": "true", "id": ID, "ratio": "40:60",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "body"), [("1.5", Decimal("1.5")), ("7", 7), ("true", True), ("false", False), ("a", "a")]
)
def test_the_same_may_be_said_twice(query, body):
    assert requests.merged([("x", query)], [("x", body)]) == {"x": query}


@pytest.mark.parametrize(
    ("one", "other"), [("1.5", Decimal("1.50")), ("7", 8), ("true", False), ("", None), ("None", None), ("a", ["a"])]
)
def test_what_is_said_twice_and_differently_is_refused(one, other):
    with refused_with(Code.INVALID_PARAMETER) as caught:
        requests.merged([("stop_loss", one)], [("stop_loss", other)])
    assert caught.value.message == "stop_loss is given twice, and differently"


@pytest.mark.parametrize(
    ("demo", "environment"),
    [("true", "demo"), ("True", "demo"), (True, "demo"), ("false", "live"), (False, "live"), (None, "live")],
)
def test_demo_says_whose_money_is_meant(demo, environment):
    assert requests.read_environment({"demo": demo}) == environment
    assert requests.read_environment({}) == "live"


@pytest.mark.parametrize("demo", ["", "1", 1, 0, "yes", "demo", "TRUE ", [], {"demo": True}])
def test_money_is_never_guessed(demo):
    with refused_with(Code.INVALID_PARAMETER):
        requests.read_environment({"demo": demo})
