"""How does a thread of our own use the database? It gives its connection back, or the pool runs dry."""

from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections

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
