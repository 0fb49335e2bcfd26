"""What an event changes: trades and their levels, money, expiries, answers; and that trades keep their places."""

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine import state as states
from engine.commands import Deposit, Expire
from engine.events import AccountOpened, BalanceChanged, Event, MoneyMoved, OrderRefused
from engine.state import CHANGES, State, evolve, levels_of
from engine.values import Quote
from tests.engine.worlds import DEMO, EUR, LIVE, OTHER, START_MS, World, opened, picture, terms


def quote(bid, ask=None, product=EUR):
    bid, ask = Decimal(bid), Decimal(ask or bid)
    return Quote(product, bid, ask, bid, bid, 0, 1)


# ---- levels


@pytest.mark.parametrize(
    ("params", "levels"),
    [
        ({"side": "buy", "price": "1.2"}, [("ask", "below", "1.20000")]),
        ({"side": "buy", "price": "1.3"}, [("ask", "above", "1.30000")]),
        ({"side": "sell", "price": "1.3"}, [("bid", "above", "1.30000")]),
        ({"side": "sell", "price": "1.2"}, [("bid", "below", "1.20000")]),
    ],
)  # fmt: skip
def test_a_pending_order_waits_for_its_own_price(params, levels):
    order = World().given_order(**params)
    assert [(side, direction, str(level)) for side, direction, level in levels_of(order)] == levels


def test_a_position_waits_for_its_liquidation_and_its_exits():
    world = World()
    bought = world.given_position(take_profit="1.28", stop_loss="1.265")
    sold = world.given_position(side="sell", take_profit="1.25", stop_loss="1.268")
    assert levels_of(bought) == [
        ("bid", "below", Decimal("1.26354")), ("bid", "below", Decimal("1.265")), ("bid", "above", Decimal("1.28")),
    ]  # fmt: skip
    assert levels_of(sold) == [
        ("ask", "above", Decimal("1.26911")), ("ask", "above", Decimal("1.268")), ("ask", "below", Decimal("1.25")),
    ]  # fmt: skip
    assert len(levels_of(replace(bought, stop_loss=bought.liquidation_price, take_profit=None))) == 1


def test_a_market_order_waits_for_nothing():
    assert levels_of(World().place().events[0].order) == []


def test_what_has_ended_waits_for_nothing_any_more():
    world = World()
    world.given_position(take_profit="1.28", stop_loss="1.265")
    world.given_order(price="1.2")
    world.update("t2", price="1.21")
    world.split("t1")
    for identifier in ("t1a", "t1b"):
        world.close(identifier)
    world.cancel("t2")
    assert not any(picture(world.state)["levels"].values())
    assert not world.state.owners


def test_a_quote_reaches_its_own_products_trades_only():
    world = World()
    world.given_position()
    assert world.state.reached(quote("1.2")) == ["t1"]
    assert world.state.reached(quote("1.2", product="GBP-USD")) == []


# ---- places


def test_a_trade_is_found_by_its_id_while_it_is_open():
    world = World()
    order = world.given_order(price="1.2")
    position = world.given_position()
    assert (world.state.trade("t1"), world.state.trade("t2"), world.state.trade("t3")) == (order, position, None)
    world.close("t2")
    assert world.state.trade("t2") is None


def test_an_update_leaves_a_trade_in_its_place():
    world = World()
    for _ in range(3):
        world.given_position(amount=1000)
    world.update("t1", stop_loss="1.265")
    assert list(world.state.accounts[DEMO].positions) == ["t1", "t2", "t3"]


def test_an_activated_order_becomes_its_accounts_newest_position():
    world = World()
    world.given_order(price="1.26640", amount=1000)
    world.given_position(amount=1000)
    opened(world.quote("1.26640"))
    assert list(world.state.accounts[DEMO].positions) == ["t2", "t1"]


# ---- expiries


def expired(world, now_ms=START_MS + 1000):
    return world.state.expired(now_ms)


def test_orders_expire_in_order_of_time_and_stay_until_they_are_cancelled():
    world = World()
    for late in (30, 10, 20, 1001):
        world.given_order(price="1.2", amount=1000, valid_until_ms=START_MS + late)
    assert expired(world, START_MS + 9) == []
    assert expired(world, START_MS + 10) == ["t2"]
    assert expired(world) == expired(world) == ["t2", "t3", "t1"]
    world.later(1000)
    world.do(Expire(account=DEMO, id="t2"))
    assert expired(world) == ["t3", "t1"]


