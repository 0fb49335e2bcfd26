"""What does a trade call ask for? One reader of its parameters for REST and the socket alike (pure).

Only shapes are judged here: words, numbers, ids. What a product allows is the engine's to say. A name that is not known
is refused, for a misspelt `stop_loss` must not become an order without one. Whatever is wrong is named, and nothing of
what was sent is repeated but unknown names. null stands for a parameter that was left out.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from accounts.errors import Code, Refused
from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    EntryType,
    PlaceOrder,
    SplitPosition,
    UpdateTrade,
)
from engine.margin import Side
from engine.values import AccountId, Environment, parse_number, plain
from engine.wire import CURRENCY
from streaming.messages import Action

Params = Mapping[str, object]

NAMES: Mapping[Action, tuple[str, ...]] = {
    "new": (
        "product", "side", "type", "leverage", "amount", "base_currency", "price", "take_profit", "stop_loss",
        "client_order_id", "valid_until",
    ),
    "cancel": ("id",),
    "update": ("id", "price", "take_profit", "stop_loss", "leverage", "margin"),
    "close": ("id",),
    "split": ("id", "ratio"),
}  # fmt: skip
"""What each call takes."""

SIDES: Mapping[str, Side] = {"buy": "buy", "sell": "sell"}
TYPES: Mapping[str, EntryType] = {"market": "market", "pending": "pending", "limit": "limit", "stop": "stop"}

MAX_STAMP_MS = 10**15 - 1
"""The latest time that is one: about the year 33,000."""

MAX_DIGITS = 30
"""Of a number that is worth showing to the parser, which takes 25."""

LOWEST_PERCENT, HIGHEST_PERCENT = 5, 95
"""Of a split, to either part."""

MAX_NAMED, MAX_NAME = 5, 32
"""How many of the names that are not known a refusal repeats, and how much of each."""

_PRODUCT = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}", re.ASCII)
_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})", re.ASCII | re.I)
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)", re.ASCII)

_Word = TypeVar("_Word")


def read(action: str, params: Params, *, account: AccountId, first_id: str, second_id: str) -> Command:
    """Return the command of a call; the ids are for what it makes. Raises `Refused` that names what is wrong."""
    match action:
        case "new":
            return read_new(params, account=account, id=first_id)
        case "cancel":
            return read_cancel(params, account=account)
        case "update":
            return read_update(params, account=account)
        case "close":
            return read_close(params, account=account)
        case "split":
            return read_split(params, account=account, first_id=first_id, second_id=second_id)
        case _:
            raise _wrong(f"action is one of {', '.join(NAMES)}")


def read_new(params: Params, *, account: AccountId, id: str) -> PlaceOrder:
    _check_names(params, NAMES["new"])
    if params.get("base_currency") not in (None, CURRENCY):
        raise _wrong(f"base_currency is {CURRENCY}")
    return PlaceOrder(
        account=account,
        id=id,
        product=_product(params),
        side=_word(params, "side", SIDES),
        type=_word(params, "type", TYPES),
        leverage=_required(params, "leverage", _number),
        amount=_required(params, "amount", _amount),
        price=_optional(params, "price", _number),
        take_profit=_optional(params, "take_profit", _number),
        stop_loss=_optional(params, "stop_loss", _number),
        valid_until_ms=_optional(params, "valid_until", _whole),
        client_order_id=_optional(params, "client_order_id", _client_order_id) or "",
    )


def read_cancel(params: Params, *, account: AccountId) -> CancelOrder:
    _check_names(params, NAMES["cancel"])
    return CancelOrder(account=account, id=read_id(params))


def read_update(params: Params, *, account: AccountId) -> UpdateTrade:
    _check_names(params, NAMES["update"])
    return UpdateTrade(
        account=account,
        id=read_id(params),
        price=_optional(params, "price", _number),
        take_profit=_optional(params, "take_profit", _number),
        stop_loss=_optional(params, "stop_loss", _number),
        leverage=_optional(params, "leverage", _number),
        margin=_optional(params, "margin", _number),
    )


def read_close(params: Params, *, account: AccountId) -> ClosePosition:
    _check_names(params, NAMES["close"])
    return ClosePosition(account=account, id=read_id(params))


def read_split(params: Params, *, account: AccountId, first_id: str, second_id: str) -> SplitPosition:
    _check_names(params, NAMES["split"])
    return SplitPosition(
        account=account,
        id=read_id(params),
        first_percent=_required(params, "ratio", _first_percent),
        first_id=first_id,
        second_id=second_id,
    )


def read_id(params: Params) -> str:
    """Return the `id` of a trade as the engine spells it; one that is no UUID is `invalid_parameter`."""
    return _required(params, "id", _uuid)


def read_client_order_id(params: Params) -> str:
    return _required(params, "client_order_id", _client_order_id)


def read_whole(params: Params, name: str, *, default: int, lowest: int = 0, highest: int = MAX_STAMP_MS) -> int:
    """Return a bound of a read: how many, from when, behind which offset."""
    value = params.get(name)
    if value is None or value == "":
        return default
    try:
        number = _whole(name, value)
    except Refused:
        number = lowest - 1
    if not lowest <= number <= highest:
        raise _wrong(f"{name} is a whole number from {lowest} to {highest}")
    return number


def merged(*sources: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Return the parameters of a call that come in several places; one said twice must be the same both times.

    Raises `Refused` that names it.

    >>> merged([("id", "7"), ("demo", "true")], [("id", 7), ("demo", True)])
    {'id': '7', 'demo': 'true'}
    """
    found: dict[str, object] = {}
    for source in sources:
        for name, value in source:
            if name not in found:
                found[name] = value
            elif _spelled(found[name]) != _spelled(value):
                raise _wrong(f"{name[:MAX_NAME]} is given twice, and differently")
    return found


