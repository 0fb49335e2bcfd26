"""What was taken away: whoever ends an access says so in a row, and every process closes the sockets concerned."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.kept import forget_keys
from accounts.models import AccessChange

ACCESS_CHANGE_OVERLAP = 100
"""Rows read again: on PostgreSQL a lower number may be committed after a higher one was read."""

GENERATION_END_READ_FOR = timedelta(hours=1)
"""A generation's end is read from its time on: longer than a process is ever without the database and yet serving."""

ACCESS_CHANGE_RETENTION = timedelta(days=7)

# Spelled out: each process asks three times a second, and to make the statement takes ten times as long as to ask.
# An end of a generation is written when it is set, and comes when its time does.
_AFTER = f"""SELECT * FROM {AccessChange._meta.db_table}
WHERE generation = 0 AND id > %s OR generation > 0 AND at > %s AND at <= %s ORDER BY id"""  # noqa: S608  # our own name

ALL_SESSIONS = "*"
"""As an access change's session: every browser of the user, but none of its keys."""


def access_change(
    *, user_id: int, key_id: str = "", session: str = "", generation: int = 0, at: datetime | None = None
) -> None:
    """Record that access ended; every process closes the sockets concerned. Call it in the same transaction.

    `generation`: of the key's secrets, only this one's sockets, at the time `at`.
    """
    AccessChange.objects.create(
        user_id=user_id, key_id=key_id, session=session, generation=generation, at=at or timezone.now()
    )
    AccessChange.objects.filter(at__lt=timezone.now() - ACCESS_CHANGE_RETENTION).delete()
    forget_keys()  # for this transaction; and again for everybody who reads until it ends
    transaction.on_commit(forget_keys)


def access_changes_after(cursor: int) -> list[AccessChange]:
    """Return what was taken away since, oldest first, and some before it again: skip the numbers you have seen."""
    now = timezone.now()
    since, until = (connection.ops.adapt_datetimefield_value(at) for at in (now - GENERATION_END_READ_FOR, now))
    return list(AccessChange.objects.raw(_AFTER, (cursor - ACCESS_CHANGE_OVERLAP, since, until)))


def newest_access_change() -> int:
    return AccessChange.objects.aggregate(newest=Max("pk"))["newest"] or 0
