"""`manage.py prepare`: make the database ready without serving (`serve` does the same by itself)."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Prepare the database and print the secrets that were made."""

    help = "Creates or updates the tables, the products, the first administrator and a demo key. Safe to repeat."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        from config.preparation import prepare

        prepare(self.stdout.write)
