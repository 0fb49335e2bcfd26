"""Orders and positions change: price, exits, margin and leverage; a position becomes two and nothing is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checks import MAX_TRADES
from engine.events import PositionSplit
from engine.margin import SATOSHI
from engine.refusals import RefusalCode
from tests.engine.worlds import (
    DEMO,
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


def order(world, identifier="t1"):
    return world.state.accounts[DEMO].orders[identifier]


def position(world, identifier="t1"):
    return world.state.accounts[DEMO].positions[identifier]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def pending(world):
    """Return a world with the document's trade as an order that waits at 1.26000."""
    world.given_order(price="1.26000")
    return world


@pytest.fixture
def held(world):
    """Return a world with the document's trade as a position; 6.66666667 BTC are free."""
    world.given_position()
    return world


# ---- exits


def test_exits_are_set_changed_and_taken_away_on_a_position(held):
    held.later(5)
    outcome = held.update("t1", take_profit="1.28898", stop_loss="1.26477")
    assert told(outcome) == ["position:update"]
    assert (position(held).take_profit, position(held).stop_loss) == (Decimal("1.28898"), Decimal("1.26477"))
    assert (position(held).opened_ms, position(held).updated_ms) == (START_MS, START_MS + 5)
    held.update("t1", stop_loss="1.26500")
    assert (position(held).take_profit, position(held).stop_loss) == (Decimal("1.28898"), Decimal("1.26500"))
    held.update("t1", take_profit="0")
    assert (position(held).take_profit, position(held).stop_loss) == (None, Decimal("1.26500"))
    held.update("t1", stop_loss="0.00")
    assert position(held).stop_loss is None


def test_exits_are_set_and_taken_away_on_an_order(pending):
    assert told(pending.update("t1", take_profit="1.27", stop_loss="1.259")) == ["order:update"]
    assert (str(order(pending).take_profit), str(order(pending).stop_loss)) == ("1.27000", "1.25900")
    pending.update("t1", take_profit="0", stop_loss="0")
    assert order(pending).take_profit is order(pending).stop_loss is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"take_profit": "1.26635"}, "invalid_take_profit"), ({"take_profit": "1.2"}, "invalid_take_profit"),
        ({"stop_loss": "1.26635"}, "invalid_stop_loss"), ({"stop_loss": "1.26354"}, "invalid_stop_loss"),
        ({"stop_loss": "1.3"}, "invalid_stop_loss"), ({"take_profit": "1.300001"}, "price_off_tick"),
        ({"stop_loss": "-1"}, "invalid_price"), ({"price": "1.2"}, "invalid_price"), ({}, "nothing_to_update"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()),
)  # fmt: skip
def test_what_does_not_fit_a_position_is_refused(held, changes, code):
    before = position(held)
    assert refused(held.update("t1", **changes)) == code
    assert position(held) is before


def test_a_new_level_counts_and_the_old_one_does_not(held):
    held.update("t1", stop_loss="1.26500", take_profit="1.27000")
    held.update("t1", stop_loss="1.26400", take_profit="1.28000")
    assert held.quote("1.26500") == held.quote("1.27000") == []
    held.update("t1", stop_loss="0", take_profit="0")
    assert held.quote("1.26400") == held.quote("1.28000") == []
    assert closed(held.quote("1.26354")).reason == "liquidation"


# ---- an order's price


def test_an_orders_price_moves_and_its_liquidation_with_it(pending):
    outcome = pending.update("t1", price="1.25000")
    assert told(outcome) == ["order:update"]
    assert (str(order(pending).price), str(order(pending).liquidation_price)) == ("1.25000", "1.24722")
    assert pending.quote("1.25900", "1.26000") == []
    assert opened(pending.quote("1.24990", "1.25000")).price == Decimal("1.25000")


@pytest.mark.parametrize(
    ("kind", "side", "first", "wrong"),
    [
        ("limit", "buy", "1.26000", "1.26636"), ("stop", "buy", "1.27000", "1.26635"),
        ("limit", "sell", "1.27000", "1.26629"), ("stop", "sell", "1.26000", "1.26630"),
    ],
)  # fmt: skip
def test_an_order_stays_the_limit_or_stop_that_it_is(world, kind, side, first, wrong):
    assert world.given_order(side=side, price=first).kind == kind
    assert refused(world.update("t1", price=wrong)) is RefusalCode.PRICE_WRONG_SIDE
    closest = Decimal(wrong) + (Decimal("-0.00001") if (kind == "limit") == (side == "buy") else Decimal("0.00001"))
    assert world.update("t1", price=closest).refusal is None


