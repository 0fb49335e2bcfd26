"""`manage.py verify_ledger`: do the laws of the ledger hold over everything that is stored?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.ledger import verify_ledger
from trading.management.progress import bar


class Command(BaseCommand):
    help = "Checks balances, ledger, events and trades against each other. Reads only; an engine may run meanwhile."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        with bar("verifying") as progress:
            problems = verify_ledger(progress)
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} violations")
        self.stdout.write("The ledger is in order.")
