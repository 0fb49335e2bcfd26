"""Before the composition root has put the way to the engine in place, nobody is told that anything was done."""

import pytest

from accounts.errors import Code, Refused
from engine.commands import CancelOrder
from engine.values import AccountId
from trading import live


async def test_without_an_engine_a_command_is_unavailable():
    with pytest.raises(Refused) as refused:
        await live.submit(CancelOrder(account=AccountId("demo", 1), id="t1"))
    assert refused.value.code is Code.UNAVAILABLE