def test_an_orders_price_is_a_price_of_its_product(pending):
    assert refused(pending.update("t1", price="0")) is RefusalCode.INVALID_PRICE
    assert refused(pending.update("t1", price="1.200001")) is RefusalCode.PRICE_OFF_TICK


def test_an_orders_exits_have_to_fit_its_new_price(pending):
    pending.update("t1", take_profit="1.26100", stop_loss="1.25900")
    assert refused(pending.update("t1", price="1.26200")) is RefusalCode.INVALID_TAKE_PROFIT
    assert refused(pending.update("t1", price="1.25900")) is RefusalCode.INVALID_STOP_LOSS
    assert pending.update("t1", price="1.25900", take_profit="1.26", stop_loss="0").refusal is None


@pytest.mark.parametrize(("state", "code"), [("halted", "halted"), ("stale", "price_outdated")])
def test_a_price_needs_a_market_and_nothing_else_does(pending, state, code):
    pending.market_is(state)
    assert refused(pending.update("t1", price="1.25")) == code
    assert pending.update("t1", leverage="200", stop_loss="1.259").refusal is None


# ---- margin and leverage


def test_more_margin_is_taken_from_the_cash_and_moves_the_liquidation(held):
    outcome = held.update("t1", margin="5")
    assert told(outcome) == ["position:update", "balance"]
    assert movements(outcome) == [("margin", "user.cash", "user.margin", "1.66666667")]
    assert balance(outcome) == "5.00000000"
    assert (str(position(held).leverage), str(position(held).liquidation_price)) == ("200.00", "1.26213")
    assert held.quote("1.26214") == []
    assert closed(held.quote("1.26213")).reason == "liquidation"


def test_less_leverage_is_more_margin(held):
    outcome = held.update("t1", leverage="200")
    assert balance(outcome) == "5.00000000"
    assert (position(held).leverage, str(position(held).margin)) == (200, "5.00000000")
    assert str(position(held).liquidation_price) == "1.26213"


@pytest.mark.parametrize(
    ("margin", "leverage"), [("3.33333334", "300.00"), ("6.5", "153.85"), ("8", "125.00"), ("3.33407", "299.93")]
)
def test_after_an_edit_of_the_margin_the_leverage_is_shown_with_two_places_half_up(held, margin, leverage):
    held.update("t1", margin=margin)
    assert str(position(held).leverage) == leverage


def test_a_half_is_rounded_up():
    world = World()
    world.given_position(amount=2001, leverage=200)
    world.update("t1", margin="0.8")
    assert str(position(world).leverage) == "2.50"
    world.update("t1", margin="1.6")
    assert str(position(world).leverage) == "1.25"
    world.given_position(amount=1001, leverage=10)
    world.update("t2", margin="0.2")
    assert str(position(world, "t2").leverage) == "5.01"


def test_if_both_are_sent_the_margin_wins(held):
    held.update("t1", margin="4", leverage="100")
    assert (position(held).margin, position(held).leverage) == (4, 250)
    assert held.update("t1", margin="5", leverage="999").refusal is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"margin": "3.33333332"}, "margin_not_allowed"), ({"margin": "0"}, "margin_not_allowed"),
        ({"margin": "-1"}, "margin_not_allowed"), ({"margin": "4.000000001"}, "margin_not_allowed"),
        ({"margin": "1000.00000001"}, "margin_not_allowed"), ({"margin": "10.00000001"}, "insufficient_balance"),
        ({"leverage": "99.99"}, "insufficient_balance"), ({"leverage": "300.01"}, "leverage_not_allowed"),
        ({"leverage": "0.5"}, "leverage_not_allowed"), ({"leverage": "200.001"}, "leverage_not_allowed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()),
)  # fmt: skip
def test_a_positions_margin_only_rises_within_bounds(held, changes, code):
    assert refused(held.update("t1", **changes)) == code
    assert (held.cash(), held.margin()) == (Decimal("6.66666667"), Decimal("3.33333333"))


def test_a_position_may_be_given_the_margin_that_it_has(held):
    outcome = held.update("t1", margin="3.33333333")
    assert told(outcome) == ["position:update"]
    assert held.cash() == Decimal("6.66666667")


