"""Placing, cancelling, expiring, and the same order a second time: every rule of the document and of the vendor."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.checks import MAX_TRADES
from engine.commands import Expire
from engine.events import MoneyMoved, OrderRefused
from engine.placing import fingerprint
from engine.refusals import RefusalCode
from tests.engine.worlds import DEMO, EUR, LIVE, OTHER, START_MS, World, balance, opened, place_order, refused, told


def test_a_market_order_is_received_activated_opened_and_paid_for_in_this_order():
    outcome = World().place()
    assert told(outcome) == ["order:new", "order:activate", "position:new", "balance"]
    placed, _, activated, *_ = outcome.events
    assert placed.order.id == activated.order.id == opened(outcome).id == "t1"
    assert balance(outcome) == "6.66666667"


@pytest.mark.parametrize(("side", "price"), [("buy", "1.26635"), ("sell", "1.26630")])
def test_a_buy_fills_at_the_ask_and_a_sell_at_the_bid(side, price):
    assert str(World().given_position(side=side).price) == price


def test_a_position_has_the_terms_of_its_order_and_the_time_of_its_fill():
    world = World()
    position = world.given_position(take_profit="1.28898", stop_loss="1.26477", client_order_id="mine")
    assert (position.margin, position.liquidation_price) == (Decimal("3.33333333"), Decimal("1.26354"))
    assert (position.take_profit, position.stop_loss) == (Decimal("1.28898"), Decimal("1.26477"))
    assert (position.created_ms, position.opened_ms, position.updated_ms) == (START_MS, START_MS, None)
    assert (position.decay_rate, position.client_order_id) == (Decimal("0.0002"), "mine")


def test_a_pending_order_reserves_its_margin_and_waits():
    world = World()
    outcome = world.place(type="pending", price="1.26000")
    assert told(outcome) == ["order:new", "balance"]
    assert (world.cash(), world.margin()) == (Decimal("6.66666667"), Decimal("3.33333333"))
    assert list(world.state.accounts[DEMO].orders) == ["t1"]
    assert not world.state.accounts[DEMO].positions


@pytest.mark.parametrize(
    ("side", "price", "kind"),
    [
        ("buy", "1.26634", "limit"), ("buy", "1.26635", "limit"), ("buy", "1.26636", "stop"),
        ("sell", "1.26631", "limit"), ("sell", "1.26630", "limit"), ("sell", "1.26629", "stop"),
    ],
)  # fmt: skip
def test_a_pending_order_is_a_limit_at_a_better_price_and_a_stop_at_a_worse_one(side, price, kind):
    assert World().given_order(side=side, price=price).kind == kind
    assert World().given_order(side=side, price=price, type=kind).kind == kind
    other = "stop" if kind == "limit" else "limit"
    assert refused(World().place(side=side, price=price, type=other)) is RefusalCode.PRICE_WRONG_SIDE


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"product": "NO-SUCH"}, "unknown_product"),
        ({"price": "1.26635"}, "invalid_price"),
        ({"type": "pending"}, "invalid_price"),
        ({"type": "limit"}, "invalid_price"),
        ({"type": "pending", "price": "0"}, "invalid_price"),
        ({"type": "pending", "price": "-1.26"}, "invalid_price"),
        ({"type": "pending", "price": "400000000.00001"}, "invalid_price"),
        ({"type": "pending", "price": "1.266351"}, "price_off_tick"),
        ({"take_profit": "1.288981"}, "price_off_tick"),
        ({"stop_loss": "1.264771"}, "price_off_tick"),
        ({"take_profit": "-1"}, "invalid_price"),
        ({"amount": 0}, "size_out_of_bounds"),
        ({"amount": 1_000_001}, "size_out_of_bounds"),
        ({"leverage": "0"}, "leverage_not_allowed"),
        ({"leverage": "0.99"}, "leverage_not_allowed"),
        ({"leverage": "300.01"}, "leverage_not_allowed"),
        ({"leverage": "-10"}, "leverage_not_allowed"),
        ({"leverage": "10.001"}, "leverage_not_allowed"),
        ({"leverage": "99.99"}, "insufficient_balance"),
        ({"valid_until_ms": START_MS}, "valid_until_past"),
        ({"account": LIVE._replace(user_id=9)}, "not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value)),
)
def test_what_a_product_does_not_allow_is_refused(params, code):
    world = World()
    assert refused(world.place(**params)) == code
    assert world.cash() == 10


@pytest.mark.parametrize(
    "params",
    [
        {"amount": 1}, {"leverage": "100"}, {"leverage": "299.99"}, {"amount": 10_000, "leverage": 1},
        {"valid_until_ms": START_MS + 1, "type": "pending", "price": "1.2"},
        {"type": "pending", "price": "1.2600000000"}, {"type": "pending", "price": "400000000"},
    ],
    ids="-".join,
)  # fmt: skip
def test_what_is_just_within_the_bounds_is_taken(params):
    assert World().place(**params).refusal is None


def test_a_price_gets_the_products_digits():
    world = World()
    order = world.given_order(price="1.2", take_profit="1.3000000000", stop_loss="1.199")
    assert [str(price) for price in (order.price, order.take_profit, order.stop_loss)] == [
        "1.20000", "1.30000", "1.19900",
    ]  # fmt: skip


def test_a_margin_of_less_than_a_satoshi_is_refused():
    world = World(max_leverage=Decimal(1_000_000))
    assert refused(world.place(amount=1, leverage=200_000)) is RefusalCode.SIZE_OUT_OF_BOUNDS
    assert world.given_position(amount=1, leverage=100_000).margin == Decimal("0.00000001")


def test_the_last_satoshi_may_be_spent_and_no_more():
    world = World()
    world.place(amount=10_000, leverage=1)
    assert world.cash() == 0
    assert refused(world.place(amount=1)) is RefusalCode.INSUFFICIENT_BALANCE


@pytest.mark.parametrize(
    ("side", "take_profit", "stop_loss", "code"),
    [
        ("buy", "1.26636", "1.26634", ""), ("buy", "1.26635", None, "invalid_take_profit"),
        ("buy", "1.26634", None, "invalid_take_profit"), ("buy", None, "1.26635", "invalid_stop_loss"),
        ("buy", None, "1.26636", "invalid_stop_loss"), ("buy", None, "1.26355", ""),
        ("buy", None, "1.26354", "invalid_stop_loss"), ("buy", None, "1.26353", "invalid_stop_loss"),
        ("sell", "1.26629", "1.26631", ""), ("sell", "1.26630", None, "invalid_take_profit"),
        ("sell", None, "1.26630", "invalid_stop_loss"), ("sell", None, "1.26910", ""),
        ("sell", None, "1.26911", "invalid_stop_loss"), ("sell", None, "1.26912", "invalid_stop_loss"),
    ],
)  # fmt: skip
def test_liquidation_stop_loss_price_and_take_profit_lie_in_this_order(side, take_profit, stop_loss, code):
    outcome = World().place(side=side, take_profit=take_profit, stop_loss=stop_loss)
    assert (outcome.refusal.code if outcome.refusal else "") == code


def test_exits_of_zero_are_no_exits():
    position = World().given_position(take_profit="0", stop_loss="0.00")
    assert position.take_profit is position.stop_loss is None


@pytest.mark.parametrize(
    ("state", "code"), [("halted", "halted"), ("closed", "market_closed"), ("stale", "price_outdated")]
)
def test_no_order_is_taken_while_the_market_does_not_trade(state, code):
    world = World()
    world.market_is(state)
    assert refused(world.place()) == refused(world.place(type="pending", price="1.2")) == code


def test_no_order_is_taken_in_a_product_that_a_dealer_has_halted_or_that_never_had_a_price():
    assert refused(World(halted=True).place()) is RefusalCode.HALTED
    world = World()
    world.markets.clear()
    assert refused(world.place()) is RefusalCode.PRICE_OUTDATED


def test_an_account_has_a_bounded_number_of_open_trades():
    world = World()
    for number in range(MAX_TRADES):
        world.place(amount=1, **({"type": "pending", "price": "1.2"} if number % 2 else {}))
    assert refused(world.place(amount=1)) is RefusalCode.TOO_MANY_TRADES
    assert world.place(amount=1, account=OTHER).refusal is None
    world.close("t1")
    assert world.place(amount=1).refusal is None


# ---- cancel and expire


def test_a_cancelled_order_gives_its_margin_back():
    world = World()
    world.given_order(price="1.2")
    outcome = world.cancel("t1")
    assert told(outcome) == ["order:cancel", "balance"]
    assert (balance(outcome), world.margin()) == ("10.00000000", 0)


def test_an_order_is_cancelled_once_and_by_its_owner():
    world = World()
    world.given_order(price="1.2")
    assert refused(world.cancel("t1", account=OTHER)) is RefusalCode.NOT_FOUND
    assert refused(world.cancel("t1", account=LIVE)) is RefusalCode.NOT_FOUND
    assert world.cancel("t1").refusal is None
    assert refused(world.cancel("t1")) is RefusalCode.NOT_FOUND


def test_a_position_cannot_be_cancelled():
    world = World()
    world.given_position()
    assert refused(world.cancel("t1")) is RefusalCode.NOT_FOUND


@pytest.mark.parametrize("state", ["halted", "closed", "stale"])
def test_an_order_may_be_cancelled_while_the_market_does_not_trade(state):
    world = World()
    world.given_order(price="1.2")
    world.market_is(state)
    assert world.cancel("t1").refusal is None


def test_an_order_past_its_valid_until_is_cancelled_and_not_before():
    world = World()
    world.given_order(price="1.2", valid_until_ms=START_MS + 500)
    expire = Expire(account=DEMO, id="t1")
    world.later(499)
    assert refused(world.do(expire)) is RefusalCode.NOT_FOUND
    world.later(1)
    assert told(world.do(expire)) == ["order:cancel", "balance"]
    assert world.cash() == 10


def test_an_order_without_valid_until_does_not_expire():
    world = World()
    world.given_order(price="1.2")
    world.later(10**12)
    assert refused(world.do(Expire(account=DEMO, id="t1"))) is RefusalCode.NOT_FOUND


# ---- the same order again


def test_the_same_order_again_changes_nothing():
    world = World()
    assert told(world.place(client_order_id="mine"))
    again = world.place(client_order_id="mine")
    assert (again.events, again.refusal) == ((), None)
    assert len(world.state.accounts[DEMO].positions) == 1


def test_the_same_order_is_known_when_it_is_over_and_its_numbers_are_written_otherwise():
    world = World()
    world.place(client_order_id="mine", leverage="100.00")
    world.close("t1")
    assert world.place(client_order_id="mine", leverage="100").events == ()


def test_a_refused_order_is_refused_again_though_it_would_be_taken_now():
    world = World()
    world.market_is("closed")
    first = world.place(client_order_id="mine")
    assert [type(event) for event in first.events] == [OrderRefused]
    world.market_is("open")
    again = world.place(client_order_id="mine")
    assert again.events == ()
    assert (again.refusal.code, again.refusal.message) == (first.refusal.code, first.refusal.message)


@pytest.mark.parametrize(
    "change",
    [
        {"side": "sell"}, {"amount": 999}, {"leverage": 299}, {"type": "pending", "price": "1.2"},
        {"take_profit": "1.3"}, {"stop_loss": "1.265"}, {"valid_until_ms": START_MS + 9}, {"product": "BTC-USD"},
    ],
    ids="-".join,
)  # fmt: skip
@pytest.mark.parametrize("first", ["taken", "refused"])
def test_another_order_with_the_same_name_is_refused_and_the_first_answer_stays(first, change):
    world = World()
    world.market_is("open" if first == "taken" else "closed")
    world.place(client_order_id="mine")
    other = world.place(client_order_id="mine", **change)
    assert refused(other) is RefusalCode.CLIENT_ORDER_ID_REUSED
    assert other.events == ()
    again = world.place(client_order_id="mine").refusal
    assert (again.code if again else "taken") == ("taken" if first == "taken" else "market_closed")


def test_two_accounts_may_give_the_same_name():
    world = World()
    outcomes = [world.place(client_order_id="mine", account=account) for account in (DEMO, OTHER, LIVE)]
    assert all(told(outcome) for outcome in outcomes)


def test_a_refusal_is_not_kept_without_a_name_or_an_account():
    world = World()
    assert world.place(leverage=0).events == ()
    assert world.place(client_order_id="mine", account=LIVE._replace(user_id=9)).events == ()


FIELDS = {
    "product": st.sampled_from([EUR, "BTC-USD"]),
    "side": st.sampled_from(["buy", "sell"]),
    "type": st.sampled_from(["market", "pending", "limit", "stop"]),
    "amount": st.integers(1, 3),
    "valid_until_ms": st.none() | st.integers(1, 3),
    **{
        name: st.none() | st.sampled_from([Decimal(1), Decimal("1.00"), Decimal(100), Decimal("0.1")])
        for name in ("price", "take_profit", "stop_loss")
    },
    "leverage": st.sampled_from([Decimal(1), Decimal("1.0"), Decimal(10)]),
}


@given(st.fixed_dictionaries(FIELDS), st.fixed_dictionaries(FIELDS))
def test_a_fingerprint_is_the_same_exactly_when_the_same_is_asked_for(one, other):
    first, second = (replace(place_order("t1", client_order_id="mine"), **fields) for fields in (one, other))
    assert (fingerprint(first) == fingerprint(second)) == (first == second)
    assert fingerprint(first) == fingerprint(replace(first, id="t2", client_order_id="other"))


def test_the_margin_moves_from_the_cash_and_names_its_order():
    (movement,) = [event for event in World().place().events if isinstance(event, MoneyMoved)]
    assert (movement.kind, movement.source, movement.target) == ("margin", "user.cash", "user.margin")
    assert (movement.amount, movement.reference) == (Decimal("3.33333333"), "t1")
