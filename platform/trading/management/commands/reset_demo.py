"""Reset a demo account from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand, add_account


class Command(AskingCommand):
    help = "Close and cancel everything of a user's demo account; it begins again with its 10 BTC."
    kind = "reset"

    def add_arguments(self, parser: CommandParser) -> None:
        add_account(parser)
        parser.set_defaults(environment="demo")
