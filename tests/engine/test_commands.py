"""Every command has a name under which the journal keeps it, and that name is for good."""

from typing import get_args

from engine.commands import COMMANDS, KINDS, Command


def test_every_command_has_its_name_in_the_journal():
    assert set(COMMANDS.values()) == set(get_args(Command))
    assert {KINDS[command]: command for command in KINDS} == dict(COMMANDS)


def test_the_names_stay_as_they_are_and_fit_their_column():
    """Journals of the past are read by them."""
    assert list(COMMANDS) == [
        "place_order", "cancel_order", "update_trade", "close_position", "split_position", "open_account", "deposit",
        "withdraw", "reset_account", "set_terms", "trigger", "expire",
    ]  # fmt: skip
    assert max(map(len, COMMANDS)) <= 16
