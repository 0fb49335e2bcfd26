"""The page computes money as the engine does, to the last digit: thousands of trades, both ways."""

import json
import random
import subprocess
from decimal import Decimal

import pytest

from engine.margin import decay_of, liquidation_price_of, margin_of, pnl_of, pnl_percent_of
from engine.values import plain
from tests.plugins.services import ROOT
from tools.setup import node_command

CASES = 3_000
SEED = 20_261_125
MONEY = ROOT / "streaming" / "static" / "streaming" / "trade"
HOURS_8_MS = 8 * 3_600_000

SCRIPT = f"""
import {{readFileSync}} from "node:fs";
import {{Exact}} from "{(MONEY / "exact.js").as_uri()}";
import {{decayPeriodOf, liquidationOf, marginOf, pnlOf, pnlPercentOf}} from "{(MONEY / "money.js").as_uri()}";
const of = (text) => Exact.of(text);
const answers = JSON.parse(readFileSync(0, "utf8")).map((one) => {{
  const [size, entry, close] = [of(one.size), of(one.entry), of(one.close)];
  const margin = marginOf({{size, leverage: of(one.leverage)}});
  const pnl = pnlOf({{side: one.side, size, entry, close}});
  const liquidation = liquidationOf({{...one, entry, size, margin}});
  const decay = decayPeriodOf({{rate: of(one.rate), size}});
  return [margin, pnl, pnlPercentOf({{pnl, margin}}), liquidation, decay].map(String);
}});
console.log(JSON.stringify(answers));
"""


def trade(dice):
    """Return a random trade, all numbers as text."""
    digits = dice.randint(0, 8)
    entry = dice.randint(1, 10 ** dice.randint(1, 13 - digits + 2)) + 10
    close = max(1, int(entry * dice.uniform(0.5, 1.6)))
    return {
        "side": dice.choice(["buy", "sell"]),
        "size": plain(Decimal(dice.randint(1, 600_000_000)).scaleb(-3)),
        "leverage": plain(Decimal(dice.randint(100, 30_000)).scaleb(-2)),
        "entry": plain(Decimal(entry).scaleb(-digits)),
        "close": plain(Decimal(close).scaleb(-digits)),
        "fraction": dice.choice(["2/3", "4/5", "1/1", "7/9"]),
        "digits": digits,
        "rate": plain(Decimal(dice.randint(0, 10_000)).scaleb(-7)),
    }


def in_python(case):
    size, entry, close = (Decimal(case[name]) for name in ("size", "entry", "close"))
    numerator, denominator = map(int, case["fraction"].split("/"))
    margin = margin_of(size=size, leverage=Decimal(case["leverage"]))
    pnl = pnl_of(side=case["side"], size=size, entry=entry, close=close)
    liquidation = liquidation_price_of(
        side=case["side"], entry=entry, size=size, margin=margin, fraction=(numerator, denominator),
        digits=case["digits"],
    )  # fmt: skip
    decay = decay_of(rate=Decimal(case["rate"]), size=size, opened_ms=0, closed_ms=HOURS_8_MS)
    percent = pnl_percent_of(pnl=pnl, margin=margin)
    return [plain(number) for number in (margin, pnl, percent, liquidation, decay)]


@pytest.fixture(scope="module")
def cases():
    dice = random.Random(SEED)
    return [trade(dice) for _ in range(CASES)]


def test_thousands_of_trades_have_the_same_money_in_both_languages(cases):
    command = [*node_command(), "--input-type=module", "--eval", SCRIPT]
    ended = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True)
    for case, answer in zip(cases, json.loads(ended.stdout), strict=True):
        assert answer == in_python(case), case


def test_the_cases_are_worth_something(cases):
    """Many sides, digits, gains and losses: a table of zeros would agree too."""
    answers = [in_python(case) for case in cases]
    assert {case["digits"] for case in cases} == set(range(9))
    assert len({pnl for _, pnl, *_ in answers}) > CASES * 0.9
    assert sum(pnl.startswith("-") for _, pnl, *_ in answers) > CASES / 4
