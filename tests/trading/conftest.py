"""Two traders, the document's market, and an engine behind `trading.live`."""

import pytest

from accounts.models import User
from market import live as market_live
from tests.market.products import given_products
from tests.trading.engines import SmallEngine, given_quote
from trading import live


@pytest.fixture(autouse=True)
def _limits_off(settings):
    settings.REST_LIMIT_PER_S = settings.REST_IDENTITY_LIMIT_PER_S = 0


@pytest.fixture(autouse=True)
def _empty_board():
    market_live.board.clear()
    yield
    market_live.board.clear()


@pytest.fixture
def ann(transactional_db):
    return User.objects.create_user("ann", password="correct horse battery")


@pytest.fixture
def bob(transactional_db):
    return User.objects.create_user("bob", password="correct horse battery")


@pytest.fixture
def engine(transactional_db, monkeypatch):
    """An engine at the document's prices: EUR-USD is bought at 1.26635."""
    given_products()
    given_quote("1.26630", "1.26635")
    running = SmallEngine()
    monkeypatch.setattr(live, "submit", running.submit)
    yield running
    running.close()