def read_environment(params: Params) -> Environment:
    """Return whose money a call means: `demo` says so, live is the default."""
    match _spelled(params.get("demo")):
        case "true" | "True":
            return "demo"
        case None | "false" | "False":
            return "live"
        case _:
            raise _wrong("demo is true or false")


def _spelled(value: object) -> str | None:
    """Return how a query string would say it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, Decimal) else str(value)


def _check_names(params: Params, known: tuple[str, ...]) -> None:
    unknown = sorted(name for name in params if name not in known)
    if unknown:
        named = ", ".join(name[:MAX_NAME] for name in unknown[:MAX_NAMED])
        raise _wrong(f"Not a parameter of this call: {named}")


def _optional(params: Params, name: str, reader: Callable[[str, object], _Word]) -> _Word | None:
    value = params.get(name)
    return None if value is None else reader(name, value)


def _required(params: Params, name: str, reader: Callable[[str, object], _Word]) -> _Word:
    value = params.get(name)
    if value is None:
        raise _wrong(f"{name} is missing")
    return reader(name, value)


def _word(params: Params, name: str, words: Mapping[str, _Word]) -> _Word:
    value = params.get(name)
    if not isinstance(value, str) or value not in words:
        raise _wrong(f"{name} is one of {', '.join(words)}")
    return words[value]


def _product(params: Params) -> str:
    value = params.get("product")
    if not isinstance(value, str):
        raise _wrong("product is a product's name, such as EUR-USD")
    if _PRODUCT.fullmatch(value) is None:
        raise Refused(Code.UNKNOWN_PRODUCT)
    return value


def _number(name: str, value: object) -> Decimal:
    """Return a number that came as a string or a JSON number; nothing here may be below zero."""
    try:
        number = parse_number(_digits(value))
    except ValueError:  # of the parser; and of str(), for an int of thousands of digits
        raise Refused(Code.INVALID_NUMBER, f"{name} is not a plain decimal number") from None
    if number < 0:
        raise Refused(Code.INVALID_NUMBER, f"{name} is below zero")
    return number


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        # Written out only where that is short: 1e999999 would be a megabyte.
        return plain(value) if abs(value.adjusted()) < MAX_DIGITS else ""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _whole(name: str, value: object) -> int:
    number = _number(name, value)
    if number != number.to_integral_value():
        raise Refused(Code.INVALID_NUMBER, f"{name} is a whole number")
    return int(number)


def _amount(name: str, value: object) -> int:
    amount = _whole(name, value)
    if amount < 1:
        raise Refused(Code.INVALID_NUMBER, f"{name} is a whole number of contracts, above zero")
    return amount


def _client_order_id(name: str, value: object) -> str:
    if not isinstance(value, str) or _CLIENT_ORDER_ID.fullmatch(value) is None:
        raise _wrong(f"{name} is 1 to 64 letters, digits and . _ : -")
    return value


def _uuid(name: str, value: object) -> str:
    found = _UUID.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong(f"{name} is a UUID")
    return "-".join(found.groups()).lower()


def _first_percent(name: str, value: object) -> int:
    found = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) + int(found[2]) != 100 or not LOWEST_PERCENT <= int(found[1]) <= HIGHEST_PERCENT:
        raise _wrong(f"{name} is two whole percentages from {LOWEST_PERCENT} to {HIGHEST_PERCENT}, such as 40:60")
    return int(found[1])


def _wrong(message: str) -> Refused:
    return Refused(Code.INVALID_PARAMETER, message)
