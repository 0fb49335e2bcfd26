"""What both dialects share: shapes and bounds of messages, ticks handed in, and how a refusal is written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import ERRORS, Code, Refused
from engine.values import Tick
from streaming.dialects.base import (
    MAX_ID_LENGTH,
    MAX_NAMES,
    MAX_TICKS,
    PublishMessage,
    bounded,
    camel,
    decode_publish,
    message_id,
    refusal,
    shaped,
)
from streaming.dialects.json_text import read_object


def refusal_of(call, *arguments):
    with pytest.raises(Refused) as refused:
        call(*arguments)
    return refused.value


# ---- ids


@given(st.text(max_size=MAX_ID_LENGTH) | st.integers() | st.none())
def test_an_id_is_kept_as_it_is(value):
    assert message_id({"id": value}) is value


@pytest.mark.parametrize("value", [True, False, Decimal("1.5"), [], {}, "x" * (MAX_ID_LENGTH + 1)], ids=repr)
def test_other_ids_are_refused(value):
    assert refusal_of(message_id, {"id": value}).code is Code.INVALID_MESSAGE


def test_a_message_need_not_have_one():
    assert message_id({}) is None


# ---- shapes


def test_what_does_not_fit_is_named_by_its_path_and_never_quoted():
    refused = refusal_of(shaped, {"ticks": [1, "secret"]}, PublishMessage)
    assert (refused.code, refused.message) == (Code.INVALID_MESSAGE, "Expected `array`, got `int` - at `$.ticks[0]`")


def test_names_have_a_bound():
    assert bounded(["x"] * MAX_NAMES) == ["x"] * MAX_NAMES
    assert refusal_of(bounded, ["x"] * (MAX_NAMES + 1)).code is Code.TOO_MANY_NAMES


# ---- ticks handed in


def published(*ticks):
    return decode_publish({"ticks": list(ticks)}).ticks


def test_prices_may_be_numbers_or_text_and_keep_their_digits():
    message = read_object('{"type":"publish","ticks":[["EURUSD",1.0850,"1.0852",1709742000000],["X",2,"3",0]]}')
    assert repr(decode_publish(message).ticks) == repr(
        (
            Tick("EURUSD", Decimal("1.0850"), Decimal("1.0852"), 1709742000000),
            Tick("X", Decimal("2"), Decimal("3"), 0),
        )
    )


@pytest.mark.parametrize(
    ("tick", "code"),
    [
        ([], Code.INVALID_MESSAGE),
        (["EURUSD", 1, 2], Code.INVALID_MESSAGE),
        (["EURUSD", 1, 2, 3, 4], Code.INVALID_MESSAGE),
        ([1, 1, 2, 3], Code.INVALID_MESSAGE),
        (["EURUSD", 1, 2, "3"], Code.INVALID_MESSAGE),
        (["EURUSD", 1, 2, True], Code.INVALID_MESSAGE),
        (["EURUSD", 1, 2, Decimal("3.0")], Code.INVALID_MESSAGE),
        (["EURUSD", True, 2, 3], Code.INVALID_NUMBER),
        (["EURUSD", None, 2, 3], Code.INVALID_NUMBER),
        (["EURUSD", [], 2, 3], Code.INVALID_NUMBER),
        (["EURUSD", "1e5", 2, 3], Code.INVALID_NUMBER),
        (["EURUSD", "NaN", 2, 3], Code.INVALID_NUMBER),
        (["EURUSD", "\u0661", 2, 3], Code.INVALID_NUMBER),
        (["EURUSD", 1, " 2", 3], Code.INVALID_NUMBER),
    ],
    ids=repr,
)
def test_a_tick_that_cannot_be_read_is_named_by_its_index(tick, code):
    refused = refusal_of(published, ["EURUSD", 1, 2, 3], tick)
    assert refused.code is code
    assert refused.message.endswith("at `$.ticks[1]`")


def test_ticks_have_a_bound():
    tick = ["EURUSD", 1, 2, 3]
    assert len(published(*[tick] * MAX_TICKS)) == MAX_TICKS
    assert refusal_of(published, *[tick] * (MAX_TICKS + 1)).code is Code.TOO_MANY_NAMES


def test_no_ticks_are_no_error():
    assert published() == ()


# ---- refusals


@pytest.mark.parametrize("code", Code)
def test_every_refusal_has_the_documents_keys_and_then_its_code(code):
    text = f'{{"type":"error","message":"{ERRORS[code].message}","code":"{code}"}}'
    assert refusal(Refused(code), None).decode() == text


def test_details_follow_in_camel_case_and_the_id_is_last():
    refused = Refused(Code.TIMESTAMP_OUT_OF_WINDOW, "Late", server_time=2, drift_ms=-1)
    assert refusal(refused, "a") == (
        b'{"type":"error","message":"Late","code":"timestamp_out_of_window","serverTime":2,"driftMs":-1,"id":"a"}'
    )


@pytest.mark.parametrize(("name", "written"), [("ok", "ok"), ("server_time", "serverTime"), ("a_b_c", "aBC")])
def test_control_messages_are_camel_case(name, written):
    assert camel(name) == written
