"""Close anybody's position from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand


class Command(AskingCommand):
    help = "Close a position at the market, whoever's it is (needs a running engine: it has the prices)."
    kind = "close"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="the position's id")
