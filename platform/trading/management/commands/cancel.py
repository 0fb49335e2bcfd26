"""Cancel anybody's order from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand


class Command(AskingCommand):
    help = "Cancel a pending order, whoever's it is."
    kind = "cancel"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="the order's id")
