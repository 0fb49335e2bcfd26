"""Which engine may write? The holder of the lease: one at a time, and one that was deposed writes nothing any more.

A lock that goes with the process (PostgreSQL: an advisory lock; SQLite: a lock file in DATA_DIR) lets a standby take
over at once when the holder dies. The row has a heartbeat, so that a holder that hangs can be deposed as well, and a
fence, which grows with every take-over and is looked at in every transaction of the journal: whoever wakes up finds
another number there.

On SQLite a holder that hangs in the midst of a transaction keeps the whole database locked: nobody can take over until
it goes on or is killed.
"""

import fcntl
import os
import uuid
from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from trading.journal import SESSION as JOURNAL_SESSION
from trading.models import EngineLease
from trading.sessions import own_session
from trading.tables import LEASE, LEASE_TABLE

BEAT_S = 0.5
"""How often a holder says that it lives."""

STALE_S = 3.0
"""A holder that has said nothing for so long hangs: six beats, more than a long commit or collection of garbage."""

LOCK_NUMBER = 7_110_525_712
"""PostgreSQL's advisory lock of the engine, any number that nobody else uses."""

DOOR_NUMBER = LOCK_NUMBER + 1
"""The lock of whoever is about to take over: one standby at a time judges and deposes a holder."""

SESSION = "tickwire-lease"

_TAKE_OVER_S = 2.0
"""How long a take-over waits for what the deposed one's sessions still hold."""

# A network that is gone is noticed after 3 s, not after the system's hours.
_KEEPALIVE = {
    "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 3_000,
    "connect_timeout": 3,
}  # fmt: skip

_TAKE = f"""UPDATE {LEASE_TABLE} SET fence = fence + 1, holder = %s, taken_at = now(), beat_at = now() WHERE id = 1
RETURNING fence, epoch"""  # noqa: S608  # our own name
_BEAT = f"UPDATE {LEASE_TABLE} SET beat_at = now() WHERE id = 1 AND fence = %s"  # noqa: S608
_BEAT_SQLITE = f"UPDATE {LEASE_TABLE} SET beat_at = %s WHERE id = 1 AND fence = %s"  # noqa: S608
_STALE_HOLDER = f"""SELECT pid FROM pg_locks, {LEASE_TABLE} AS lease
WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = %s AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND lease.id = 1 AND lease.beat_at < now() - make_interval(secs => %s)"""  # noqa: S608
_END_JOURNALS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = %s"""


class LeaseLost(Exception):
    """Another engine has taken over, or the lock's session is gone: stop at once."""


class Lease(ABC):
    """The right to write, with the fence to write by. Any thread may call it; through `accounts.database.released`."""

    def __init__(self, fence: int, epoch: uuid.UUID) -> None:
        self.fence = fence
        self.epoch = epoch

    def beat(self) -> None:
        """Say that the holder lives, every `BEAT_S`; raises `LeaseLost`."""
        if not self._beat():
            raise LeaseLost

    @abstractmethod
    def held(self) -> bool:
        """Say whether nobody has taken over."""

    @abstractmethod
    def release(self) -> None:
        """Let a standby in at once; safe to repeat."""

    @abstractmethod
    def _beat(self) -> bool: ...


def take_lease(holder: str) -> Lease | None:
    """Take the lease, also from a holder that hangs; return None where another one works. `holder` is for people."""
    EngineLease.objects.get_or_create(pk=EngineLease.ROW)
    return _take_postgres(holder) if connection.vendor == "postgresql" else _take_sqlite(holder)


# ---- PostgreSQL


class _PostgresLease(Lease):
    def __init__(self, fence: int, epoch: uuid.UUID, session: psycopg.Connection[Any]) -> None:
        super().__init__(fence, epoch)
        self._session = session

    def held(self) -> bool:
        try:
            return self._session.execute(LEASE).fetchone() == (self.fence,)
        except psycopg.Error:
            return False

    def release(self) -> None:
        self._session.close()

    def _beat(self) -> bool:
        try:
            return self._session.execute(_BEAT, (self.fence,)).rowcount == 1
        except psycopg.Error:
            return False


