"""Each rare situation is counted when it is there. (That every one occurs is shown in test_run.py.)"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.commands import ClosePosition, ResetAccount, SetTerms, SplitPosition, UpdateTrade, Withdraw
from engine.values import AccountId
from simulation.script import Committed, Crashed
from simulation.situations import SITUATIONS, Situations
from tests.simulation.helpers import DEMO, EUR_USD, LIVE, do, given_world, order, quoted

HOURS_MS = 3_600_000
POSITION = do(order("t1", stop_loss=Decimal("1.05000")))
STOP = do(order("t2", type="stop", price=Decimal("1.10100"), leverage=Decimal(100), stop_loss=Decimal("1.10000"),
                take_profit=Decimal("1.10500")))  # fmt: skip
CASES = {
    "gap_through_stop": [STOP, quoted("1.10200", "1.10202", 1)],
    "stop_beyond_liquidation": [STOP, quoted("1.15000", "1.15002", 1)],
    "take_profit_passed": [STOP, quoted("1.15000", "1.15002", 1)],
    "better_limit": [do(order("t2", type="limit", price=Decimal("1.05"))), quoted("1.04000", "1.04002", 1)],
    "exact_touch": [POSITION, quoted("1.05000", "1.05002", 1)],
    "stop_and_liquidation": [POSITION, quoted("1.00000", "1.00002", 1)],
    "liquidated_in_full": [POSITION, quoted("1.00000", "1.00002", 1)],
    "liquidated_at_market": [
        do(SetTerms(terms=replace(EUR_USD, liquidation_loss="market"))), POSITION, quoted("1.02000", "1.02002", 1),
    ],
    "loss_beyond_margin": [
        do(SetTerms(terms=replace(EUR_USD, liquidation_loss="market"))), POSITION, quoted("0.90000", "0.90002", 1),
    ],
    "liquidation_at_entry": [
        do(SetTerms(terms=replace(EUR_USD, digits=1))), quoted("1.1", "1.2"), do(order("t1", leverage=Decimal(300))),
    ],
    "decay_paid": [POSITION, do(ClosePosition(account=DEMO, id="t1"), 8 * HOURS_MS)],
    "decay_shortfall": [POSITION, do(ClosePosition(account=DEMO, id="t1"), 80_000 * HOURS_MS)],
    "no_gain": [POSITION, quoted("1.10002", "1.10004", 1), do(ClosePosition(account=DEMO, id="t1"), 1)],
    "several_at_once": [POSITION, do(order("t3")), quoted("1.00000", "1.00002", 1)],
    "odd_split": [
        do(order("t1", amount=1001, leverage=Decimal(300))),
        do(SplitPosition(account=DEMO, id="t1", first_percent=33, first_id="a", second_id="b")),
    ],
    "margin_and_leverage": [
        POSITION, do(UpdateTrade(account=DEMO, id="t1", margin=Decimal("0.5"), leverage=Decimal(3))),
    ],
    "reset_of_both": [POSITION, STOP, do(ResetAccount(account=DEMO))],
    "reset_without_quote": [POSITION, Committed(), Crashed(), do(ResetAccount(account=DEMO))],
    "all_spent": [do(Withdraw(account=DEMO, amount=Decimal(10)))],
    "duplicate": [do(order("t1", client_order_id="mine")), do(order("t2", client_order_id="mine"))],
    "other_owner": [POSITION, do(ClosePosition(account=AccountId("demo", 2), id="t1"))],
    "other_environment": [POSITION, do(ClosePosition(account=LIVE, id="t1"))],
    "terms_changed": [POSITION, do(SetTerms(terms=replace(EUR_USD, max_leverage=Decimal(5))))],
    "crash": [Committed(), Crashed()],
    "crash_lost": [Crashed()],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_counted(name):
    assert given_world(*CASES[name]).situations.counts[name] == 1


def test_the_beginning_has_nothing_rare_in_it():
    assert not +given_world().situations.counts


def test_what_has_not_occurred_is_missing():
    situations = Situations()
    situations.counts["crash"] += 1
    assert situations.missing() == [name for name in SITUATIONS if name != "crash"]
