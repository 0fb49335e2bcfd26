"""What every test may use."""

import pytest
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests.plugins.leftovers import keep_what_is_there
from tests.plugins.services import ROOT, on_postgres
from tools import chromium as browsers

# The machines that run this are shared and slow at times: an example that takes long is no failure.
settings.register_profile("tickwire", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tickwire")


# Neither a database nor a channel layer is behind these (the matrix asks who may, before either is asked): the run on
# PostgreSQL and Valkey has nothing to add.
PURE = (
    "tests/engine", "tests/simulation", "tests/tools", "tests/streaming/dialects", "tests/test_layout.py",
    "tests/streaming/test_hub_law.py", "tests/streaming/test_private_law.py", "tests/streaming/test_session_law.py",
    "tests/streaming/test_frames.py", "tests/streaming/test_money_in_javascript.py", "tests/accounts/test_keys.py",
    "tests/accounts/test_signing.py", "tests/market/test_feed.py", "tests/trading/test_book.py",
    "tests/trading/test_entries.py", "tests/trading/test_requests.py",
    "tests/test_access_matrix.py", "platform/engine", "simulation",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if on_postgres():
        pure = [item for item in items if any(item.path.is_relative_to(ROOT / place) for place in PURE)]
        config.hook.pytest_deselected(items=pure)
        items[:] = [item for item in items if item not in pure]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Transactional tests end with what the migrations have made, and soon."""
    with django_db_blocker.unblock():
        keep_what_is_there()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the Chromium to drive; a machine without one fails the test, it does not skip it."""
    return browsers.ensure()
