"""Orders of one connection: answered as they come, each before its events, and cancelled when it is cut."""

import asyncio
import uuid

import pytest

from accounts.errors import Code, Refused
from engine.values import AccountId
from streaming import trades
from streaming.dialects import EVENT_STREAM
from streaming.effects import StartTrade
from streaming.messages import Trade
from streaming.private import PrivateLogs
from streaming.trades import CANCEL_ATTEMPTS, MAX_PLACED, MAX_TRADES_IN_FLIGHT, TRY_AGAIN_MS, Trades
from tests.streaming.books import DEMO, ORDER, Book, about, unavailable
from tests.streaming.nodes import FixedCatalogue
from tests.streaming.readers import Loop, Reader
from tests.streaming.sessions import identity

WHO = identity("trade", "read")
ALL = frozenset({"orders", "positions", "balances"})


class Floor:
    """A connection's trades on a book."""

    def __init__(self):
        self.book = Book()
        self.reader = Reader(Loop())
        self.logs = PrivateLogs(self.book, FixedCatalogue(), on_followed=lambda account, wanted: None)
        self.trades = Trades(self.reader.sink, self.book, self.logs, EVENT_STREAM.reply)

    async def follow(self, account=DEMO):
        await self.logs.open(self.reader.sink, self.trades.holds, {account: None}, snapshot=False)
        self.logs.follow(self.reader.sink, account, ALL)

    def trade(self, action="new", environment="demo", message_id=None, **params):
        self.trades.start(StartTrade(WHO, Trade(action, environment, params), message_id))

    def commit(self, *events, account=DEMO):
        self.logs.committed(self.book.commit(account, *events))

    @property
    def ids(self):
        """The ids that streaming has made, in order."""
        return [asked[3] for asked in self.book.asked("trade")]

    @property
    def heard(self):
        return [
            message.get("event") or message.get("code") or (message["type"], message.get("id"))
            for message in self.reader.messages
        ]

    async def cut(self, *, in_order=False):
        farewell = self.trades.close(in_order=in_order)
        if farewell is not None:
            await farewell
        return farewell


@pytest.fixture
def floor():
    return Floor()


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


# ---- a trade


async def test_a_trade_goes_to_the_gate_as_it_was_said_with_an_id_of_ours(floor):
    floor.trade("new", "live", product="EUR-USD", amount=1)
    await turns()
    ((action, environment, params, trade_id),) = floor.book.asked("trade")
    assert (action, environment, params) == ("new", "live", {"product": "EUR-USD", "amount": 1})
    assert str(uuid.UUID(trade_id)) == trade_id
    assert uuid.UUID(trade_id).version == 4


async def test_the_answer_is_the_gates_text_around_which_the_id_is_echoed(floor):
    floor.trade("close", message_id=7, id=ORDER)
    await turns()
    (message,) = floor.reader.messages
    assert message == {"type": "result", "data": {"id": ORDER, "product": "EUR-USD", "type": "market"}, "id": 7}


async def test_a_refusal_is_answered_with_its_code_and_details(floor):
    floor.book.fail(Refused(Code.INSUFFICIENT_BALANCE))
    floor.trade(message_id="a")
    await turns()
    assert floor.reader.messages == [
        {"type": "error", "message": "The free balance is too small", "code": "insufficient_balance", "id": "a"}
    ]


async def test_a_bug_of_ours_is_an_internal_error_to_that_trade_only(floor, caplog):
    floor.book.fail(ZeroDivisionError())
    floor.trade(message_id=1)
    floor.trade(message_id=2)
    await turns()
    assert floor.heard == ["internal_error", ("result", 2)]
    assert floor.reader.messages[0]["id"] == 1
    assert "ZeroDivisionError" in caplog.text
    assert floor.trades.holds == {"live": {}, "demo": {}}


