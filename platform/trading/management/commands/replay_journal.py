"""`manage.py replay_journal`: does deciding the whole journal again give what is stored, byte for byte?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management.progress import bar
from trading.replay import replay_journal


class Command(BaseCommand):
    help = "Decides every input of the journal again and compares the result. Reads only; an engine may run meanwhile."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        with bar("replaying") as progress:
            differences = replay_journal(progress)
        for difference in differences:
            self.stderr.write(difference)
        if differences:
            raise CommandError(f"{len(differences)} differences")
        self.stdout.write("The journal gives what is stored.")
