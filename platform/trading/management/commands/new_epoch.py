"""`manage.py new_epoch`: tell clients that a part of the history was lost."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand

from trading.models import EngineLease


class Command(BaseCommand):
    help = (
        "Gives the history of events a new name. To be run after a backup was restored, before anything is served: "
        "clients that resume then hear that their place is gone, and take a snapshot."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = uuid.uuid4()
        EngineLease.objects.update_or_create(pk=EngineLease.ROW, defaults={"epoch": epoch})
        self.stdout.write(f"The epoch is {epoch} now.")
