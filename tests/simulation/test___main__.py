"""The command line: what it prints and how it ends."""

import pytest

from simulation.__main__ import main


def test_a_run_says_how_fast_it_was_and_what_it_met(capsys):
    assert main(["--seed", "3", "--commands", "300", "--open", "30"]) == 0
    said = capsys.readouterr().out
    assert "seed 3: " in said
    assert "commands/s" in said
    assert "an order comes a second time" in said
    assert said.endswith("all laws held\n")


def test_a_planted_fault_is_told_with_a_script(capsys):
    assert main(["--seed", "3", "--commands", "3000", "--bug", "duplicate_executed"]) == 0
    said = capsys.readouterr().out
    assert "duplicate_executed: found after" in said
    assert "again: python -m simulation --seed 3 --commands 3000 --open 250 --bug duplicate_executed" in said
    assert "def test_seed_3_round_0():" in said


def test_a_fault_that_is_not_found_is_a_failure(capsys):
    assert main(["--seed", "3", "--commands", "50", "--no-naive", "--bug", "margin_half_up"]) == 1
    assert "margin_half_up: not found" in capsys.readouterr().out


def test_an_unknown_fault_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--bug", "no_such"])
    assert "invalid choice" in capsys.readouterr().err
