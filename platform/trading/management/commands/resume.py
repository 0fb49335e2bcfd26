"""Resume trading from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand


class Command(AskingCommand):
    help = "Let a halted product trade again."
    kind = "resume"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("product", help="such as EUR-USD")