async def test_answers_are_written_as_they_come(floor):
    floor.book.hold_up()
    for number in range(3):
        floor.trade(message_id=number)
    await turns()
    for which in (2, 0, 0):
        floor.book.let_go(which)
        await turns()
    assert floor.heard == [("result", 2), ("result", 0), ("result", 1)]


async def test_a_connection_has_a_bound_of_trades_without_an_answer(floor):
    floor.book.hold_up()
    for _ in range(MAX_TRADES_IN_FLIGHT):
        floor.trade()
    with pytest.raises(Refused) as refused:
        floor.trade()
    assert refused.value.code is Code.RATE_LIMITED
    assert refused.value.details == {"retry_after_ms": TRY_AGAIN_MS}
    await turns()
    floor.book.let_go()
    await turns()
    floor.trade()
    assert len(floor.heard) == 1


# ---- its events


async def test_a_result_precedes_the_events_of_its_order(floor):
    await floor.follow()
    floor.book.hold_up()
    floor.trade(message_id=1)
    await turns()
    (trade_id,) = floor.ids
    floor.commit("balance")
    floor.commit(("order:new", about(trade_id)), ("position:new", about(trade_id)), "balance")
    assert floor.heard == ["balance_demo"]
    floor.book.let_go()
    await turns()
    assert floor.heard == ["balance_demo", ("result", 1), "order_demo:new", "position_demo:new", "balance_demo"]


@pytest.mark.parametrize("action", ["cancel", "update", "close", "split"])
@pytest.mark.parametrize("spelling", [ORDER, ORDER.upper(), ORDER.replace("-", "")])
async def test_it_does_for_an_id_that_the_client_names_however_it_spells_it(floor, action, spelling):
    await floor.follow()
    floor.book.hold_up()
    floor.trade(action, message_id=1, id=spelling)
    await turns()
    floor.commit(("position:split", f'{{"parent_id":"{ORDER}"}}') if action == "split" else ("x:y", about(ORDER)))
    floor.commit("balance")
    assert floor.heard == []
    floor.book.let_go()
    await turns()
    assert floor.heard[0] == ("result", 1)
    assert floor.heard[-1] == "balance_demo"


@pytest.mark.parametrize(
    "params", [{}, {"id": 5}, {"id": None}, {"id": ["a"]}, {"id": ""}, {"id": "nonsense"}], ids=str
)
async def test_an_id_that_is_none_holds_nothing_back(floor, params):
    await floor.follow()
    floor.book.hold_up()
    floor.trade("close", **params)
    await turns()
    floor.commit("balance", ("order:new", about(ORDER)))
    assert floor.heard == ["balance_demo", "order_demo:new"]
    floor.book.let_go()
    await turns()
    assert floor.trades.holds == {"live": {}, "demo": {}}


@pytest.mark.parametrize("error", [Refused(Code.NOT_FOUND), unavailable(), OSError()], ids=["no", "unknown", "bug"])
async def test_a_refusal_lets_go_of_what_waits_too(floor, error):
    await floor.follow()
    floor.book.hold_up()
    floor.trade("close", id=ORDER)
    await turns()
    floor.commit(("position:close", about(ORDER)), "balance")
    floor.book.fail(error)
    floor.book.let_go()
    await turns()
    assert floor.heard[1:] == ["position_demo:close", "balance_demo"]


async def test_two_trades_about_one_position_are_both_waited_for(floor):
    await floor.follow()
    floor.book.hold_up()
    floor.trade("update", message_id=1, id=ORDER)
    floor.trade("close", message_id=2, id=ORDER)
    await turns()
    floor.commit(("position:update", about(ORDER)), ("position:close", about(ORDER)))
    floor.book.let_go()
    await turns()
    assert floor.heard == [("result", 1)]
    floor.book.let_go()
    await turns()
    assert floor.heard == [("result", 1), ("result", 2), "position_demo:update", "position_demo:close"]


async def test_the_other_accounts_events_do_not_wait(floor):
    await floor.follow()
    await floor.follow(AccountId("live", 7))
    floor.book.hold_up()
    floor.trade("close", "live", id=ORDER)
    await turns()
    floor.commit(("order:new", about(ORDER)))
    assert floor.heard == ["order_demo:new"]


