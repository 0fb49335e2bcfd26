"""A transaction on PostgreSQL on one way there and back: its statements leave as they are made, and are answered
together.

psycopg's own pipeline looks for answers at each statement, and a commit would wait for them: for eight records, four
times the processor time and twice the time in all (docs/decisions/0022). So nobody looks at an answer before the
commit; what has to be so, a statement demands (`demanding`).

Source: PostgreSQL, libpq, "Pipeline Mode". The answers are a few bytes each: they never fill what the server may send
before it is read.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, pq

_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.PIPELINE_SYNC)


class Pipeline:
    """One session's transactions, one after the other. It owns the session; after an error both are to be closed."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session = session
        self._wire = session.pgconn
        self._wire.nonblocking = 0
        # SQL -> the name under which the session has it prepared
        self._prepared: dict[str, bytes] = {}
        self._sent = 0

    def begin(self) -> None:
        self._wire.enter_pipeline_mode()
        self.send("BEGIN")

    def send(self, sql: str, parameters: Sequence[str] = ()) -> None:
        """Send a statement, with `$1` and so on for its parameters."""
        name = self._prepared.get(sql)
        if name is None:
            name = self._prepared[sql] = b"tickwire_%d" % len(self._prepared)
            self._wire.send_prepare(name, sql.encode())
            self._sent += 1
        self._wire.send_query_prepared(name, [parameter.encode() for parameter in parameters])
        self._sent += 1

    def flush(self) -> None:
        """Have what was sent on its way now."""
        self._wire.flush()

    def commit(self) -> None:
        """Commit; raises `psycopg.Error`: what the database has to say of the first statement that it refuses."""
        self.send("COMMIT")
        self._wire.pipeline_sync()
        self.flush()
        for _ in range(self._sent):
            self._answer()
            self._wire.get_result()  # the None that ends each answer
        self._answer()
        self._sent = 0
        self._wire.exit_pipeline_mode()

    def close(self) -> None:
        self._session.close()

    def _answer(self) -> None:
        result = self._wire.get_result()
        if result is None or self._wire.status == pq.ConnStatus.BAD:
            raise errors.OperationalError(self._wire.get_error_message())
        if result.status not in _GOOD:
            raise errors.error_from_result(result)


def demanding(condition: str, words: str, source: str) -> str:
    """Return a query that fails unless a condition holds, with words for it; both are SQL over a source's rows.

    What cannot be made a number, PostgreSQL refuses (`DataError`) and quotes. The words must depend on the rows: what
    is constant would be refused beforehand.
    """
    return f"SELECT CASE WHEN {condition} THEN 0 ELSE ({words})::int END FROM {source}"  # noqa: S608  # our own words
