"""The naive model by itself: the document's own trade, and that the state before is kept."""

import json
from decimal import Decimal

import pytest

from engine.commands import ClosePosition, Deposit, OpenAccount, SetTerms, SplitPosition, UpdateTrade
from simulation.naive import Naive
from tests.simulation.helpers import DEMO, EUR_USD, NOW_MS, market, order

BEFORE, AFTER = market("1.26633", "1.26635"), market("1.26995", "1.26997")


@pytest.fixture
def naive():
    model = Naive()
    for command in (SetTerms(terms=EUR_USD), OpenAccount(account=DEMO)):
        model.do(command, NOW_MS, {})
    return model


def documents_order(**changes):
    return order(leverage=Decimal(300), amount=1_000_000, **changes)


def test_it_does_the_documents_own_trade(naive):
    placed = naive.do(documents_order(), NOW_MS, BEFORE)
    assert [name for name, _ in placed.told] == ["order:new", "order:activate", "position:new", "balance"]
    opened = json.loads(placed.told[2][1])
    assert (opened["margin"], opened["liquidation_price"]) == ("3.33333333", "1.26354")
    closed = naive.do(ClosePosition(account=DEMO, id="t1"), NOW_MS, AFTER)
    assert [name for name, _ in closed.told] == ["position:close", "balance"]
    end = json.loads(closed.answer)
    assert (end["pnl"], end["pnl_percent"], end["reason"]) == ("2.84281590", "85.2845", "manual")
    assert closed.told[1][1] == '{"BTC":"12.84281590"}'


def test_the_same_order_again_gets_the_first_answer(naive):
    first = naive.do(documents_order(client_order_id="mine"), NOW_MS, BEFORE)
    again = naive.do(documents_order(client_order_id="mine"), NOW_MS + 1, AFTER)
    assert again.answer == first.answer
    assert not again.told
    other = naive.do(documents_order(client_order_id="mine", stop_loss=Decimal("1.265")), NOW_MS, BEFORE)
    assert other.code == "client_order_id_reused"


def test_a_refused_order_stays_refused(naive):
    assert naive.do(documents_order(client_order_id="mine"), NOW_MS, {}).code == "price_outdated"
    assert naive.do(documents_order(client_order_id="mine"), NOW_MS, BEFORE).code == "price_outdated"


def test_the_margin_wins_over_the_leverage(naive):
    naive.do(documents_order(), NOW_MS, BEFORE)
    update = UpdateTrade(account=DEMO, id="t1", margin=Decimal(4), leverage=Decimal(2))
    updated = json.loads(naive.do(update, NOW_MS, BEFORE).answer)
    assert (updated["margin"], updated["leverage"]) == ("4.00000000", "250")


def test_what_a_split_does_not_divide_goes_to_the_first(naive):
    naive.do(documents_order(), NOW_MS, BEFORE)
    split = SplitPosition(account=DEMO, id="t1", first_percent=50, first_id="a", second_id="b")
    parts = json.loads(naive.do(split, NOW_MS, BEFORE).answer)["data"]
    assert parts["first_position"]["margin"] == "1.66666667"
    assert parts["second_position"]["margin"] == "1.66666666"


def test_a_copy_stays_as_it_was(naive):
    before = naive.copy()
    naive.do(documents_order(client_order_id="mine"), NOW_MS, BEFORE)
    naive.do(Deposit(account=DEMO, amount=Decimal(1)), NOW_MS, BEFORE)
    assert before.accounts[DEMO].cash == 10 * 10**8
    assert not before.accounts[DEMO].trades
    assert not before.requests


def test_it_refuses_what_is_not_there(naive):
    assert naive.do(ClosePosition(account=DEMO, id="t9"), NOW_MS, BEFORE).code == "not_found"
