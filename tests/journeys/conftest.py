"""The servers of the journeys: one process on SQLite, or (TEST_DB=postgres) several on PostgreSQL and Valkey."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.journeys.cluster import Cluster
from tests.journeys.harness import RELAXED, Key, Server, fresh_database
from tests.journeys.prepared import prepared_env
from tests.journeys.traders import SETTINGS, Exchange
from tests.plugins.services import on_postgres, start_valkey

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and put them in order."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("browser") is None:
            item.add_marker(pytest.mark.journey)
    _shared_servers_last(items)


def _shared_servers_last(items: list[pytest.Item]) -> None:
    """Let the modules come last that use a server of the whole run: until then it costs nobody a processor.

    The one with the simulated market, which is never still, last of all.
    """
    turns: dict[Path, int] = {}
    for item in items:
        used = getattr(item, "fixturenames", ())
        turn = 2 if "server" in used else 1 if "exchange" in used else 0
        turns[item.path] = max(turn, turns.get(item.path, 0))
    items.sort(key=lambda item: turns[item.path])


@contextmanager
def services_env(folder: Path, *, history: bool = False) -> Iterator[dict[str, str]]:
    """Give the settings of a prepared database and a layer of one's own: none for SQLite, addresses for the others."""
    with ExitStack() as resources:
        env = resources.enter_context(prepared_env(folder, history=history))
        yield {**env, "REDIS_URL": start_valkey(resources).connection_url} if env else env


@contextmanager
def running_server(folder: Path, env: Mapping[str, str]) -> Iterator[Server]:
    """Run a server with the simulated feed and no limits; on PostgreSQL two web processes and one with the feed."""
    arguments = ["--workers", "2"] if env else []
    with Server(folder, *arguments, env={**RELAXED, **env}) as running:
        yield running


@pytest.fixture
def server_env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Prepare `tmp_path` for a server of the test's own, and give the settings for it."""
    with services_env(tmp_path) as env:
        yield env


@contextmanager
def first_env() -> Iterator[dict[str, str]]:
    """Give the settings of services on which nothing has ever been started."""
    with ExitStack() as resources:
        if on_postgres():
            database = resources.enter_context(fresh_database())
            yield {"DATABASE_URL": database, "REDIS_URL": start_valkey(resources).connection_url}
        else:
            yield {}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave nothing behind; its log is to stay free of tracebacks and secrets.

    It has started for the first time: what it showed once is in its log.
    """
    with first_env() as env, running_server(tmp_path_factory.mktemp("server"), env) as running:
        yield running
        assert "Traceback" not in running.log()


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One server for all tests that trade: its prices are theirs, each trades on an account of its own.

    On PostgreSQL two web processes, and an engine with a standby. In the end the books have to balance.
    """
    folder, feed = tmp_path_factory.mktemp("exchange"), ("--feed", "none")
    with ExitStack() as resources:
        if on_postgres():
            cluster = resources.enter_context(Cluster(folder, feed=feed, engines=2, env=SETTINGS))
            running, processes = Exchange(cluster.webs[0], cluster=cluster), [*cluster.webs, *cluster.engines]
        else:
            resources.enter_context(prepared_env(folder))
            server = resources.enter_context(Server(folder, *feed, env=SETTINGS))
            running, processes = Exchange(server), [server]
        yield running
        running.server.manage("verify_ledger")
        for process in processes:
            assert "Traceback" not in process.log()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, which it may stop."""
    with services_env(tmp_path, history=True) as env, running_server(tmp_path, env) as running:
        yield running


@pytest.fixture(scope="session")
def feed_key(server: Server) -> Key:
    """A key of the shared server that may read prices and publish them."""
    return server.issue_key("pub", "--scope", "market", "--scope", "feed")
