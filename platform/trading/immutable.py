"""What is written once stays as it is: the database refuses to change or delete it, whoever asks.

PostgreSQL's TRUNCATE (`manage.py flush` uses it) is not refused. On SQLite a flush is a DELETE, so the project's own
`flush` takes the guards away for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

IMMUTABLE = ("trading_journalentry", "trading_accountevent", "trading_ledgerentry")

_SQLITE = """CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"""
_POSTGRES_FUNCTION = """CREATE OR REPLACE FUNCTION trading_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END$$"""
_POSTGRES = """CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION trading_refuse()"""


def guard(database: BaseDatabaseWrapper) -> None:
    """Let the database refuse every UPDATE and DELETE of the immutable tables."""
    postgres = database.vendor == "postgresql"
    with database.cursor() as cursor:
        if postgres:
            cursor.execute(_POSTGRES_FUNCTION)
        for table, event in _pairs():
            cursor.execute((_POSTGRES if postgres else _SQLITE).format(table=table, event=event))


def unguard(database: BaseDatabaseWrapper) -> None:
    on = " ON {table}" if database.vendor == "postgresql" else ""
    with database.cursor() as cursor:
        for table, event in _pairs():
            cursor.execute(f"DROP TRIGGER {table}_no_{event}{on.format(table=table)}")


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the guards away for a while, for `flush` and for tests that tamper; all of it or nothing."""
    with transaction.atomic():
        unguard(connection)
        yield
        guard(connection)


def _pairs() -> Iterator[tuple[str, str]]:
    return ((table, event) for table in IMMUTABLE for event in ("update", "delete"))
