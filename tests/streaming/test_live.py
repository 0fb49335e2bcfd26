"""The way from a page to a watch, before the composition root has put one there."""

from accounts.errors import Code
from streaming import live
from tests.accounts.callers import refused_with


async def test_a_process_that_serves_nothing_can_ask_nobody_and_knows_of_nobody():
    with refused_with(Code.UNAVAILABLE):
        await live._nobody("connections")
    assert live._nothing() == []
