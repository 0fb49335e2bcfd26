"""The seeded products, an empty board, and the limits out of the way of tests that are about something else."""

import pytest

from market import live
from tests.market.products import given_products


@pytest.fixture(autouse=True)
def _limits_off(settings):
    settings.REST_LIMIT_PER_S = settings.REST_IDENTITY_LIMIT_PER_S = 0


@pytest.fixture(autouse=True)
def _empty_board():
    live.board.clear()
    yield
    live.board.clear()


@pytest.fixture
def products(db):
    given_products()
