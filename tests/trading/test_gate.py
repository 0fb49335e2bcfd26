"""The gate has what streaming asks for, and asks the right one: reads in threads, commands of the services."""

import inspect

import pytest
from django.contrib.auth import get_user_model

from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.values import AccountId
from streaming.gate import TradingGate
from tests.threads import in_thread
from trading.gate import Gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann():
    return get_user_model().objects.create_user("ann")


def test_it_has_every_call_that_streaming_knows():
    asked = {name: list(inspect.signature(call).parameters) for name, call in calls(TradingGate)}
    assert asked == {name: list(inspect.signature(call).parameters) for name, call in calls(Gate)}


def calls(kind):
    return [(name, call) for name, call in inspect.getmembers(kind, inspect.iscoroutinefunction) if name[0] != "_"]


async def test_an_account_that_was_never_used_reads_as_it_will_be_opened(ann):
    gate, account = Gate(in_thread), AccountId("demo", ann.pk)
    epoch, heads = await gate.head([account])
    assert heads == {account: 0}
    assert await gate.page(account, 0, 10) == []
    assert await gate.resumable(account, 0, epoch)
    assert await gate.snapshot(account) == (0, '{"orders":[],"positions":[],"balances":{"BTC":"10.00000000"}}')


async def test_a_trade_of_somebody_without_the_scope_is_refused(ann):
    reader = Identity(ann.pk, "ann", frozenset({"read"}), frozenset({"demo"}), key_id="k")
    with pytest.raises(Refused) as refused:
        await Gate(in_thread).trade(reader, "new", "demo", {}, "00000000-0000-4000-8000-000000000001")
    assert refused.value.code is Code.SCOPE_DENIED