def _take_postgres(holder: str) -> Lease | None:
    session = own_session(SESSION, **_KEEPALIVE)
    try:
        session.execute("SELECT set_config('lock_timeout', %s, false)", (f"{_TAKE_OVER_S}s",))
        # A standby that hangs in the door must not keep it shut.
        session.execute("SELECT set_config('idle_session_timeout', %s, false)", (f"{2 * _TAKE_OVER_S}s",))
        if not _try_lock(session, DOOR_NUMBER) or not _locked(session):
            session.close()
            return None
        # Whoever is in the midst of a commit holds the row, and may hang: all earlier journals end here.
        session.execute(_END_JOURNALS, (JOURNAL_SESSION,))
        taken = session.execute(_TAKE, (holder[:64],)).fetchone()
        assert taken is not None
        fence, epoch = taken
        session.execute("SELECT pg_advisory_unlock(%s), set_config('idle_session_timeout', '0', false)", (DOOR_NUMBER,))
        return _PostgresLease(fence, epoch, session)
    except BaseException:
        session.close()
        raise


def _locked(session: psycopg.Connection[Any]) -> bool:
    """Get the lock, if need be by ending the session of a holder that hangs; only in the door."""
    if _try_lock(session, LOCK_NUMBER):
        return True
    stale = session.execute(_STALE_HOLDER, (LOCK_NUMBER, STALE_S)).fetchone()
    if stale is None:
        return False
    session.execute("SELECT pg_terminate_backend(%s)", stale)
    session.execute("SELECT pg_advisory_lock(%s)", (LOCK_NUMBER,))
    return True


def _try_lock(session: psycopg.Connection[Any], number: int) -> bool:
    return session.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone() == (True,)


# ---- SQLite


class _SqliteLease(Lease):
    def __init__(self, fence: int, epoch: uuid.UUID, lock: IO[bytes]) -> None:
        super().__init__(fence, epoch)
        self._lock = lock

    def held(self) -> bool:
        return EngineLease.objects.filter(pk=EngineLease.ROW, fence=self.fence).exists()

    def release(self) -> None:
        self._lock.close()

    def _beat(self) -> bool:
        # Spelled out: the ORM would hold the interpreter twenty times as long.
        with connection.cursor() as cursor:
            cursor.execute(_BEAT_SQLITE, (connection.ops.adapt_datetimefield_value(timezone.now()), self.fence))
            return bool(cursor.rowcount == 1)


def _take_sqlite(holder: str) -> Lease | None:
    lock = _open_lock(_lock_path())
    if lock is None and not _stale():
        return None
    try:
        with transaction.atomic():
            lock = lock or _replace_lock()
            if lock is None:
                return None
            EngineLease.objects.filter(pk=EngineLease.ROW).update(
                fence=F("fence") + 1, holder=holder[:64], taken_at=Now(), beat_at=Now()
            )
            row = EngineLease.objects.get(pk=EngineLease.ROW)
        return _SqliteLease(row.fence, row.epoch, lock)
    except BaseException:
        if lock is not None:
            lock.close()
        raise


def _lock_path() -> Path:
    path: Path = settings.DATA_DIR / "engine.lock"
    return path


def _open_lock(path: Path) -> IO[bytes] | None:
    """Return the file, locked, or None where somebody else has it; a file that was replaced meanwhile is nobody's."""
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    lock.close()
    return None


def _replace_lock() -> IO[bytes] | None:
    """Put a lock of our own in the place of one whose holder hangs, unless somebody else has just done so.

    Inside a transaction, and SQLite has one that writes at a time: two standbys cannot both do it.
    """
    if not _stale():
        return None
    path = _lock_path()
    ours = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    lock = _open_lock(ours)
    ours.replace(path)
    return lock


def _stale() -> bool:
    oldest = timezone.now() - timedelta(seconds=STALE_S)
    return EngineLease.objects.filter(pk=EngineLease.ROW, beat_at__lt=oldest).exists()
