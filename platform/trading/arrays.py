"""How does a column become a PostgreSQL array literal? Quickly, and exactly whatever the text.

psycopg's own lists are dumped element by element in Python, with types by value: ten times slower.
"""

from collections.abc import Sequence

_BETWEEN = "\0"
"""Cannot be in a text of PostgreSQL, so it can stand between texts while all of them are escaped at once."""


def array_literal(column: Sequence[int | str | None]) -> str:
    """Return a column of numbers or texts, with None for NULL; raises `ValueError` for a NUL, which no text may have.

    >>> array_literal([1, None, 2])
    '{1,NULL,2}'
    >>> print(array_literal(['a,"b"', None, "NULL"]))
    {"a,\\"b\\"",NULL,"NULL"}
    """
    if None in column:
        return "{" + ",".join("NULL" if value is None else _element(value) for value in column) + "}"
    if column and isinstance(column[0], str):
        return "{" + _texts(column) + "}"  # type: ignore[arg-type]  # a column is of one type
    return "{" + ",".join(map(str, column)) + "}"


def _element(value: int | str) -> str:
    return _texts([value]) if isinstance(value, str) else str(value)


def _texts(values: Sequence[str]) -> str:
    joined = _BETWEEN.join(values)
    if joined.count(_BETWEEN) != len(values) - 1:
        raise ValueError("a text of PostgreSQL cannot hold a NUL")
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace(_BETWEEN, '","')
    return f'"{escaped}"'
