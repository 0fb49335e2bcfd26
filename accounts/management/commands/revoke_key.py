"""Revoke an API key from the shell."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiKey
from accounts.services import api_key_revoke


class Command(BaseCommand):
    help = "Revoke an API key: its open sockets are closed within a second."
    # They say nothing about keys, and take longer than issuing one.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=uuid.UUID, help="the key's public id")

    def handle(self, *args: Any, **options: Any) -> None:
        key = ApiKey.objects.filter(public_id=options["id"]).first()
        if key is None:
            raise CommandError("There is no key with this id.")
        api_key_revoke(key)
        self.stdout.write(f"{key} is revoked.")
