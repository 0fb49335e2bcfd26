"""Traders ask, the engine answers: access, first orders, orders sent again, trades that have ended."""

import json
import uuid
from decimal import Decimal

import pytest

from accounts.errors import Code, Refused
from engine.commands import OpenAccount, PlaceOrder
from engine.values import AccountId
from tests.accounts.callers import refused_with
from tests.threads import in_thread
from tests.trading.engines import CLOSED_MS, OPENED_MS, given_quote, holder
from trading import live, services
from trading.live import Answer
from trading.models import JournalEntry
from trading.requests import Params

ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"
MARKET = {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "300", "amount": 1000000}
PENDING = {**MARKET, "type": "pending", "price": "1.26"}

OPENED = (
    f'{{"id":"{ID}","product":"EUR-USD","price":"1.26635","side":"buy","leverage":"300","amount":1000000,'
    '"margin":"3.33333333","base_size":"1000","base_currency":"BTC","type":"market","liquidation_price":"1.26354",'
    '"decay_rate":"0.0002","created_at":1511482279492}'
)
CLOSED = (
    f'{{"id":"{ID}","product":"EUR-USD","price":"1.26635","side":"buy","leverage":"300","amount":1000000,'
    '"margin":"3.33333333","base_size":"1000","base_currency":"BTC","type":"market","liquidation_price":"1.26354",'
    '"decay_rate":"0.0002","close_price":"1.26995","pnl":"2.84281590","pnl_percent":"85.2845","reason":"manual",'
    '"decay":"0","created_at":1511482279492,"opened_at":1511482279492,"closed_at":1511483816212}'
)


class Trader:
    """Somebody who trades; ids are given to new orders one after the other."""

    def __init__(self, user, **rights):
        self.identity = holder(user.pk, **rights)

    async def ask(self, action, params, *, environment="demo", trade_id=None):
        identifier = trade_id or str(uuid.uuid4())
        return await services.trade(self.identity, action, environment, params, identifier)

    async def place(self, params=MARKET, **how):
        """Place an order and return its id."""
        return json.loads(await self.ask("new", params, **how))["id"]

    async def refusal(self, action, params, **how):
        """Return the code with which a call is refused."""
        with pytest.raises(Refused) as caught:
            await self.ask(action, params, **how)
        return caught.value.code


def accounts_of(user):
    return AccountId("demo", user.pk), AccountId("live", user.pk)


@pytest.fixture
def trader(ann, engine):
    return Trader(ann)


# ---- the document's trade


async def test_the_documents_trade_is_answered_as_it_says(trader, engine):
    assert await trader.ask("new", MARKET, trade_id=ID) == OPENED
    engine.now_ms = CLOSED_MS
    given_quote("1.26995", "1.27000")
    assert await trader.ask("close", {"id": ID}) == CLOSED


async def test_a_pending_order_is_changed_and_cancelled(trader, engine):
    identifier = await trader.place(PENDING)
    engine.now_ms = OPENED_MS
    changed = json.loads(await trader.ask("update", {"id": identifier, "price": "1.25", "take_profit": "1.3"}))
    assert (changed["price"], changed["take_profit"], changed["updated_at"]) == ("1.25000", "1.30000", OPENED_MS)
    assert await trader.ask("cancel", {"id": identifier}) == f'{{"id":"{identifier}"}}'


async def test_the_parts_of_a_split_are_told(trader):
    identifier = await trader.place()
    answer = json.loads(await trader.ask("split", {"id": identifier, "ratio": "40:60"}))
    assert list(answer) == ["success", "data"]
    first, second = answer["data"]["first_position"], answer["data"]["second_position"]
    assert (answer["success"], answer["data"]["parent_id"]) == (True, identifier)
    assert (first["amount"], second["amount"]) == (400000, 600000)
    assert len({first["id"], second["id"], identifier}) == 3


# ---- who may


async def test_trading_needs_its_scope_and_its_environment(ann, engine):
    reader = Trader(ann)
    reader.identity = holder(ann.pk, "market", "read", "feed")
    demo_only = Trader(ann, environments=("demo",))
    for action, params in [("new", MARKET), ("cancel", {"id": ID}), ("close", {"id": ID}), ("nonsense", {})]:
        assert await reader.refusal(action, params) is Code.SCOPE_DENIED
        assert await demo_only.refusal(action, params, environment="live") is Code.ENVIRONMENT_DENIED
    assert engine.asked == []


async def test_a_call_that_cannot_be_read_does_not_reach_the_engine(trader, engine):
    assert await trader.refusal("new", {**MARKET, "stoploss": "1.2"}) is Code.INVALID_PARAMETER
    assert await trader.refusal("nonsense", {}) is Code.INVALID_PARAMETER
    assert engine.asked == []


# ---- the way to the engine