def test_a_positions_leverage_only_falls(held):
    held.update("t1", leverage="200")
    assert refused(held.update("t1", leverage="200.01")) is RefusalCode.LEVERAGE_NOT_ALLOWED
    assert held.update("t1", leverage="200").refusal is None


def test_the_leverage_as_shown_is_no_way_to_less_margin(held):
    """3.33413 is shown as 299.93, and 1000 / 299.93 would be 3.33411."""
    held.update("t1", margin="3.33413")
    shown = position(held).leverage
    assert 1000 / shown < position(held).margin
    assert refused(held.update("t1", leverage=shown)) is RefusalCode.LEVERAGE_NOT_ALLOWED


def test_all_of_the_size_may_be_margin():
    world = World()
    world.given_position(amount=5000)
    assert world.update("t1", margin="5").refusal is None
    assert position(world).leverage == 1


def test_an_orders_margin_and_leverage_go_both_ways(pending):
    assert balance(pending.update("t1", leverage="125")) == "2.00000000"
    outcome = pending.update("t1", margin="4")
    assert movements(outcome) == [("release", "user.margin", "user.cash", "4.00000000")]
    assert (balance(outcome), order(pending).leverage) == ("6.00000000", 250)
    assert refused(pending.update("t1", margin="3.33333332")) is RefusalCode.MARGIN_NOT_ALLOWED
    assert pending.update("t1", margin="3.33333333").refusal is None


def test_an_orders_stop_loss_has_to_fit_its_new_liquidation(pending):
    pending.update("t1", margin="5", stop_loss="1.25600")
    assert refused(pending.update("t1", margin="4")) is RefusalCode.INVALID_STOP_LOSS
    assert pending.update("t1", margin="4", stop_loss="1.258").refusal is None


def test_the_lowest_margin_is_a_satoshi_where_the_leverage_would_allow_less():
    world = World(max_leverage=Decimal(1_000_000))
    world.given_order(amount=1, leverage=100_000, price="1.2")
    assert world.update("t1", margin="0.00000002").refusal is None
    assert world.update("t1", margin="0.00000001").refusal is None
    assert refused(world.update("t1", margin="0")) is RefusalCode.MARGIN_NOT_ALLOWED


def test_a_margin_has_its_eight_places(held):
    held.update("t1", margin="5")
    assert str(position(held).margin) == "5.00000000"


# ---- what a gap has left


@pytest.fixture
def gapped(world):
    """Return a world with a position whose stop loss lies behind its liquidation, and whose take profit lies close."""
    world.given_order(price="1.27000", stop_loss="1.26800", take_profit="1.28000")
    opened(world.quote("1.27495", "1.27500"))
    return world


def test_margin_can_be_added_whatever_a_gap_has_left_behind(gapped):
    assert gapped.update("t1", margin="4").refusal is None
    assert position(gapped).stop_loss == Decimal("1.26800") < position(gapped).liquidation_price
    assert gapped.update("t1", take_profit="1.29").refusal is None
    assert closed(gapped.quote("1.27160")).reason == "liquidation"


def test_an_exit_that_is_sent_is_checked_also_after_a_gap(gapped):
    assert refused(gapped.update("t1", stop_loss="1.26800")) is RefusalCode.INVALID_STOP_LOSS
    assert refused(gapped.update("t1", take_profit="1.27500")) is RefusalCode.INVALID_TAKE_PROFIT
    assert gapped.update("t1", stop_loss="1.27300").refusal is None


# ---- whose


@pytest.mark.parametrize("what", ["order", "position"])
@pytest.mark.parametrize("account", [OTHER, LIVE, OTHER._replace(user_id=9)], ids=["other", "live", "unknown"])
def test_another_accounts_trades_are_not_found(world, what, account):
    world.given_order(price="1.26") if what == "order" else world.given_position()
    assert refused(world.update("t1", take_profit="1.3", account=account)) is RefusalCode.NOT_FOUND
    assert refused(world.split("t1", account=account)) is RefusalCode.NOT_FOUND


def test_what_has_ended_is_not_found(held):
    held.close("t1")
    assert refused(held.update("t1", take_profit="1.3")) is RefusalCode.NOT_FOUND
    assert refused(held.split("t1")) is RefusalCode.NOT_FOUND


