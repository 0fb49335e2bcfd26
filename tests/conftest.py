"""What every test may use."""

import pytest
from hypothesis import HealthCheck, settings

from tools import chromium as browsers

# The machines that run this are shared and slow at times: an example that takes long is no failure.
settings.register_profile("tickwire", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tickwire")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the Chromium to drive; a machine without one fails the test, it does not skip it."""
    return browsers.ensure()