# ---- the end of the connection


async def place(floor, *types, environment="demo"):
    for kind in types:
        floor.trade(environment=environment, type=kind)
    await turns()


async def test_pending_orders_of_a_connection_that_is_cut_are_cancelled_in_their_accounts(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    await place(floor, "pending", "market")
    await place(floor, "pending", environment="live")
    await floor.cut()
    first, _, third = floor.ids
    assert floor.book.cancelled == [("live", third), ("demo", first)]


async def test_those_placed_before_it_was_asked_for_are_cancelled_too(floor):
    await place(floor, "pending")
    floor.trades.cancel_on_disconnect(WHO, True)
    await floor.cut()
    assert floor.book.cancelled == [("demo", floor.ids[0])]


async def test_nothing_is_cancelled_without_the_wish_or_after_it_was_taken_back_or_in_order(floor):
    await place(floor, "pending")
    assert await floor.cut() is None
    floor.trades.cancel_on_disconnect(WHO, True)
    floor.trades.cancel_on_disconnect(WHO, False)
    assert await floor.cut() is None
    floor.trades.cancel_on_disconnect(WHO, True)
    assert await floor.cut(in_order=True) is None
    assert not floor.book.cancelled


async def test_it_is_done_once(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    await place(floor, "pending")
    await floor.cut()
    assert await floor.cut() is None


async def test_without_a_pending_order_there_is_nothing_to_do(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    await place(floor, "market")
    assert await floor.cut() is None


async def test_an_order_that_the_connection_has_cancelled_itself_is_forgotten(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    await place(floor, "pending", "pending")
    floor.trade("cancel", id=floor.ids[0])
    await turns()
    await floor.cut()
    assert floor.book.cancelled == [("demo", floor.ids[1])]


async def test_an_order_on_its_way_is_waited_for_and_cancelled(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    floor.book.hold_up()
    await place(floor, "pending")
    farewell = floor.trades.close(in_order=False)
    await turns()
    assert not floor.book.asked("cancel_orders")
    floor.book.go_on()
    floor.book.let_go()
    await farewell
    assert floor.book.cancelled == [("demo", floor.ids[0])]


async def test_an_order_of_unknown_outcome_is_cancelled_too(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    floor.book.fail(unavailable(), Refused(Code.HALTED))
    await place(floor, "pending", "pending")
    await floor.cut()
    assert floor.book.cancelled == [("demo", floor.ids[0])]


async def test_the_engine_is_asked_again_while_it_is_away(floor, monkeypatch):
    monkeypatch.setattr(trades, "CANCEL_AGAIN_S", 0)
    floor.trades.cancel_on_disconnect(WHO, True)
    await place(floor, "pending")
    floor.book.fail(unavailable(), OSError(), kind="cancel_orders")
    await floor.cut()
    assert floor.book.cancelled == [("demo", floor.ids[0])]


async def test_but_not_for_ever(floor, monkeypatch, caplog):
    monkeypatch.setattr(trades, "CANCEL_AGAIN_S", 0)
    floor.trades.cancel_on_disconnect(WHO, True)
    await place(floor, "pending")
    floor.book.fail(*[unavailable()] * CANCEL_ATTEMPTS, kind="cancel_orders")
    await floor.cut()
    assert not floor.book.cancelled
    assert [record.message for record in caplog.records] == [
        "1 orders of a connection that was cut could not be cancelled: Refused"
    ]


async def test_what_is_remembered_is_bounded(floor):
    floor.trades.cancel_on_disconnect(WHO, True)
    for at in range(0, MAX_PLACED + 50, 50):
        await place(floor, *["pending"] * 50)
        assert len(floor.ids) == at + 50
    await floor.cut()
    assert floor.book.cancelled == [("demo", trade_id) for trade_id in floor.ids[50:]]
