"""Is the database there? A process that starts while PostgreSQL restarts waits for it, and says so."""

import time
from collections.abc import Callable

import psycopg
from django.db import connection

from trading.sessions import own_session

WAIT_S = 60.0
"""How long a restart may take: PostgreSQL reads its log first when it was killed."""

TRY_S = 0.5
SAY_S = 10.0
CONNECT_S = 3


class DatabaseAway(Exception):
    """It has not answered for as long as one waits; why, in one sentence."""


def database_wait(say: Callable[[str], object]) -> None:
    """Return when PostgreSQL takes connections, SQLite at once; raises `DatabaseAway`."""
    if connection.vendor == "postgresql":
        wait_for(lambda: own_session("tickwire-start", connect_timeout=CONNECT_S).close(), say)


def wait_for(connect: Callable[[], object], say: Callable[[str], object], *, wait_s: float = WAIT_S) -> None:
    """Return when `connect` raises no `psycopg.OperationalError` any more; raises `DatabaseAway`."""
    began_s = time.monotonic()
    waited_s = say_s = 0.0
    while (reason := _refusal(connect)) and waited_s < wait_s:
        if waited_s >= say_s:
            say(f"Waiting for the database, {waited_s:.0f} of {wait_s:.0f} s: {reason}")
            say_s += SAY_S
        time.sleep(TRY_S)
        waited_s = time.monotonic() - began_s
    if reason:
        raise DatabaseAway(f"The database has not answered for {wait_s:.0f} s ({reason}): see DATABASE_URL.")
    if waited_s:
        say("The database is there.")


def _refusal(connect: Callable[[], object]) -> str:
    """Return in a line why there is no connection, or `""`."""
    try:
        connect()
    except psycopg.OperationalError as error:
        return str(error).strip().partition("\n")[0]
    return ""
