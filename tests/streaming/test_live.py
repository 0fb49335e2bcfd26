"""The way from a page to a watch, before there is one."""

import pytest

from accounts.errors import Code
from streaming import live
from tests.accounts.callers import refused_with


async def test_a_process_that_serves_nothing_can_ask_nobody():
    with refused_with(Code.UNAVAILABLE):
        await live._nobody("connections")
    assert live._nothing() == []


@pytest.mark.parametrize("name", ["ask", "processes"])
def test_the_places_are_there_for_the_composition_root(name):
    assert callable(getattr(live, name))
