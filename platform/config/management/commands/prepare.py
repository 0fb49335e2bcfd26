"""`manage.py prepare`: make the database ready without serving (`serve` does the same by itself)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Prepare the database and print the secrets that were made."""

    help = "Creates or updates the tables, the products, the first administrator and a demo key. Safe to repeat."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        from config.patience import DatabaseAway, database_wait
        from config.preparation import prepare

        try:
            database_wait(self.stdout.write)
        except DatabaseAway as away:
            raise CommandError(str(away)) from None
        prepare(self.stdout.write)
