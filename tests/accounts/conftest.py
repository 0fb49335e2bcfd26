"""Two users, and the limits out of the way of tests that are about something else."""

import pytest
from django.core.cache import cache

from accounts import attempts
from accounts.limits import Budgets
from accounts.models import User
from tests.accounts.callers import PASSWORD


@pytest.fixture(autouse=True)
def _limits_off(settings):
    settings.REST_LIMIT_PER_S = settings.REST_IDENTITY_LIMIT_PER_S = 0


class Clock:
    """The clock of the budgets of tries."""

    now_ms = 0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Every test begins with all tries to spend, and no session seen."""
    clock = Clock()
    monkeypatch.setattr(attempts, "_budgets", Budgets("", now_ms=lambda: clock.now_ms))
    cache.clear()
    return clock


@pytest.fixture
def ann(db):
    return User.objects.create_user("ann", password=PASSWORD)


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("chief", password=PASSWORD)
