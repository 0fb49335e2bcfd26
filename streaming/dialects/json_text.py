"""JSON from outside, read strictly: bounded depth, no duplicate keys, numbers through the one parser (pure)."""

import json
import re
from typing import Any, NoReturn

from accounts.errors import Code, Refused
from engine.values import NumberInvalid, parse_number
from streaming.dialects.base import MessageId, message_id

MAX_DEPTH = 8
"""The deepest message of both documents has 3 levels; 8 leaves room and keeps every reader's stack flat."""

_MAX_INTEGER_DIGITS = 19
"""A millisecond stamp has 13 digits and int64 has 19: longer ones cost quadratic time and mean nothing."""

# Possessive, and content with a string that does not end: a scan that starts anew at each quote is quadratic, and 64 KB
# of escaped quotes would hold the process for half a minute.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_TOKEN = re.compile(rf"{_STRING}|[\[{{\]}}]", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING}|[\[{{,:]\s*+,)|,(?=\s*+[\]}}])", re.DOTALL)
"""A comma in front of a closing bracket; in group 1 what is to be kept: strings, and commas behind no element."""


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a client's message; fractions become `Decimal`.

    Raises `Refused`: INVALID_JSON (not JSON, not an object, a key twice, too deep, a lone surrogate),
    INVALID_NUMBER (NaN, exponents, too many digits).

    A comma behind the last element is dropped: the event document's own subscribe example has one.

    >>> read_object('{"type":"subscribe","channels":["trading:positions",]}')
    {'type': 'subscribe', 'channels': ['trading:positions']}
    """
    if _depth(text) > MAX_DEPTH:
        raise Refused(Code.INVALID_JSON, f"The message is nested deeper than {MAX_DEPTH} levels")
    try:
        value = _load(text)
    except NumberInvalid:
        raise Refused(Code.INVALID_NUMBER) from None
    if not isinstance(value, dict):
        raise Refused(Code.INVALID_JSON, "The message is not a JSON object")
    return value


def read_id(text: str) -> MessageId:
    """Return the `id` of a message that `read_object` refused, so that its sender knows which one it was.

    None where the text is no JSON at all, or its id is none.

    >>> read_id('{"type":"publish","ticks":[["EURUSD",NaN,1,1]],"id":7}')
    7
    """
    if _depth(text) > MAX_DEPTH:
        return None
    try:
        message = _FORGIVING_DECODER.decode(text)
        return message_id(message) if isinstance(message, dict) and _is_text(message.get("id")) else None
    except (ValueError, Refused):
        return None


def _load(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except ValueError as error:
        if isinstance(error, NumberInvalid):
            raise
        value = _load_without_trailing_commas(text)
    # json takes lone surrogates ("\ud800"), which no socket could send back.
    if "\\u" in text and not _is_text(value):
        raise Refused(Code.INVALID_JSON, "A string is not valid Unicode")
    return value


def _load_without_trailing_commas(text: str) -> Any:
    mended = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    if mended == text:
        raise Refused(Code.INVALID_JSON)
    try:
        return _DECODER.decode(mended)
    except NumberInvalid:
        raise
    except ValueError:
        raise Refused(Code.INVALID_JSON) from None


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for found in _TOKEN.findall(text):
        if found in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found in "]}":
            depth -= 1
    return deepest


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(Code.INVALID_JSON, "A key appears twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise NumberInvalid("too many digits")
    return int(text)


def _constant(_: str) -> NoReturn:
    raise NumberInvalid("NaN and Infinity are not numbers here")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=parse_number, parse_int=_integer, parse_constant=_constant
)


def _one_id(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object without its `id` where it has two: nobody knows which one is meant."""
    found = dict(pairs)
    if sum(key == "id" for key, _ in pairs) > 1:
        del found["id"]
    return found


def _integer_or_nothing(text: str) -> int | None:
    return int(text) if len(text) <= _MAX_INTEGER_DIGITS else None


_FORGIVING_DECODER = json.JSONDecoder(
    object_pairs_hook=_one_id, parse_float=float, parse_int=_integer_or_nothing, parse_constant=float
)
