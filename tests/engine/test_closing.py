"""Positions end and pending orders begin: at which price, for which reason, and where the money goes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.closing import closing_of, settled
from engine.commands import Trigger
from engine.events import Closing
from engine.margin import SATOSHI
from engine.refusals import RefusalCode
from tests.engine.worlds import (
    DEMO,
    HOUR_MS,
    LIVE,
    OTHER,
    START_MS,
    World,
    balance,
    closed,
    movements,
    opened,
    refused,
    told,
)

WHOLE = {"liquidation_fraction": (1, 1)}
FOUR_FIFTHS = {"liquidation_fraction": (4, 5), "max_size": Decimal(10_000)}
VECTORS = [
    ("buy", 1_000_000, 300, "1.26635", "1.26995", {}, "1.26354", "2.84281590", "85.2845"),
    ("sell", 1_000_000, 300, "1.26635", "1.26995", WHOLE, "1.27057", "-2.84281590", "-85.2845"),
    ("buy", 100_000, 200, "1.12000", "1.13000", FOUR_FIFTHS, "1.11552", "0.89285714", "178.5714"),
    ("buy", 100_000, 200, "1.12000", "1.11800", FOUR_FIFTHS, "1.11552", "-0.17857142", "-35.7143"),
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS)
def test_golden_vectors_from_the_order_to_the_balance(vector):
    side, amount, leverage, entry, close, changes, liquidation, pnl, percent = vector
    world = World(bid=entry, ask=entry, **changes)
    position = world.given_position(side=side, amount=amount, leverage=leverage)
    assert str(position.liquidation_price) == liquidation
    assert world.quote(close, close) == []
    outcome = world.close("t1")
    ended = closed(outcome)
    assert (str(ended.pnl), str(ended.pnl_percent), ended.reason, ended.decay) == (pnl, percent, "manual", 0)
    assert told(outcome) == ["position:close", "balance"]
    assert balance(outcome) == str(10 + Decimal(pnl))


@pytest.mark.parametrize(("side", "price"), [("buy", "1.26640"), ("sell", "1.26650")])
def test_a_buy_closes_at_the_bid_and_a_sell_at_the_ask(side, price):
    world = World()
    world.given_position(side=side)
    world.quote("1.26640", "1.26650")
    assert str(closed(world.close("t1")).price) == price


def test_a_position_is_closed_once_and_by_its_owner():
    world = World()
    world.given_position()
    assert refused(world.close("t1", account=OTHER)) is RefusalCode.NOT_FOUND
    assert refused(world.close("t1", account=LIVE)) is RefusalCode.NOT_FOUND
    assert world.close("t1").refusal is None
    assert refused(world.close("t1")) is RefusalCode.NOT_FOUND


def test_a_pending_order_cannot_be_closed():
    world = World()
    world.given_order(price="1.2")
    assert refused(world.close("t1")) is RefusalCode.NOT_FOUND


@pytest.mark.parametrize(
    ("state", "code"), [("halted", "halted"), ("closed", "market_closed"), ("stale", "price_outdated")]
)
def test_nothing_is_closed_or_triggered_while_the_market_does_not_trade(state, code):
    world = World()
    world.given_position()
    world.quote("1.26400")
    world.market_is(state)
    assert refused(world.close("t1")) == refused(world.do(Trigger(account=DEMO, id="t1"))) == code


# ---- triggers


LONG = {"side": "buy", "take_profit": "1.27000", "stop_loss": "1.26500"}
SHORT = {"side": "sell", "take_profit": "1.26000", "stop_loss": "1.26800"}


@pytest.mark.parametrize(
    ("position", "bid", "ask", "reason"),
    [
        (LONG, "1.26999", "1.27100", None), (LONG, "1.27000", "1.27100", "take_profit"),
        (LONG, "1.28000", "1.28001", "take_profit"), (LONG, "1.26501", "1.26502", None),
        (LONG, "1.26500", "1.26600", "stop_loss"), (LONG, "1.26400", "1.26600", "stop_loss"),
        (LONG, "1.26355", "1.26600", "stop_loss"), (LONG, "1.26354", "1.26600", "liquidation"),
        (LONG, "1.20000", "1.26600", "liquidation"),
        (SHORT, "1.25000", "1.26001", None), (SHORT, "1.25000", "1.26000", "take_profit"),
        (SHORT, "1.25000", "1.25001", "take_profit"), (SHORT, "1.26500", "1.26799", None),
        (SHORT, "1.26500", "1.26800", "stop_loss"), (SHORT, "1.26500", "1.26900", "stop_loss"),
        (SHORT, "1.26500", "1.26910", "stop_loss"), (SHORT, "1.26500", "1.26911", "liquidation"),
        (SHORT, "1.26500", "1.30000", "liquidation"),
    ],
)  # fmt: skip
def test_a_level_is_reached_by_the_closing_sides_price_and_the_worst_counts(position, bid, ask, reason):
    world = World()
    world.given_position(**position)
    events = world.quote(bid, ask)
    assert (closed(events).reason if events else None) == reason
    if reason:
        assert closed(events).price == Decimal(bid if position is LONG else ask)


def test_a_trade_that_the_price_does_not_reach_is_left_alone():
    world = World()
    world.given_position()
    world.given_order(price="1.2")
    for identifier in ("t1", "t2", "none"):
        assert refused(world.do(Trigger(account=DEMO, id=identifier))) is RefusalCode.NOT_FOUND
    assert refused(world.do(Trigger(account=DEMO._replace(user_id=9), id="t1"))) is RefusalCode.NOT_FOUND


def test_a_liquidated_position_loses_its_whole_margin_whatever_the_price_and_the_time():
    world = World()
    world.given_position()
    world.later(16 * HOUR_MS)
    events = world.quote("1.26354")
    assert told(events) == ["position:close"]
    ended = closed(events)
    assert (str(ended.pnl), str(ended.pnl_percent), str(ended.decay)) == ("-3.33333333", "-100.0000", "0")
    assert (ended.price, ended.reason, ended.time_ms) == (Decimal("1.26354"), "liquidation", world.now_ms)
    assert movements(events) == [("loss", "user.margin", "house.pnl", "3.33333333")]
    assert (world.cash(), world.margin()) == (Decimal("6.66666667"), 0)


def test_a_market_liquidation_loses_what_the_price_says():
    world = World(liquidation_loss="market")
    world.given_position()
    events = world.quote("1.26354")
    assert (str(closed(events).pnl), str(closed(events).pnl_percent)) == ("-2.21897570", "-66.5693")
    assert balance(events) == "7.78102430"
    assert world.margin() == 0


def test_a_market_liquidation_after_a_gap_takes_the_margin_and_the_insurance_the_rest():
    world = World(liquidation_loss="market")
    world.given_position()
    events = world.quote("1.26000")
    assert str(closed(events).pnl) == "-5.01441140"
    assert told(events) == ["position:close"]
    assert movements(events) == [
        ("loss", "user.margin", "house.pnl", "3.33333333"),
        ("shortfall", "house.insurance", "house.pnl", "1.68107807"),
    ]
    assert (world.cash(), world.margin()) == (Decimal("6.66666667"), 0)


# ---- decay


def test_decay_is_taken_at_the_close_after_profit_and_before_the_payout():
    world = World()
    world.given_position()
    world.quote("1.26995")
    world.later(16 * HOUR_MS)
    outcome = world.close("t1")
    assert str(closed(outcome).decay) == "0.40000000"
    assert movements(outcome) == [
        ("profit", "house.pnl", "user.margin", "2.84281590"),
        ("decay", "user.margin", "house.decay", "0.40000000"),
        ("release", "user.margin", "user.cash", "5.77614923"),
    ]
    assert balance(outcome) == "12.44281590"


def test_decay_takes_no_more_than_what_is_left():
    world = World()
    world.given_position()
    world.later(200 * HOUR_MS)
    outcome = world.close("t1")
    assert str(closed(outcome).decay) == "5.00000000"
    assert told(outcome) == ["position:close"]
    assert (world.cash(), world.margin()) == (Decimal("6.66666667"), 0)
    assert -world.house("house.insurance") == 5 - (Decimal("3.33333333") + closed(outcome).pnl)
    assert world.house("house.decay") == 5


@pytest.mark.parametrize(("hours", "decay"), [(7.99, "0"), (8, "0.2"), (15.99, "0.2"), (16, "0.4")])
def test_decay_counts_whole_periods_from_the_fill_and_not_from_the_order(hours, decay):
    world = World()
    world.given_order(price="1.26700")
    world.later(20 * HOUR_MS)
    world.quote("1.26695")
    world.later(int(hours * HOUR_MS))
    assert closed(world.close("t1")).decay == Decimal(decay)


# ---- pending orders are filled


def test_a_filled_order_is_activated_and_opened_and_moves_no_money():
    world = World()
    world.given_order(price="1.26700", take_profit="1.28")
    world.update("t1", take_profit="1.29")
    world.later(1000)
    events = world.quote("1.26695", "1.26700")
    assert told(events) == ["order:activate", "position:new"]
    assert movements(events) == []
    position = opened(events)
    assert (position.id, position.kind, position.margin) == ("t1", "stop", Decimal("3.33333333"))
    assert (position.created_ms, position.opened_ms, position.updated_ms) == (START_MS, START_MS + 1000, None)
    assert (position.take_profit, position.stop_loss) == (Decimal("1.29"), None)
    assert (world.cash(), world.margin()) == (Decimal("6.66666667"), Decimal("3.33333333"))


@pytest.mark.parametrize(
    ("side", "price", "short_of_it", "at_it", "through"),
    [
        ("buy", "1.26000", ("1.25999", "1.26001"), ("1.25999", "1.26000"), ("1.24900", "1.25000")),
        ("buy", "1.27000", ("1.26990", "1.26999"), ("1.26990", "1.27000"), ("1.27990", "1.28000")),
        ("sell", "1.27000", ("1.26999", "1.27001"), ("1.27000", "1.27001"), ("1.28000", "1.28010")),
        ("sell", "1.26000", ("1.26001", "1.26002"), ("1.26000", "1.26001"), ("1.25000", "1.25010")),
    ],
)
def test_an_order_is_filled_at_the_quote_that_is_at_or_through_its_price(side, price, short_of_it, at_it, through):
    for quote in (at_it, through):
        world = World()
        world.given_order(side=side, price=price)
        assert world.quote(*short_of_it) == []
        position = opened(world.quote(*quote))
        assert str(position.price) == (quote[1] if side == "buy" else quote[0])
        expected = World(bid=position.price, ask=position.price).given_position(side=side)
        assert position.liquidation_price == expected.liquidation_price


def test_a_limit_at_the_markets_own_price_is_filled_by_the_next_quote():
    world = World()
    world.given_order(price="1.26635")
    assert opened(world.quote("1.26630", "1.26635")).price == Decimal("1.26635")


def test_an_order_past_its_valid_until_is_not_filled_any_more():
    world = World()
    world.given_order(price="1.26700", valid_until_ms=START_MS + 10)
    world.later(10)
    assert world.quote("1.26700") == []
    assert refused(world.do(Trigger(account=DEMO, id="t1"))) is RefusalCode.VALID_UNTIL_PAST
    world.later(-1)
    assert told(world.quote("1.26700")) == ["order:activate", "position:new"]


# ---- gaps


def test_a_stop_loss_that_a_gap_has_passed_fires_on_the_next_quote():
    world = World()
    world.given_order(price="1.26000", stop_loss="1.25900")
    position = opened(world.quote("1.25795", "1.25800"))
    assert position.liquidation_price < position.stop_loss
    ended = closed(world.quote("1.25796"))
    assert (ended.reason, ended.price) == ("stop_loss", Decimal("1.25796"))


def test_a_take_profit_that_a_gap_has_passed_fires_on_the_next_quote():
    world = World()
    world.given_order(price="1.27000", take_profit="1.28000")
    assert told(world.quote("1.28990", "1.29000")) == ["order:activate", "position:new"]
    ended = closed(world.quote("1.28990", "1.29000"))
    assert (ended.reason, ended.price) == ("take_profit", Decimal("1.28990"))


def test_where_a_gap_has_put_the_stop_loss_behind_the_liquidation_the_nearer_counts():
    world = World()
    world.given_order(price="1.27000", stop_loss="1.26800")
    position = opened(world.quote("1.27495", "1.27500"))
    assert position.stop_loss < position.liquidation_price == Decimal("1.27217")
    assert world.quote("1.27218") == []
    assert closed(world.quote("1.27217")).reason == "liquidation"


def test_a_liquidation_goes_before_a_take_profit_that_the_same_quote_has_passed():
    world = World()
    world.given_order(price="1.27000", take_profit="1.28000")
    assert opened(world.quote("1.29995", "1.30000")).liquidation_price == Decimal("1.29711")
    assert closed(world.quote("1.29000")).reason == "liquidation"


def test_a_stop_loss_that_a_gap_has_put_on_the_liquidation_is_one_level():
    world = World()
    world.given_order(price="1.27000", stop_loss="1.26800")
    position = opened(world.quote("1.27075", "1.27082"))
    assert position.stop_loss == position.liquidation_price
    assert world.update("t1", take_profit="1.28").refusal is None
    assert world.quote("1.26801") == []
    assert closed(world.quote("1.26800")).reason == "liquidation"
    assert world.quote("1.20000") == []


# ---- where the money goes

AMOUNTS = st.integers(1, 10**6)
TICKS = st.integers(50_000, 300_000).map(lambda ticks: Decimal(ticks).scaleb(-5))


@given(st.sampled_from(["buy", "sell"]), AMOUNTS, st.integers(101, 300), TICKS, TICKS, st.integers(0, 2000))
def test_a_close_pays_out_exactly_and_takes_no_more_than_the_margin(side, amount, leverage, entry, exit_, hours):
    world = World(bid=entry, ask=entry)
    position = world.given_position(side=side, amount=amount, leverage=leverage)
    ended = closing_of(position, price=exit_, reason="manual", time_ms=START_MS + hours * HOUR_MS)
    held = dict.fromkeys(("user.margin", "user.cash", "house.pnl", "house.decay", "house.insurance"), Decimal(0))
    held["user.margin"] = position.margin
    for movement in settled(position, ended):
        assert movement.amount > 0
        held[movement.source] -= movement.amount
        held[movement.target] += movement.amount
        assert held["user.margin"] >= 0
    assert held["user.margin"] == 0
    assert held["user.cash"] == max(0, position.margin + ended.pnl - ended.decay)
    assert (held["house.pnl"], held["house.decay"]) == (-ended.pnl, ended.decay)
    assert held["house.insurance"] <= 0


def test_a_close_without_any_change_just_releases_the_margin():
    position = World(bid="1.26635").given_position()
    nothing = Closing(position.price, SATOSHI * 0, Decimal("0.0000"), "manual", SATOSHI * 0, START_MS)
    assert [movement.kind for movement in settled(position, nothing)] == ["release"]
