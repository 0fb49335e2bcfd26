"""The checks that placing and changing share, at their very edges. What they refuse is in the tests of both."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checks import (
    MAX_PRICE,
    allowed_leverage,
    balance,
    check_stop_loss,
    check_take_profit,
    checked_margin,
    closing_price,
    moved,
    on_tick,
    opening_price,
)
from engine.events import BalanceChanged, MoneyMoved
from engine.margin import margin_of, size_of
from engine.refusals import Refusal, RefusalCode
from engine.values import Market
from market.fields import to_scaled
from tests.engine.worlds import DEMO, World, terms

PRICES = st.decimals(min_value="0.00000001", max_value=MAX_PRICE, places=8)


def code_of(check, *args, **kwargs):
    """Return why a check refuses, or None."""
    try:
        check(*args, **kwargs)
    except Refusal as refusal:
        return refusal.code
    return None


@given(PRICES, st.integers(0, 8))
def test_a_price_on_the_tick_is_the_same_price_with_the_products_digits(price, digits):
    on_grid = price.quantize(Decimal(1).scaleb(-digits)) == price
    assert code_of(on_tick, price, terms(digits=digits)) == (None if on_grid else RefusalCode.PRICE_OFF_TICK)
    if on_grid:
        exact = on_tick(price, terms(digits=digits))
        assert exact == price
        assert exact.as_tuple().exponent == -digits


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_largest_price_and_its_liquidation_fit_into_the_database(side):
    world = World(bid=MAX_PRICE, ask=MAX_PRICE, liquidation_fraction=(1, 1))
    position = world.given_position(side=side, amount=1000, leverage=1)
    assert to_scaled(position.price)
    assert to_scaled(position.liquidation_price) >= 0


def test_what_is_bought_costs_the_ask_and_what_is_sold_brings_the_bid():
    market = Market(Decimal(1), Decimal(2))
    assert opening_price(market, "buy") == closing_price(market, "sell") == market.ask
    assert opening_price(market, "sell") == closing_price(market, "buy") == market.bid


@given(st.decimals(min_value=0, max_value=400, places=3))
def test_a_leverage_is_within_bounds_and_of_two_places(leverage):
    allowed = 1 <= leverage <= 300 and leverage * 100 % 1 == 0
    assert (code_of(allowed_leverage, leverage, terms()) is None) == allowed


@given(st.integers(1, 10**6), st.decimals(min_value=0, max_value=1001, places=9))
def test_a_margin_lies_between_that_of_the_highest_leverage_and_the_size(amount, margin):
    size = size_of(amount)
    lowest = margin_of(size=size, leverage=Decimal(300))
    allowed = lowest <= margin <= size and margin * 10**8 % 1 == 0
    assert (code_of(checked_margin, margin, size=size, terms=terms()) is None) == allowed
    if allowed:
        kept, leverage = checked_margin(margin, size=size, terms=terms())
        assert kept == margin
        assert abs(leverage - size / margin) <= Decimal("0.005")
        assert 1 <= leverage <= 301


def test_without_exits_there_is_nothing_to_check():
    position = World().given_position()
    assert code_of(check_take_profit, position) is code_of(check_stop_loss, position) is None


def test_a_refused_exit_is_told_where_it_belongs():
    outcomes = [World().place(side=side, take_profit="1.26632") for side in ("buy", "sell")]
    words = [outcome.refusal.message if outcome.refusal else "" for outcome in outcomes]
    assert words == ["The take profit lies above the price 1.26635", "The take profit lies below the price 1.26630"]
    stop = World().place(stop_loss="1.3").refusal
    assert stop.message == "The stop loss lies between the price 1.26635 and the liquidation price 1.26354"


def test_nothing_to_move_is_no_movement_and_an_equal_balance_no_news():
    assert moved(DEMO, "profit", "house.pnl", "user.margin", Decimal("0E-8")) == ()
    assert moved(DEMO, "profit", "house.pnl", "user.margin", Decimal(1), reference="t1") == (
        MoneyMoved(DEMO, "profit", "house.pnl", "user.margin", Decimal(1), "t1"),
    )
    assert balance(DEMO, before=Decimal(1), change=Decimal(0)) == ()
    assert balance(DEMO, before=Decimal(1), change=Decimal(-1)) == (BalanceChanged(DEMO, Decimal(0)),)
