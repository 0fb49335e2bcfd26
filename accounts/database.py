"""How does a thread of our own use the database? It gives its connection back, or the pool runs dry."""

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

from accounts.errors import Code, Refused

AWAY = (OperationalError, InterfaceError)
"""What Django raises while the database is restarting, out of reach, or out of connections."""

RETRY_AFTER_MS = 1_000

_Result = TypeVar("_Result")


def released(call: Callable[[], _Result]) -> _Result:
    """Return what a database call returns, without a connection that stays with this thread.

    Django gives connections back at the end of a request; a thread that serves none keeps its own for ever, and eight
    of them are all that a process has on PostgreSQL.
    """
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()


def answered(call: Callable[[], _Result]) -> _Result:
    """Return what a database call for a client returns, as `released` does; raises `Refused`.

    UNAVAILABLE where the database is away: that is nobody's bug, and a client may try again.
    """
    try:
        return released(call)
    except AWAY as error:
        raise unavailable() from error


def unavailable() -> Refused:
    return Refused(Code.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)
