"""A round depends on its seed and number alone, and its script is all there is to it."""

import pytest

from engine.commands import SetTerms
from simulation.bugs import planted
from simulation.driver import Driver
from simulation.laws import Violation
from simulation.rounds import CROWDED_EVERY, Failed, Round
from simulation.script import Committed, Crashed, Do, Quoted
from simulation.situations import Situations


def played(seed="rounds", number=0, commands=600, **changes):
    made = Round(seed, number, **{"target": 50, "naive": False, "situations": Situations(), **changes})
    made.run(commands)
    return made


def test_the_same_seed_and_number_give_the_same_script():
    assert played().script == played().script
    assert played().script != played(number=1).script
    assert played().script != played(seed="other").script


def test_a_script_alone_leads_to_the_same_end():
    made = played()
    again = Driver(naive=True)
    again.play_all(made.script)
    assert again.book.state.owners == made.driver.book.state.owners
    assert [entry.log for entry in again.journal] == [entry.log for entry in made.driver.journal]


def test_there_is_about_one_quote_for_two_commands():
    made = played(commands=3_000)
    quotes = sum(isinstance(step, Quoted) for step in made.script)
    assert 0.4 < quotes / made.commands < 0.6


def test_now_and_then_an_account_is_full():
    made = played(number=CROWDED_EVERY - 1, commands=1_200)
    assert made.driver.situations.counts["too_many_trades"] >= 5


def test_a_failure_brings_its_script():
    with planted("margin_half_up"), pytest.raises(Failed) as failed:
        played(naive=True, commands=3_000)
    assert failed.value.violation.law == "naive: events"
    with planted("margin_half_up"), pytest.raises(Violation):
        Driver().play_all(failed.value.script)


def test_a_crash_that_loses_everything_is_followed_by_a_start_that_knows_the_products():
    made = Round("558807", 23, target=250, naive=True, situations=Situations())
    made.run(1_500)
    kinds = [type(step) for step in made.script]
    crashed = kinds.index(Crashed)
    assert Committed not in kinds[:crashed]
    again = [step.command for step in made.script[crashed + 1 : crashed + 4] if isinstance(step, Do)]
    assert [type(command) for command in again] == [SetTerms] * 3
