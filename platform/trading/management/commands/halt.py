"""Halt a product from the shell."""

from django.core.management.base import CommandParser

from trading.management.asking import AskingCommand


class Command(AskingCommand):
    help = "Halt a product: quotes flow on, orders are refused."
    kind = "halt"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("product", help="such as EUR-USD")
