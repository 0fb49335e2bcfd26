"""What a transactional test leaves behind goes away again, without all that follows migrations.

Django flushes the database and lets every app announce its models anew, some three hundred queries for each test, and
PostgreSQL truncates every table, each of which is files. Here rows are deleted, and what migrations have written is
put back from copies.
"""

from contextlib import AbstractContextManager

from django.db import connection, transaction
from django.test import TransactionTestCase

from trading.immutable import unguarded

COPY = "migrated_{}"


def keep_what_is_there() -> None:
    """Take all rows that there are for those that every test begins with, and let transactional tests end with them."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        kept = [table for table in tables if _has_rows(cursor, table)]
        for table in kept:
            cursor.execute(f"CREATE TABLE {COPY.format(table)} AS SELECT * FROM {table}")
    statements = [f"DELETE FROM {table}" for table in tables]
    statements += [f"INSERT INTO {table} SELECT * FROM {COPY.format(table)}" for table in kept]

    def put_back(_case: TransactionTestCase) -> None:
        with _guards_off(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("; ".join(["SET LOCAL session_replication_role = replica", *statements]))
            else:
                for statement in statements:
                    cursor.execute(statement)

    TransactionTestCase._fixture_teardown = put_back  # type: ignore[attr-defined]  # not in the stubs


def _has_rows(cursor, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT * FROM {table})")
    return bool(cursor.fetchone()[0])


def _guards_off() -> AbstractContextManager[None]:
    """Return a transaction in which rows that never change go too; PostgreSQL's replicas ask no trigger."""
    return transaction.atomic() if connection.vendor == "postgresql" else unguarded()
