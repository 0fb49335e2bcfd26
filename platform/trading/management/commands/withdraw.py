"""Withdraw from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand, add_movement


class Command(AskingCommand):
    help = "Withdraw BTC from a user's account, by the engine."
    kind = "withdraw"

    def add_arguments(self, parser: CommandParser) -> None:
        add_movement(parser)
