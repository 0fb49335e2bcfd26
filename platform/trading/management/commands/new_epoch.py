"""`manage.py new_epoch`: tell clients that a part of the history was lost."""

import time
import uuid
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import F
from django.db.models.functions import Greatest

from trading.models import EngineLease


class Command(BaseCommand):
    help = (
        "Gives the history of events a new name. To be run after a backup was restored, before anything is served: "
        "clients that resume then hear that their place is gone, and take a snapshot. Web processes that went on "
        "believe the next engine, and one that still works on what is lost writes nothing."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = uuid.uuid4()
        EngineLease.objects.get_or_create(pk=EngineLease.ROW)
        # The fence went back with the backup. One take-over a millisecond is more than there ever were: the time is
        # beyond every fence of the history that was lost.
        fence = Greatest(F("fence") + 1, time.time_ns() // 1_000_000)
        EngineLease.objects.filter(pk=EngineLease.ROW).update(epoch=epoch, fence=fence)
        self.stdout.write(f"The epoch is {epoch} now.")
