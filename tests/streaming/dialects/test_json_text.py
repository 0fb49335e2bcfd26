"""Is JSON from outside read strictly, in linear time, and with the slips of the documents forgiven?"""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Code, Refused
from streaming.dialects.json_text import MAX_DEPTH, read_id, read_object

# json writes lone surrogates, which no socket can carry.
texts = st.text(st.characters(exclude_categories=["Cs"]))
whole = st.integers(-(10**17), 10**17)
scalars = st.none() | st.booleans() | whole | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


def nested(levels):
    """Return an object whose innermost list is this many levels deep."""
    return '{"x":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def refusal_of(text):
    with pytest.raises(Refused) as refused:
        read_object(text)
    return refused.value


def outcome(text):
    """Return "read" for an object, else the code of the refusal; anything else is an exception of ours."""
    try:
        return "read" if isinstance(read_object(text), dict) else "no object"
    except Refused as refused:
        return refused.code


def depth_of(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (1 if isinstance(value, dict | list) else 0) + max(map(depth_of, inner), default=0)


@given(st.dictionaries(texts, values, max_size=4), st.booleans())
def test_it_reads_what_json_writes(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    if depth_of(value) <= MAX_DEPTH:
        assert read_object(text) == value
    else:
        assert refusal_of(text).code is Code.INVALID_JSON


@given(st.text(st.sampled_from('{}[]",:\\u d8001.eE-NaN\n'), max_size=40))
def test_whatever_comes_is_an_object_or_refused(text):
    assert outcome(text) in ("read", Code.INVALID_JSON, Code.INVALID_NUMBER)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "nonsense", "null", "7", '"text"', "[1]", "{", "{}{}", "{'a':1}", '{"a":1}x', '{"a":tru}',
        '{"a":1,"a":1}', '{"b":{"a":1,"a":2}}', '{"a":"line\nbreak"}', '{"a":01}', '{"a":.5}', '{"a":+1}', '{"a":1_0}',
        '{"a":٣}', '{"a":1٣}', '{"a":"\\ud800"}', '{"a":"\\udc00\\ud800"}', '{"\\ud800":1}', "\ufeff{}",
    ],
)  # fmt: skip
def test_it_refuses_what_is_not_a_json_object(text):
    assert refusal_of(text).code is Code.INVALID_JSON


def test_a_pair_of_surrogates_is_a_character():
    assert read_object('{"a":"\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "1e5", "1E-5", "1e999999", "1.5e3", "0.12345678901", "1" * 16 + ".5", "9" * 20],
)
@pytest.mark.parametrize("end", ["}", ",}"], ids=["", "with a trailing comma"])
def test_it_refuses_numbers_that_are_not_plain_and_bounded(number, end):
    assert refusal_of('{"a":' + number + end).code is Code.INVALID_NUMBER


def test_fractions_are_decimals_with_the_places_that_were_sent():
    assert repr(read_object('{"a":1.0850,"b":-0.5,"c":7}')) == "{'a': Decimal('1.0850'), 'b': Decimal('-0.5'), 'c': 7}"
    assert read_object('{"a":' + "9" * 19 + "}") == {"a": 10**19 - 1}


def test_it_refuses_one_level_too_many():
    assert read_object(nested(MAX_DEPTH))
    refused = refusal_of(nested(MAX_DEPTH + 1))
    assert (refused.code, refused.message) == (Code.INVALID_JSON, "The message is nested deeper than 8 levels")


def test_brackets_in_a_string_are_no_levels():
    assert read_object(json.dumps({"a": "[{" * 50 + '"'})) == {"a": "[{" * 50 + '"'}


# ---- the documents' typos


def test_the_event_documents_subscribe_with_its_trailing_comma_is_read():
    text = """{
      "type": "subscribe",
      "channels": [
        "trading:quotes:EUR-USD",
        "trading:quotes:BTC-USD",
        "trading:positions",
      ],
      "auth": {"key": "8b6bcdc6-5ef8-463b-833f-3681dc2c90d3", "sig": "5a1073b6", "timestamp": 1511027890939}
    }"""
    message = read_object(text)
    assert message["channels"] == ["trading:quotes:EUR-USD", "trading:quotes:BTC-USD", "trading:positions"]
    assert message["auth"]["timestamp"] == 1511027890939


@given(st.dictionaries(texts, values, max_size=3), st.sampled_from(["", " ", "\n\t "]))
def test_a_comma_behind_the_last_element_changes_nothing(value, space):
    value |= {"list": [1, ",]", "}"], "last": ""}
    pairs = ",".join(f"{json.dumps(key)}:{json.dumps(inner)}" for key, inner in value.items())
    if depth_of(value) <= MAX_DEPTH:
        assert read_object(f"{{{pairs}{space},{space}}}") == value


@pytest.mark.parametrize("text", ["{,}", '{"a":[,]}', '{"a":[1,,]}', '{"a":[,1]}', '{"a":1,,}', '{"a":,}', ',{"a":1}'])
def test_a_comma_behind_nothing_is_not_read(text):
    assert refusal_of(text).code is Code.INVALID_JSON


@pytest.mark.parametrize(
    "text",
    ['{"type":"subscribe" "channels":[]}', '{"channels":["heartbeat" "heartbeat"]}', '{"first":{} "second":{}}'],
)
def test_a_missing_comma_is_refused_and_never_guessed(text):
    assert refusal_of(text).code is Code.INVALID_JSON


# ---- time


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"' + '\\"' * 32_000,
        "[" * 9 + '"' + '\\"' * 32_000,
        '{"a":"' + "\\" * 64_000,
        "{" + '"' * 64_000,
        '{"a":[' + "," * 64_000,
        '{"a":[1' + ", " * 32_000,
        '{"a":[1,' + " " * 64_000,
        "[{" * 32_000,
        '{"a":' + "1" * 64_000,
    ],
    ids=range(9),
)
def test_no_message_takes_more_than_linear_time(text):
    # Quadratic: six seconds. CPU time, because other processes are no concern here.
    began_s = time.process_time()
    refusal_of(text)
    assert time.process_time() - began_s < 0.5


# ---- the id of a message that could not be read


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"id":"a","x":NaN}', "a"),
        ('{"id":7,"x":1e999999}', 7),
        ('{"id":7,"x":1,"x":2}', 7),
        ('{"id":7,"x":"\\ud800"}', 7),
        ('{"id":1,"id":2}', None),
        ('{"id":1e5,"x":NaN}', None),
        ('{"id":"\\ud800"}', None),
        ('{"id":true,"x":NaN}', None),
        ('{"id":"' + "x" * 65 + '","x":NaN}', None),
        ('{"id":5,' + "[" * 5_000, None),
        ('{"id":5', None),
        ('["id"]', None),
        ("", None),
    ],
)
def test_an_id_is_found_where_the_message_is_json_at_all(text, found):
    assert read_id(text) == found


def test_a_price_is_exact():
    assert read_object('{"a":0.1}')["a"] + Decimal("0.2") == Decimal("0.3")
