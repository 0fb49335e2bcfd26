"""Two users, and the limits out of the way of tests that are about something else."""

import pytest

from accounts.models import User
from tests.accounts.callers import PASSWORD


@pytest.fixture(autouse=True)
def _limits_off(settings):
    settings.REST_LIMIT_PER_S = settings.REST_IDENTITY_LIMIT_PER_S = 0


@pytest.fixture
def ann(db):
    return User.objects.create_user("ann", password=PASSWORD)


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("chief", password=PASSWORD)
