"""Inputs as text: exact there and back, and the text itself, which journals keep for years."""

from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from engine.commands import COMMANDS, Input, PlaceOrder, SetTerms, Trigger
from engine.values import AccountId, Market, Terms
from trading.entries import entry_read, entry_text

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ACCOUNTS = st.builds(AccountId, st.sampled_from(["live", "demo"]), st.integers(0, 2**63 - 1))
MARKETS = st.builds(Market, NUMBERS, NUMBERS, st.sampled_from(["open", "stale", "closed", "halted"]))
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    Decimal: NUMBERS, str: TEXTS, int: st.integers(-(2**63), 2**63 - 1), AccountId: ACCOUNTS, bool: st.booleans(),
    type(None): st.none(),
}  # fmt: skip


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return what a field of this type may hold."""
    if hint in BY_TYPE:
        return BY_TYPE[hint]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return built(hint)
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        return st.tuples(*map(values, get_args(hint)))
    return st.one_of(*map(values, get_args(hint)))


def built(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{field.name: values(field.type) for field in fields(kind)})


COMMAND = st.sampled_from(list(COMMANDS.values())).flatmap(built)
INPUTS = st.builds(Input, COMMAND, st.integers(0, 2**62), st.dictionaries(TEXTS, MARKETS, max_size=2))


@given(INPUTS)
def test_what_is_read_is_what_was_written(entry):
    read = entry_read(entry_text(entry))
    assert read == entry
    # Decimals are equal whatever their places; their text is not.
    assert repr(read) == repr(entry)


def test_the_text_of_an_order():
    order = PlaceOrder(
        account=AccountId("demo", 7), id="1f0b", product="EUR-USD", side="buy", type="market",
        leverage=Decimal("300.0"), amount=1_000_000, client_order_id='a"b',
    )  # fmt: skip
    market = Market(Decimal("1.26630"), Decimal("1.26635"))
    assert entry_text(Input(order, 1_511_482_279_492, {"EUR-USD": market})) == (
        '{"kind":"place_order","time_ms":1511482279492,"command":{"account":["demo",7],"id":"1f0b","product":"EUR-USD",'
        '"side":"buy","type":"market","leverage":"300.0","amount":1000000,"price":null,"take_profit":null,'
        '"stop_loss":null,"valid_until_ms":null,"client_order_id":"a\\"b"},'
        '"markets":{"EUR-USD":{"bid":"1.26630","ask":"1.26635","state":"open"}}}'
    )


def test_the_text_of_terms():
    terms = Terms(
        product="EUR-USD", digits=5, max_leverage=Decimal(300), max_size=Decimal("1E+4"), decay_rate=Decimal("0.00003")
    )
    assert entry_text(Input(SetTerms(terms=terms), 0)) == (
        '{"kind":"set_terms","time_ms":0,"command":{"terms":{"product":"EUR-USD","digits":5,"max_leverage":"300",'
        '"max_size":"1E+4","decay_rate":"0.00003","liquidation_fraction":[2,3],"liquidation_loss":"full_margin",'
        '"halted":false}},"markets":{}}'
    )


def test_an_entry_of_before_a_field_was_added_is_read():
    """A field with a default may be added to a command: what was journaled before means the default."""
    text = '{"kind":"trigger","time_ms":1,"command":{"account":["live",1],"id":"a"}}'
    assert entry_read(text) == Input(Trigger(account=AccountId("live", 1), id="a"), 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "null", "[]", '{"kind":"trigger"}', '{"kind":"unheard_of","time_ms":1,"command":{}}',
        '{"kind":"trigger","time_ms":1,"command":{"account":["paper",1],"id":"a"}}',
        '{"kind":"trigger","time_ms":1,"command":{"account":["live",1]}}',
        '{"kind":"deposit","time_ms":1,"command":{"account":["live",1],"amount":"much"}}',
    ],
)  # fmt: skip
def test_any_other_text_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        entry_read(text)