async def test_an_account_is_opened_by_its_first_order_and_then_known(trader, engine, ann):
    await trader.place()
    assert [type(command) for command in engine.asked] == [PlaceOrder, OpenAccount, PlaceOrder]
    await trader.place()
    assert [type(command) for command in engine.asked[3:]] == [PlaceOrder]
    assert len(engine.book.state.accounts[AccountId("demo", ann.pk)].positions) == 2


async def test_an_account_that_cannot_be_opened_just_now_is_not_called_unknown(trader, engine, monkeypatch):
    async def dies_in_between(command):
        engine.away = isinstance(command, OpenAccount)
        return await engine.submit(command)

    monkeypatch.setattr(live, "submit", dies_in_between)
    with pytest.raises(Refused) as refused:
        await trader.place()
    assert refused.value.code is Code.UNAVAILABLE


async def test_nothing_is_opened_for_a_call_about_a_trade(trader, engine):
    assert await trader.refusal("close", {"id": ID}) is Code.NOT_FOUND
    assert engine.book.state.accounts == {}


async def test_an_order_without_a_name_of_its_own_needs_no_look_up(monkeypatch):
    """No database here: a query, in whichever thread, would fail the test."""

    async def submit(_command):
        return Answer("{}")

    monkeypatch.setattr(live, "submit", submit)
    calls: list[tuple[str, Params]] = [("new", MARKET), ("cancel", {"id": ID}), ("update", {"id": ID, "margin": "4"})]
    for action, params in calls:
        assert await services.trade(holder(7), action, "demo", params, ID) == "{}"


async def test_the_engines_refusal_is_the_askers(trader):
    with refused_with(Code.INSUFFICIENT_BALANCE) as caught:
        await trader.ask("new", {**MARKET, "leverage": "10"})
    assert caught.value.message == "100.00000000 needed, 10.00000000 available"


async def test_who_finds_no_engine_is_told_when_to_come_back(trader, engine):
    engine.away = True
    with refused_with(Code.UNAVAILABLE) as caught:
        await trader.ask("new", MARKET)
    assert caught.value.details == {"retry_after_ms": 1_000}


async def test_without_a_composition_root_there_is_no_engine():
    with refused_with(Code.UNAVAILABLE):
        await services.trade(holder(7), "cancel", "demo", {"id": ID}, ID)


# ---- the same order again

NAMED = {**MARKET, "client_order_id": "till-7"}


@pytest.fixture(params=["remembered", "forgotten"])
def memory(request, engine):
    """Give a function that lets the engine forget what it answered, or not: nobody may notice."""
    return engine.book.state.requests.clear if request.param == "forgotten" else lambda: None


async def test_the_same_order_again_gets_the_first_answer_again(trader, engine, ann, memory):
    first = await trader.ask("new", NAMED)
    memory()
    engine.now_ms = CLOSED_MS
    for body in (NAMED, {**NAMED, "leverage": "300.00", "amount": "1000000"}):
        assert await trader.ask("new", body) == first
    assert len(engine.book.state.accounts[AccountId("demo", ann.pk)].positions) == 1


async def test_another_order_of_that_name_is_refused(trader, memory):
    await trader.ask("new", NAMED)
    memory()
    assert await trader.refusal("new", {**NAMED, "amount": 1}) is Code.CLIENT_ORDER_ID_REUSED


async def test_a_refusal_is_an_answer_too(trader, memory):
    too_much = {**NAMED, "leverage": "10"}
    with refused_with(Code.INSUFFICIENT_BALANCE) as first:
        await trader.ask("new", too_much)
    memory()
    with refused_with(Code.INSUFFICIENT_BALANCE) as again:
        await trader.ask("new", too_much)
    assert again.value.message == first.value.message == "100.00000000 needed, 10.00000000 available"


async def test_a_name_is_ones_own(trader, bob, engine, memory):
    await in_thread(engine.fund, AccountId("live", trader.identity.user_id))
    ids = {await trader.place(NAMED), await Trader(bob).place(NAMED)}
    memory()
    ids.add(await trader.place(NAMED, environment="live"))
    assert len(ids) == 3
    assert await in_thread(JournalEntry.objects.filter(client_order_id="till-7").count) == 3


# ---- what has ended


