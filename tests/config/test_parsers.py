"""A REST body is read as a message of the streams is."""

import io
from decimal import Decimal

import pytest

from accounts.errors import Code, Refused
from config.parsers import StrictJSONParser


def parsed(body):
    return StrictJSONParser().parse(io.BytesIO(body))


def test_fractions_are_decimals_with_every_digit():
    assert str(parsed(b'{"price": 1.0850}')["price"]) == "1.0850"
    assert parsed('{"words": "é", "count": 3}'.encode()) == {"words": "é", "count": 3}
    assert isinstance(parsed(b'{"price": 0.1}')["price"], Decimal)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.INVALID_JSON),
        (b"[1]", Code.INVALID_JSON),
        (b'{"a": 1, "a": 2}', Code.INVALID_JSON),
        (b'{"a": "\xff"}', Code.INVALID_JSON),
        (b'{"a": 1e999999}', Code.INVALID_NUMBER),
        (b'{"a": NaN}', Code.INVALID_NUMBER),
    ],
)
def test_what_is_no_object_of_plain_values_is_refused(body, code):
    with pytest.raises(Refused) as refused:
        parsed(body)
    assert refused.value.code is code
