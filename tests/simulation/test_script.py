"""A script that is written down is the same script again."""

from decimal import Decimal

from engine.commands import SetTerms
from simulation.script import Committed, Crashed, Quoted, Waited, as_test, plainer, python
from tests.simulation.helpers import DEMO, EUR_USD, beginning, do, order, quoted


def test_a_step_is_written_without_what_is_so_by_default():
    assert python(quoted("1.1", "1.2")) == (
        "Quoted(product='EUR-USD', bid=Decimal('1.1'), ask=Decimal('1.2'), time_ms=1700000000000)"
    )
    assert "take_profit" not in python(do(order()))
    assert "take_profit=Decimal('1.3')" in python(do(order(take_profit=Decimal("1.3"))))


def test_the_text_of_a_test_plays_the_script():
    steps = [
        *beginning(), do(SetTerms(terms=EUR_USD)), do(order()), Committed(), Crashed(), Waited(1_700_000_000_001),
        quoted("1.1", "1.2", 2, state="closed", meanwhile=order("t2")),
    ]  # fmt: skip
    played = []

    class Driver:
        def play_all(self, script):
            played.extend(script)

    text = as_test("seed_1_round_2", "law 1: something", steps)
    exec(text.replace("from simulation.driver import Driver\n", "") + "\ntest_seed_1_round_2()", {"Driver": Driver})
    assert played == steps
    assert "# law 1: something" in text


def test_a_quote_with_a_command_in_its_midst_is_plainer_as_the_one_or_the_other():
    step = quoted("1.1", "1.2", meanwhile=order())
    assert list(plainer(step)) == [do(order()), quoted("1.1", "1.2")]
    assert not [each for part in plainer(step) for each in plainer(part)]


def test_steps_are_equal_by_what_they_say():
    assert quoted("1.1", "1.2") == Quoted("EUR-USD", Decimal("1.1"), Decimal("1.2"), 1_700_000_000_000)
    assert do(order(account=DEMO)) == do(order())
