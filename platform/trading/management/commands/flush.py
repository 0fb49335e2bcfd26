"""`manage.py flush`: Django's, which may empty the tables that nothing else may."""

from typing import Any

from django.core.management.commands import flush
from django.db import connection

from trading.immutable import guard, unguard


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        """Flush with the guards away, which on SQLite refuse it (PostgreSQL truncates)."""
        if connection.vendor != "sqlite":
            return super().handle(**options)
        unguard(connection)
        try:
            super().handle(**options)
        finally:
            guard(connection)