async def test_what_has_ended_is_told_from_what_never_was(trader):
    filled, pending = await trader.place(), await trader.place(PENDING)
    await trader.ask("cancel", {"id": pending})
    await trader.ask("close", {"id": filled})
    split = {"ratio": "50:50"}
    assert await trader.refusal("cancel", {"id": pending}) is Code.ORDER_ENDED
    assert await trader.refusal("cancel", {"id": filled}) is Code.ORDER_ENDED
    assert await trader.refusal("update", {"id": pending, "price": "1.2"}) is Code.ORDER_ENDED
    assert await trader.refusal("close", {"id": pending}) is Code.ORDER_ENDED
    assert await trader.refusal("close", {"id": filled}) is Code.POSITION_CLOSED
    assert await trader.refusal("update", {"id": filled, "margin": "4"}) is Code.POSITION_CLOSED
    assert await trader.refusal("split", {"id": filled, **split}) is Code.POSITION_CLOSED
    for action, params in [("cancel", {}), ("close", {}), ("update", {"margin": "4"}), ("split", split)]:
        assert await trader.refusal(action, {"id": ID, **params}) is Code.NOT_FOUND


async def test_a_position_that_was_split_has_ended_and_its_parts_have_not(trader):
    parent = await trader.place()
    parts = json.loads(await trader.ask("split", {"id": parent, "ratio": "50:50"}))["data"]
    assert await trader.refusal("close", {"id": parent}) is Code.POSITION_CLOSED
    assert await trader.refusal("cancel", {"id": parts["first_position"]["id"]}) is Code.NOT_FOUND
    assert json.loads(await trader.ask("close", {"id": parts["second_position"]["id"]}))["reason"] == "manual"


async def test_an_order_that_waits_is_no_position(trader):
    pending = await trader.place(PENDING)
    assert await trader.refusal("close", {"id": pending}) is Code.NOT_FOUND
    assert await trader.refusal("split", {"id": pending, "ratio": "50:50"}) is Code.NOT_FOUND


async def test_what_is_anothers_is_not_found_whether_open_or_ended(trader, bob, ann, engine):
    open_one, ended, pending = await trader.place(), await trader.place(), await trader.place(PENDING)
    await trader.ask("close", {"id": ended})
    await in_thread(engine.fund, AccountId("live", ann.pk))
    await in_thread(engine.do, OpenAccount(account=AccountId("demo", bob.pk)))
    strangers = [(Trader(bob), "demo"), (trader, "live")]
    for who, environment in strangers:
        for identifier in (open_one, ended, pending):
            for action, more in [
                ("cancel", {}),
                ("close", {}),
                ("update", {"margin": "4"}),
                ("split", {"ratio": "5:95"}),
            ]:
                code = await who.refusal(action, {"id": identifier, **more}, environment=environment)
                assert code is Code.NOT_FOUND, (action, environment)


# ---- a new beginning, and the end of a connection


async def test_a_reset_answers_with_the_balance_it_leaves(trader, engine, ann):
    await in_thread(engine.fund, AccountId("live", ann.pk))
    live_id = await trader.place(environment="live")
    await trader.place()
    await trader.place(PENDING)
    assert await services.account_reset(trader.identity) == '{"BTC":"10.00000000"}'
    demo, funded = (engine.book.state.accounts[account] for account in accounts_of(ann))
    assert (demo.orders, demo.positions, demo.cash) == ({}, {}, Decimal(10))
    assert list(funded.positions) == [live_id]


async def test_an_account_that_was_never_used_may_be_reset(trader):
    assert await services.account_reset(trader.identity) == '{"BTC":"10.00000000"}'


async def test_a_reset_needs_the_demo_account_and_the_scope(ann, engine):
    for identity, code in [
        (holder(ann.pk, environments=("live",)), Code.ENVIRONMENT_DENIED),
        (holder(ann.pk, "read"), Code.SCOPE_DENIED),
    ]:
        with refused_with(code):
            await services.account_reset(identity)
    assert engine.asked == []


async def test_orders_of_a_broken_connection_are_cancelled_and_nothing_else(trader, bob, engine, ann):
    await in_thread(engine.fund, AccountId("live", ann.pk))
    pending, filled = await trader.place(PENDING), await trader.place()
    elsewhere, theirs = await trader.place(PENDING, environment="live"), await Trader(bob).place(PENDING)
    await services.cancel_orders(trader.identity, "demo", [pending, filled, elsewhere, theirs, ID])
    demo, funded = (engine.book.state.accounts[account] for account in accounts_of(ann))
    assert (demo.orders, list(demo.positions), list(funded.orders)) == ({}, [filled], [elsewhere])
    assert list(engine.book.state.accounts[AccountId("demo", bob.pk)].orders) == [theirs]


async def test_an_engine_that_is_away_is_asked_again_for_all_of_them(trader, engine, ann):
    first, second = await trader.place(PENDING), await trader.place(PENDING)
    await services.cancel_orders(trader.identity, "demo", [first])
    engine.away = True
    with pytest.raises(Refused) as refused:
        await services.cancel_orders(trader.identity, "demo", [first, second])
    assert refused.value.code is Code.UNAVAILABLE
    engine.away = False
    await services.cancel_orders(trader.identity, "demo", [first, second])
    assert engine.book.state.accounts[AccountId("demo", ann.pk)].orders == {}
