"""The driver drives the engine as its runner does, and starts it again after a crash."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.commands import CancelOrder, ClosePosition, Deposit, PlaceOrder, ResetAccount, SetTerms
from engine.values import Market
from simulation.driver import appearance, check_commuting, regrouped, replayed
from simulation.laws import Violation
from simulation.script import Committed, Crashed, Waited
from tests.simulation.helpers import DEMO, EUR_USD, LIVE, NOW_MS, do, given_world, order, quoted


def names(driver):
    return [logged.name for entry in driver.journal for logged in entry.log]


def pending(identifier="t2", **changes):
    return order(identifier, type="pending", price=Decimal("1.05"), **changes)


def test_a_quote_does_what_it_reaches():
    driver = given_world(do(pending()), quoted("1.04990", "1.04992", 1))
    assert names(driver)[-2:] == ["order:activate", "position:new"]
    assert driver.book.state.accounts[DEMO].positions["t2"].price == Decimal("1.04992")


@pytest.mark.parametrize("state", ["closed", "stale", "halted"])
def test_a_quote_of_a_product_that_does_not_trade_does_nothing(state):
    driver = given_world(do(pending()), quoted("1.04990", "1.04992", 1, state=state))
    assert list(driver.book.state.accounts[DEMO].orders) == ["t2"]
    assert driver.situations.counts["held_back"] == 1


def test_what_has_expired_is_not_filled_any_more():
    driver = given_world(do(pending(valid_until_ms=NOW_MS + 1)), quoted("1.04990", "1.04992", 1))
    assert names(driver)[-2:] == ["order:cancel", "balance"]
    assert driver.situations.counts["expiry_and_trigger"] == 1


def test_time_alone_lets_expire():
    driver = given_world(do(pending(valid_until_ms=NOW_MS + 1)), Waited(NOW_MS + 1))
    assert not driver.book.state.owners


def test_a_command_comes_between_two_triggers():
    reset = ResetAccount(account=DEMO)
    driver = given_world(do(pending("t2")), do(pending("t3")), quoted("1.04990", "1.04992", 1, meanwhile=reset))
    assert names(driver)[-5:] == ["order:activate", "position:new", "order:cancel", "position:close", "balance"]
    assert driver.situations.counts["overtaken"] == 1


def test_a_quick_command_does_not_get_rid_of_what_a_quote_has_reached():
    cancel = CancelOrder(account=DEMO, id="t3")
    driver = given_world(do(pending("t2")), do(pending("t3")), quoted("1.04990", "1.04992", 1, meanwhile=cancel))
    assert list(driver.book.state.accounts[DEMO].positions) == ["t2", "t3"]
    assert driver.situations.counts["too_late"] == 1
    assert driver.situations.counts["not_found"] == 1


def test_what_was_committed_is_there_after_a_crash():
    driver = given_world(do(order("t1", client_order_id="mine")))
    before = appearance(driver.book)
    driver.play(Committed())
    driver.play(Crashed())
    assert appearance(driver.book) == before
    assert not driver.markets


def test_what_was_not_committed_is_gone_after_a_crash():
    driver = given_world(Committed(), do(order("t1", client_order_id="mine")), Crashed())
    assert not driver.book.state.owners
    assert not driver.book.state.requests
    assert driver.book.state.accounts[DEMO].cash == 10
    driver.play(quoted("1.10000", "1.10002", 1))
    driver.play(do(order("t4", client_order_id="mine"), 2))
    assert list(driver.book.state.accounts[DEMO].positions) == ["t4"]
    assert driver.situations.counts["lost_order_again"] == 1


def test_a_refusal_is_remembered_over_a_crash():
    refused = order("t1", client_order_id="mine", amount=0)
    driver = given_world(do(refused), Committed(), Crashed(), quoted("1.10000", "1.10002", 1))
    driver.play(do(replace(refused, id="t2"), 2))
    assert driver.situations.counts["refusal_over_crash"] == 1
    assert driver.situations.counts["size_out_of_bounds"] == 2


def test_a_journal_that_says_something_else_is_noticed():
    journal = given_world(do(order("t1"))).journal
    logged = journal[-1].log[0]
    journal[-1] = journal[-1]._replace(log=(logged._replace(data="{}"), *journal[-1].log[1:]))
    with pytest.raises(Violation, match="law 5: a replay gives the same: log"):
        replayed(journal)


def test_a_journal_that_answers_something_else_is_noticed():
    journal = given_world(do(order("t1"))).journal
    journal[-1] = journal[-1]._replace(answer=journal[-1].answer._replace(text="{}"))
    with pytest.raises(Violation, match="law 5: a replay gives the same: answer"):
        replayed(journal)


def test_a_state_that_is_another_after_a_crash_is_noticed():
    driver = given_world(do(order("t1", client_order_id="mine")), Committed())
    driver.book.state.requests.clear()
    with pytest.raises(Violation, match="law 5: a replay gives the same: another state"):
        driver.play(Crashed())


def test_accounts_that_depend_on_each_other_are_noticed():
    driver = given_world(do(Deposit(account=LIVE, amount=Decimal(1))), do(order("t1")))
    driver.book.state.accounts[DEMO].cash += 1
    with pytest.raises(Violation, match="law 6: commands of different accounts commute: accounts"):
        check_commuting(driver.journal, driver.book)


def test_regrouping_keeps_terms_where_they_are_and_an_accounts_commands_in_their_order():
    driver = given_world(
        do(order("t1")), do(order("t2", account=LIVE)), do(order("t3")),
        do(SetTerms(terms=replace(EUR_USD, max_leverage=Decimal(20)))),
        do(order("t4", account=LIVE)), do(order("t5")),
    )  # fmt: skip
    commands = [entry.entry.command for entry in regrouped(driver.journal)]
    placed = [getattr(command, "id", "terms") for command in commands if isinstance(command, PlaceOrder | SetTerms)]
    assert placed == ["terms", "t1", "t3", "t2", "terms", "t5", "t4"]


def test_an_error_of_the_engine_is_a_violation():
    driver = given_world(do(order("t1")), naive=False)
    driver.markets["EUR-USD"] = Market(Decimal(0), None)  # type: ignore[arg-type]  # no such market can be
    with pytest.raises(Violation, match="the engine raises nothing: TypeError"):
        driver.play(do(order("t2"), 1))


def test_only_what_changed_something_is_journaled():
    driver = given_world()
    before = len(driver.journal)
    driver.play(do(ClosePosition(account=DEMO, id="t9")))
    driver.play(do(Deposit(account=DEMO, amount=Decimal(0))))
    assert len(driver.journal) == before
    driver.play(do(Deposit(account=DEMO, amount=Decimal(1))))
    assert len(driver.journal) == before + 1
    assert driver.decided == len(driver.journal) + 2
