"""Deposit from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand, add_movement


class Command(AskingCommand):
    help = "Deposit BTC to a user's account, by the engine."
    kind = "deposit"

    def add_arguments(self, parser: CommandParser) -> None:
        add_movement(parser)