# ---- split


def split_of(outcome):
    (event,) = outcome.events
    assert isinstance(event, PositionSplit)
    return event


def test_a_split_makes_two_positions_and_tells_only_that(held):
    held.update("t1", take_profit="1.28898", stop_loss="1.26477")
    held.later(5)
    outcome = held.split("t1", 40)
    assert told(outcome) == ["position:split"]
    parent, first, second = (getattr(split_of(outcome), name) for name in ("parent", "first", "second"))
    assert (first.id, first.amount, str(first.margin)) == ("t1a", 400_000, "1.33333334")
    assert (second.id, second.amount, str(second.margin)) == ("t1b", 600_000, "1.99999999")
    for part in (first, second):
        assert (part.parent_id, part.opened_ms, part.created_ms) == ("t1", START_MS, START_MS)
        assert (part.price, part.leverage, part.liquidation_price) == (
            parent.price, parent.leverage, parent.liquidation_price,
        )  # fmt: skip
        assert (part.take_profit, part.stop_loss) == (parent.take_profit, parent.stop_loss)
    assert list(held.state.accounts[DEMO].positions) == ["t1a", "t1b"]


def test_the_parts_are_triggered_and_closed_each_by_itself(held):
    held.split("t1")
    held.update("t1a", stop_loss="1.26400")
    assert closed(held.quote("1.26400")).reason == "stop_loss"
    assert refused(held.close("t1")) is RefusalCode.NOT_FOUND
    assert closed(held.quote("1.26354")).reason == "liquidation"


def test_a_part_is_nobodys_order_and_may_be_split_again(world):
    world.given_position(client_order_id="mine")
    world.split("t1")
    assert {part.client_order_id for part in world.state.accounts[DEMO].positions.values()} == {""}
    second = split_of(world.split("t1a"))
    assert (second.first.parent_id, second.first.amount + second.second.amount) == ("t1a", 500_000)


@pytest.mark.parametrize(("amount", "percent"), [(1, 50), (1, 5), (1, 95), (2, 51), (19, 95)])
def test_a_position_that_is_too_small_is_not_split(world, amount, percent):
    world.given_position(amount=amount)
    assert refused(world.split("t1", percent)) is RefusalCode.CANNOT_SPLIT


@pytest.mark.parametrize(("amount", "percent", "parts"), [(2, 50, (1, 1)), (20, 95, (19, 1)), (3, 5, (1, 2))])
def test_what_does_not_divide_goes_to_the_first(world, amount, percent, parts):
    world.given_position(amount=amount)
    event = split_of(world.split("t1", percent))
    assert (event.first.amount, event.second.amount) == parts


def test_a_part_without_a_satoshi_of_margin_is_no_part():
    world = World(max_leverage=Decimal(1_000_000))
    world.given_position(amount=2, leverage=200_000)
    assert refused(world.split("t1")) is RefusalCode.CANNOT_SPLIT


def test_a_pending_order_is_not_split(pending):
    assert refused(pending.split("t1")) is RefusalCode.NOT_FOUND


def test_a_split_must_leave_room_for_one_more_trade(world):
    for _ in range(MAX_TRADES):
        world.place(amount=2)
    assert refused(world.split("t1")) is RefusalCode.TOO_MANY_TRADES
    world.close("t2")
    assert world.split("t1").refusal is None


@pytest.mark.parametrize("state", ["halted", "closed", "stale"])
def test_a_position_may_be_split_while_the_market_does_not_trade(held, state):
    held.market_is(state)
    assert held.split("t1").refusal is None


@given(st.integers(2, 10**6), st.integers(101, 300), st.integers(5, 95))
def test_a_split_conserves_amount_size_and_margin(amount, leverage, percent):
    world = World()
    parent = world.given_position(amount=amount, leverage=leverage)
    outcome = world.split("t1", percent)
    if outcome.refusal:
        assert amount * (100 - percent) < 100
        return
    event = split_of(outcome)
    parts = (event.first, event.second)
    assert sum(part.amount for part in parts) == amount
    assert sum(part.size for part in parts) == parent.size
    assert sum(part.margin for part in parts) == parent.margin == world.margin()
    assert all(part.amount >= 1 and part.margin >= SATOSHI for part in parts)
    assert 0 <= event.first.amount - amount * Decimal(percent) / 100 < 1
