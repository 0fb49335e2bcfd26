"""With which SQL are rows written, on each database? One statement for all rows of a table that are new, or changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from trading.arrays import array_literal
from trading.pipeline import demanding
from trading.tables import Row, Table


@dataclass(frozen=True, slots=True)
class Statement:
    """Rows to insert into a table, or (`changes`) changes of its rows, all of one width, which have to be there."""

    table: Table
    rows: Sequence[Row]
    changes: bool = False


def on_sqlite(statement: Statement) -> tuple[str, list[Row]]:
    """Return the SQL of one row, and the parameters of each."""
    table, columns = statement.table, tuple(statement.table.columns)
    if not statement.changes:
        return _sqlite_insert(table.name, columns), list(statement.rows)
    key, end = table.key, len(statement.rows[0])
    sql = _sqlite_update(table.name, columns[key:end], columns[:key])
    return sql, [row[key:] + row[:key] for row in statement.rows]


def on_postgres(statement: Statement) -> tuple[str, list[str]]:
    """Return the SQL of all rows, and its parameters: a column each, as an array.

    The SQL of changes refuses (`DataError`) when a row is not there.
    """
    table = statement.table
    columns = list(zip(*statement.rows, strict=True))
    types = tuple(table.columns.items())[: len(columns)]
    sql = _postgres_update(table.name, types, table.key) if statement.changes else _postgres_insert(table.name, types)
    return sql, [array_literal(column) for column in columns]


@cache
def _sqlite_insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({_names(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608


@cache
def _sqlite_update(table: str, changing: tuple[str, ...], key: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{column}" = %s' for column in changing)
    which = " AND ".join(f'"{column}" = %s' for column in key)
    return f"UPDATE {table} SET {changes} WHERE {which}"  # noqa: S608


@cache
def _postgres_insert(table: str, types: tuple[tuple[str, str], ...]) -> str:
    return f"INSERT INTO {table} ({_names(name for name, _ in types)}) SELECT * FROM {_unnest(types)}"  # noqa: S608


@cache
def _postgres_update(table: str, types: tuple[tuple[str, str], ...], key: int) -> str:
    names = [name for name, _ in types]
    changes = ", ".join(f'"{name}" = new."{name}"' for name in names[key:])
    which = " AND ".join(f'old."{name}" = new."{name}"' for name in names[:key])
    update = f"UPDATE {table} AS old SET {changes} FROM {_unnest(types)} AS new ({_names(names)}) WHERE {which}"  # noqa: S608
    wanted = f"cardinality($1::{types[0][1]}[])"
    words = f"'{table}: ' || {wanted} || ' rows to change, ' || count(*) || ' are there'"
    return f"WITH changed AS ({update} RETURNING 1) {demanding(f'count(*) = {wanted}', words, 'changed')}"


def _unnest(types: tuple[tuple[str, str], ...]) -> str:
    return f"unnest({', '.join(f'${number}::{name}[]' for number, (_, name) in enumerate(types, 1))})"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
