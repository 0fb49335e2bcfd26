"""The runner of `make trials`: does it keep what a trial said, and tell when one has failed?"""

import sys

import pytest

from tools import trials
from tools.setup import ROOT


def trial(code, name="sample"):
    return trials.Trial(name, ("-c", code))


@pytest.fixture
def of_two(monkeypatch, tmp_path):
    """Two trials in place of the real ones: the first fails, the second does not."""
    monkeypatch.setattr(trials, "TRIALS", (trial("raise SystemExit(3)", "bad"), trial("print('well')", "good")))
    monkeypatch.setattr(trials, "KEPT", tmp_path / "trials")
    return tmp_path / "trials"


def test_what_a_trial_says_is_kept_with_date_machine_and_versions(tmp_path, capsys):
    assert trials.run(trial("print('all laws held')"), tmp_path) == 0
    command, date, machine, versions, blank, said, _, outcome = (tmp_path / "sample.txt").read_text().splitlines()
    assert command == "$ python -c print('all laws held')"
    assert [line.split()[0] for line in (date, machine, versions)] == ["date", "machine", "versions"]
    assert (blank, said) == ("", "all laws held")
    assert outcome.startswith("passed, ")
    assert "all laws held" in capsys.readouterr().out


def test_colours_and_the_paths_of_this_machine_are_not_kept(tmp_path):
    code = f"print('\\x1b[31mred\\x1b[0m', {str(ROOT)!r} + '/x.py', {sys.prefix!r} + '/bin')"
    trials.run(trials.Trial("sample", ("-c", code)), tmp_path)
    said = (tmp_path / "sample.txt").read_text().splitlines()[5]
    assert said == "red ./x.py ./.venv/bin"


def test_an_older_text_is_replaced(tmp_path):
    trials.run(trial("print('first')"), tmp_path)
    trials.run(trial("print('second')"), tmp_path)
    assert "first" not in (tmp_path / "sample.txt").read_text().split("\n\n", 1)[1]


def test_a_failure_does_not_keep_the_next_trial_from_running(of_two, capsys):
    assert trials.main([]) == 1
    assert "FAILED with 3" in (of_two / "bad.txt").read_text()
    assert "well" in (of_two / "good.txt").read_text()
    assert [line.split() for line in capsys.readouterr().out.splitlines()[-2:]] == [
        ["bad", "FAILED"], ["good", "passed"],
    ]  # fmt: skip


def test_one_trial_can_be_run_alone(of_two):
    assert trials.main(["good"]) == 0
    assert not (of_two / "bad.txt").exists()


def test_a_trial_that_does_not_exist_is_an_error(of_two, capsys):
    assert trials.main(["sideways"]) == 2
    assert "no such trial: sideways" in capsys.readouterr().err


def test_the_trials_are_the_long_versions_of_what_make_test_runs():
    assert {one.name for one in trials.TRIALS} == {"simulation", "planted-bugs", "crashes-sqlite", "crashes-postgres"}
