"""Money comes and goes: grants, deposits, withdrawals, resets; each tells the balance once."""

from decimal import Decimal

import pytest

from engine.commands import Deposit, OpenAccount, ResetAccount, Withdraw
from engine.events import BalanceChanged, OrderCancelled, PositionClosed
from engine.funds import DEMO_GRANT, MAX_MOVEMENT
from engine.refusals import RefusalCode
from engine.values import AccountId
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
    picture,
    refused,
    told,
)


@pytest.mark.parametrize(("environment", "cash"), [("demo", "10.00000000"), ("live", "0.00000000")])
def test_a_demo_account_begins_with_its_grant_and_a_live_one_with_nothing(environment, cash):
    world = World()
    outcome = world.do(OpenAccount(account=AccountId(environment, 7)))
    assert told(outcome) == ["balance"]
    assert balance(outcome) == cash
    assert world.cash(AccountId(environment, 7)) == Decimal(cash)


def test_the_grant_comes_from_outside():
    outcome = World().do(OpenAccount(account=AccountId("demo", 7)))
    assert movements(outcome) == [("opening", "external", "user.cash", "10.00000000")]


def test_an_account_is_opened_once():
    world = World()
    world.place()
    assert world.do(OpenAccount(account=DEMO)).events == ()
    assert world.cash() == Decimal("6.66666667")


def test_a_deposit_arrives_and_a_withdrawal_leaves():
    world = World()
    outcome = world.do(Deposit(account=LIVE, amount=Decimal("1.5")))
    assert told(outcome) == ["balance"]
    assert (balance(outcome), movements(outcome)) == (
        "11.50000000", [("deposit", "external", "user.cash", "1.50000000")],
    )  # fmt: skip
    outcome = world.do(Withdraw(account=LIVE, amount=Decimal("11.5")))
    assert told(outcome) == ["balance"]
    assert (balance(outcome), movements(outcome)) == (
        "0.00000000", [("withdrawal", "user.cash", "external", "11.50000000")],
    )  # fmt: skip
    assert world.house("external", "live") == 0


@pytest.mark.parametrize("amount", ["0", "-1", "0.000000001", "1.123456789", "21000000.00000001"])
@pytest.mark.parametrize("command", [Deposit, Withdraw])
def test_an_amount_is_above_zero_and_of_whole_satoshis(command, amount):
    assert refused(World().do(command(account=LIVE, amount=Decimal(amount)))) is RefusalCode.INVALID_AMOUNT


@pytest.mark.parametrize("amount", ["0.00000001", str(MAX_MOVEMENT), "1.000000000"])
def test_the_smallest_and_the_largest_amount_are_taken(amount):
    world = World()
    assert world.do(Deposit(account=LIVE, amount=Decimal(amount))).refusal is None
    assert world.cash(LIVE) == 10 + Decimal(amount)


def test_what_is_locked_as_margin_cannot_be_withdrawn():
    world = World()
    world.place(account=LIVE)
    more = Withdraw(account=LIVE, amount=Decimal("6.66666668"))
    assert refused(world.do(more)) is RefusalCode.INSUFFICIENT_BALANCE
    assert world.do(Withdraw(account=LIVE, amount=Decimal("6.66666667"))).refusal is None


@pytest.mark.parametrize("command", [Deposit, Withdraw])
def test_an_account_that_is_not_open_has_no_money(command):
    unknown = command(account=AccountId("live", 9), amount=Decimal(1))
    assert refused(World().do(unknown)) is RefusalCode.NOT_FOUND


# ---- reset


def test_a_reset_cancels_closes_and_tells_one_balance():
    world = World()
    world.given_order(price="1.2", amount=1000)
    world.given_position(amount=1000)
    world.given_position(side="sell", amount=1000)
    world.quote("1.26640", "1.26650")
    outcome = world.do(ResetAccount(account=DEMO))
    assert told(outcome) == ["order:cancel", "position:close", "position:close", "balance"]
    assert balance(outcome) == "10.00000000"
    endings = [event.closing for event in outcome.events if isinstance(event, PositionClosed)]
    assert [(str(ending.price), ending.reason) for ending in endings] == [("1.26640", "manual"), ("1.26650", "manual")]
    assert (world.cash(), world.margin()) == (DEMO_GRANT, 0)
    owner = world.state.accounts[DEMO]
    assert not owner.orders
    assert not owner.positions
    assert world.cash(OTHER) == 10


@pytest.mark.parametrize(
    ("close", "last"),
    [("1.26000", ("reset", "external", "user.cash", "5.01441140")),
     ("1.27000", ("reset", "user.cash", "external", "2.88229950"))],
)  # fmt: skip
def test_a_reset_gives_what_is_missing_or_takes_what_is_too_much(close, last):
    world = World(liquidation_fraction=(1, 1), max_size=Decimal(2000))
    world.given_position(leverage=101)
    world.quote(close)
    assert movements(world.do(ResetAccount(account=DEMO)))[-1] == last


def test_a_reset_of_an_untouched_account_tells_the_balance_too():
    outcome = World().do(ResetAccount(account=DEMO))
    assert told(outcome) == ["balance"]
    assert movements(outcome) == []


def test_a_reset_takes_the_decay_like_any_close():
    world = World()
    world.given_position()
    world.later(8 * HOUR_MS)
    assert closed(world.do(ResetAccount(account=DEMO))).decay == Decimal("0.2")


@pytest.mark.parametrize("state", ["closed", "stale", "halted"])
def test_a_reset_needs_no_open_market_and_uses_the_last_price(state):
    world = World()
    world.given_position()
    world.quote("1.26640")
    world.market_is(state)
    assert closed(world.do(ResetAccount(account=DEMO))).price == Decimal("1.26640")


def test_without_any_price_a_reset_closes_where_the_position_was_opened():
    world = World()
    world.given_position()
    world.markets.clear()
    ended = closed(world.do(ResetAccount(account=DEMO)))
    assert (ended.price, ended.pnl) == (Decimal("1.26635"), 0)


def test_only_a_demo_account_that_is_open_can_be_reset():
    world = World()
    assert refused(world.do(ResetAccount(account=LIVE))) is RefusalCode.NOT_DEMO
    assert refused(world.do(ResetAccount(account=AccountId("demo", 9)))) is RefusalCode.NOT_FOUND


def test_a_reset_goes_by_age_whatever_order_the_state_was_loaded_in():
    """A restart loads the trades in another order; a replay of the journal, which knows no restart, must agree."""
    worlds = World(), World()
    for world in worlds:
        for number in range(3):
            world.given_order(price="1.2", amount=1000)
            world.given_position(amount=1000)
            world.later(number)  # the first two are of the same millisecond
    loaded = worlds[1].state.accounts[DEMO]
    loaded.orders = dict(reversed(loaded.orders.items()))
    loaded.positions = dict(reversed(loaded.positions.items()))
    one, other = (world.do(ResetAccount(account=DEMO)).events for world in worlds)
    assert one == other
    assert [event.order.id for event in one if isinstance(event, OrderCancelled)] == ["t1", "t3", "t5"]
    assert isinstance(one[-1], BalanceChanged)
    assert picture(worlds[0].state) == picture(worlds[1].state)


def test_orders_can_be_placed_again_after_a_reset():
    world = World()
    world.place(client_order_id="mine")
    world.do(ResetAccount(account=DEMO))
    assert world.place(client_order_id="mine").events == ()
    assert world.given_position().opened_ms == START_MS
