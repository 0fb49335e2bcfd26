"""What a process without accounts says to everything private."""

import pytest

from accounts.errors import Code, Refused
from streaming.gate import NoTrading
from tests.streaming.books import DEMO, ORDER
from tests.streaming.sessions import identity

GATE = NoTrading()
CALLS = {
    "head": lambda: GATE.head([DEMO]),
    "page": lambda: GATE.page(DEMO, 0, 100),
    "resumable": lambda: GATE.resumable(DEMO, 0, ""),
    "snapshot": lambda: GATE.snapshot(DEMO),
    "trade": lambda: GATE.trade(identity("trade"), "new", "demo", {}, ORDER),
    "cancel_orders": lambda: GATE.cancel_orders(identity("trade"), "demo", [ORDER]),
}


@pytest.mark.parametrize("call", CALLS)
async def test_without_accounts_nothing_private_is_available(call):
    with pytest.raises(Refused) as refused:
        await CALLS[call]()
    assert refused.value.code is Code.UNAVAILABLE