def test_an_order_that_was_updated_expires_once():
    world = World()
    world.given_order(price="1.2", valid_until_ms=START_MS + 10)
    world.update("t1", price="1.21")
    assert expired(world) == ["t1"]
    assert len(world.state.expiries) == 1


def test_an_order_that_became_a_position_does_not_expire_and_is_forgotten():
    world = World()
    world.given_order(price="1.26640", valid_until_ms=START_MS + 10)
    opened(world.quote("1.26640"))
    assert expired(world, START_MS) == []
    assert world.state.expiries == []


def test_an_order_that_was_cancelled_is_forgotten_when_it_comes_to_the_top():
    world = World()
    for late in (10, 20):
        world.given_order(price="1.2", amount=1000, valid_until_ms=START_MS + late)
    world.cancel("t1")
    assert expired(world) == ["t2"]
    assert len(world.state.expiries) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=8), st.integers(0, 6))
def test_expired_is_what_a_look_at_every_order_finds(orders, now):
    world = World()
    for late, cancelled in orders:
        order = world.given_order(price="1.2", amount=1, valid_until_ms=START_MS + 1 + late)
        if cancelled:
            world.cancel(order.id)
    pending = world.state.accounts[DEMO].orders.values()
    due = [order.id for order in pending if order.valid_until_ms <= START_MS + now]
    assert sorted(expired(world, START_MS + now)) == sorted(due)


# ---- money


def test_a_movement_takes_here_and_gives_there():
    state = State()
    evolve(state, AccountOpened(DEMO))
    evolve(state, MoneyMoved(DEMO, "opening", "external", "user.cash", Decimal(10)))
    evolve(state, MoneyMoved(DEMO, "margin", "user.cash", "user.margin", Decimal(3)))
    evolve(state, MoneyMoved(DEMO, "loss", "user.margin", "house.pnl", Decimal(1)))
    assert state.accounts[DEMO].cash == 7
    assert state.accounts[DEMO].margin == 2
    assert state.house == {("demo", "external"): -10, ("demo", "house.pnl"): 1}


def test_each_environment_has_its_own_house():
    world = World()
    world.do(Deposit(account=LIVE, amount=Decimal(5)))
    assert (world.house("external"), world.house("external", "live")) == (-20, -15)


def test_telling_a_balance_changes_nothing():
    world = World()
    before = picture(world.state)
    evolve(world.state, BalanceChanged(DEMO, Decimal(99)))
    assert picture(world.state) == before


def test_terms_replace_the_ones_before():
    world = World()
    assert world.state.terms == {EUR: terms()}


# ---- answers


def test_only_so_many_answers_are_kept_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(states, "MAX_REQUESTS", 2)
    world = World()
    world.place(client_order_id="a")
    world.place(client_order_id="b", leverage=0)
    world.place(client_order_id="a", account=OTHER)
    assert list(world.state.requests) == [(DEMO, "b"), (OTHER, "a")]


def test_an_answer_is_the_order_as_it_was_taken_or_the_refusal():
    world = World()
    order = world.place(client_order_id="a", type="pending", price="1.2").events[0].order
    world.update("t1", price="1.21")
    world.place(client_order_id="b", leverage=0)
    taken, refused = world.state.requests[DEMO, "a"], world.state.requests[DEMO, "b"]
    assert (taken.order, taken.code) == (order, "")
    assert (refused.order, refused.code) == (None, "leverage_not_allowed")
    assert isinstance(world.events[-1], OrderRefused)


def test_every_event_has_its_change():
    assert set(CHANGES) == set(get_args(Event))


# ---- open interest


def interest(world, environment="demo"):
    return {side: contracts for (where, _, side), contracts in world.state.interest.items() if where == environment}


def test_contracts_are_counted_while_positions_are_open_on_their_own_side():
    world = World()
    bought = world.given_position(amount=1_000)
    world.given_position(amount=500, side="sell")
    world.given_order(amount=7_000, price="1.2")
    assert interest(world) == {"buy": 1_000, "sell": 500}
    assert interest(world, "live") == {}
    world.split(bought.id, 40)
    world.update(world.given_position(amount=200).id, margin="0.1")
    assert interest(world) == {"buy": 1_200, "sell": 500}
    for identifier in list(world.state.accounts[DEMO].positions):
        world.close(identifier)
    assert world.state.interest == {}
