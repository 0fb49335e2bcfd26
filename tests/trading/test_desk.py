"""Decided at once, committed in batches, answered after the commit; quotes cost what they trigger."""

import asyncio
from decimal import Decimal

import pytest

from accounts.errors import Code, Refused
from engine.commands import CancelOrder, ClosePosition
from engine.events import PositionClosed
from engine.values import Market
from tests.trading.desks import ANNA, BERT, EUR, World
from trading.desk import ANSWERS_A_TURN, BATCH, COMMANDS_A_TURN, MAX_WAITING, RETRY_AFTER_MS, TRIGGERS_A_TURN


@pytest.fixture
async def world():
    return World()


async def test_an_answer_is_given_only_after_the_commit(world):
    answer = world.ask(world.buy())
    world.turn()
    assert not answer.done()
    assert world.announced == []
    world.commit()
    assert '"side":"buy"' in answer.result().text
    assert [event.name for event in world.announced] == ["order:new", "order:activate", "position:new", "balance"]


async def test_what_comes_during_a_commit_is_the_next_batch(world):
    for _ in range(4):
        world.ask(world.buy())
    assert world.sizes == [1]
    world.commit()
    assert world.sizes == [1, 3]


async def test_a_batch_is_bounded(world):
    answers = [world.ask(world.buy(amount=1)) for _ in range(BATCH + 3)]
    world.settle()
    assert world.sizes == [1, BATCH, 2]
    assert all(answer.result().text for answer in answers)


async def test_answers_come_a_few_a_turn_and_in_order(world):
    world.ask(world.buy(amount=1))
    answers = [world.ask(world.buy(amount=1)) for _ in range(ANSWERS_A_TURN + 2)]
    world.commit()
    world.commit()
    assert [answer.done() for answer in answers] == [True] * ANSWERS_A_TURN + [False] * 2
    world.turn()
    assert all(answer.done() for answer in answers)
    assert [event.offset for event in world.announced] == list(range(2, 2 + 4 * (ANSWERS_A_TURN + 3)))


async def test_a_refusal_needs_no_commit_when_nothing_is_on_its_way(world):
    answer = world.ask(world.buy(amount=10**9))
    assert answer.result().code == Code.SIZE_OUT_OF_BOUNDS
    assert world.sizes == []


async def test_a_refusal_waits_for_the_commit_that_it_may_rest_on(world):
    first = world.ask(world.buy(amount=990_000))
    second = world.ask(world.buy(amount=990_000))
    assert not second.done()
    world.settle()
    assert first.result().text
    assert second.result().code == Code.INSUFFICIENT_BALANCE


async def test_the_same_order_again_is_answered_after_the_first_is_committed(world):
    order = world.buy(client_order_id="mine")
    first, again = world.ask(order), world.ask(order)
    assert not again.done()
    world.settle()
    assert again.result() == first.result()
    assert world.sizes == [1]


async def test_a_failed_commit_leaves_everybody_in_doubt_and_closes_the_desk(world):
    first, second = world.ask(world.buy()), world.ask(world.buy())
    world.commit(OSError("no disk"))
    for answer in (first, second):
        with pytest.raises(Refused) as refused:
            answer.result()
        assert refused.value.code is Code.UNAVAILABLE
    assert [str(error) for error in world.failures] == ["no disk"]
    assert world.announced == []
    with pytest.raises(Refused):
        world.ask(world.buy())


async def test_a_bug_closes_the_desk_and_the_asker_hears_of_an_internal_error(world, monkeypatch):
    def broken(_entry):
        raise AssertionError("cannot happen")

    before = world.ask(world.buy())
    monkeypatch.setattr(type(world.desk.book), "handle", lambda _self, entry: broken(entry))
    breaking, behind = world.ask_more(world.buy()), world.ask_more(world.buy())
    world.turn()
    assert [answer.exception().code for answer in (breaking, behind)] == [Code.INTERNAL_ERROR, Code.UNAVAILABLE]
    assert len(world.failures) == 1
    world.commit()
    assert before.result().text


async def test_commands_that_wait_are_bounded(world):
    for _ in range(MAX_WAITING + 1):
        world.ask(CancelOrder(account=ANNA, id="nobody's")) if world.batches else world.ask(world.buy())
    with pytest.raises(Refused) as refused:
        world.ask(world.buy())
    assert refused.value.code is Code.UNAVAILABLE
    assert refused.value.details == {"retry_after_ms": RETRY_AFTER_MS}


async def test_the_first_of_a_turn_is_decided_at_once_and_the_others_a_few_a_turn(world):
    for _ in range(COMMANDS_A_TURN + 3):
        world.ask_more(world.buy(amount=1))
    positions = world.desk.book.state.accounts[ANNA].positions
    decided = [len(positions)]
    while world.turn():
        decided.append(len(positions))
    assert decided == [1, 1 + COMMANDS_A_TURN, 3 + COMMANDS_A_TURN, 3 + COMMANDS_A_TURN]


async def test_commands_are_decided_in_the_order_in_which_they_came(world):
    orders = [world.buy(amount=1) for _ in range(3 * COMMANDS_A_TURN)]
    for order in orders:
        world.ask_more(order)
        world.turn() if order is orders[5] else None
    world.settle()
    assert list(world.desk.book.state.accounts[ANNA].positions) == [order.id for order in orders]


async def test_a_quote_that_comes_before_a_command_is_decided_goes_first(world):
    order = world.buy()
    world.do(order)
    world.ask_more(world.buy(amount=1))
    answer = world.ask_more(ClosePosition(account=ANNA, id=order.id))
    world.quote("1.20000", "1.20005")
    world.settle()
    assert answer.result().code == Code.NOT_FOUND


async def test_what_was_not_decided_yet_is_refused_when_a_commit_fails(world):
    decided = world.ask(world.buy())
    waiting = [world.ask_more(world.buy()) for _ in range(2)]
    world.commit(OSError("no disk"))
    assert [answer.exception().code for answer in (decided, *waiting)] == [Code.UNAVAILABLE] * 3
    world.settle()
    assert len(world.desk.book.state.accounts[ANNA].positions) == 1


async def test_what_is_not_decided_when_the_desk_closes_is_refused_and_the_quote_keeps_its_turn(world):
    order = world.buy()
    world.do(order)
    world.ask_more(world.buy(amount=1))
    late = world.ask_more(ClosePosition(account=ANNA, id=order.id))
    world.quote("1.20000", "1.20005")
    world.desk.closed = True
    world.settle()
    assert late.exception().code is Code.UNAVAILABLE
    assert order.id in world.desk.book.state.accounts[ANNA].positions
    assert world.desk.idle


async def test_a_given_up_answer_harms_nobody(world):
    given_up, other = world.ask(world.buy()), world.ask(world.buy())
    given_up.cancel()
    world.settle()
    assert other.result().text
    assert isinstance(given_up, asyncio.Future)


# ---- quotes


async def test_a_quote_that_reaches_nothing_asks_for_no_turn(world):
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.quote("1.26640", "1.26645")
    assert world.turn() == 0


async def test_a_quote_closes_what_it_reaches(world):
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.announced.clear()
    world.quote("1.27000", "1.27005")
    world.settle()
    assert [event.name for event in world.announced] == ["position:close", "balance"]
    assert '"reason":"take_profit"' in world.announced[0].data


async def test_many_triggers_go_in_slices_with_a_loop_turn_between(world):
    count = TRIGGERS_A_TURN * 2 + 5
    world.do(*(world.buy(amount=1, take_profit=Decimal("1.27000")) for _ in range(count)))
    world.quote("1.27000", "1.27005")
    left = []
    while world.turn():
        left.append(len(world.desk.book.state.owners))
    assert left == [count - TRIGGERS_A_TURN, count - 2 * TRIGGERS_A_TURN, 0]


async def test_a_trigger_keeps_the_quote_that_reached_it(world):
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.quote("1.27010", "1.27015")
    world.quote("1.26630", "1.26635")
    world.settle()
    closes = [event for event in world.announced if event.name == "position:close"]
    assert '"close_price":"1.27010"' in closes[0].data


async def test_a_quote_goes_before_a_command_that_comes_after_it(world):
    order = world.buy()
    world.do(order)
    world.quote("1.20000", "1.20005")
    world.quote("1.26630", "1.26635")
    answer = world.ask(ClosePosition(account=ANNA, id=order.id))
    world.settle()
    assert answer.result().code == Code.NOT_FOUND
    assert '"reason":"liquidation"' in next(e.data for e in world.announced if e.name == "position:close")


@pytest.mark.parametrize("state", ["halted", "closed"])
async def test_triggers_wait_while_the_product_does_not_trade(world, state):
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.markets[EUR] = Market(Decimal(1), Decimal(1), state)
    world.quote("1.27010", "1.27015")
    assert world.turn() == 0
    world.markets[EUR] = Market(Decimal(1), Decimal(1), "open")
    world.quote("1.27010", "1.27015")
    world.settle()
    assert "position:close" in [event.name for event in world.announced]


async def test_the_quote_that_ends_a_silence_triggers(world):
    """It comes before the word that the product is open again, and the next one may be an hour away."""
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.markets[EUR] = Market(Decimal(1), Decimal(1), "stale")
    world.quote("1.27010", "1.27015")
    world.settle()
    assert "position:close" in [event.name for event in world.announced]


async def test_a_closed_desk_triggers_nothing(world):
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.desk.closed = True
    world.quote("1.27010", "1.27015")
    assert world.turn() == 0


async def test_an_order_past_its_time_is_cancelled_by_the_clock(world):
    world.do(world.buy(price=Decimal("1.20000"), valid_until_ms=5_000))
    world.announced.clear()
    world.now_ms = 4_999
    world.desk.on_clock()
    assert world.desk.idle
    world.now_ms = 5_000
    world.desk.on_clock()
    world.settle()
    assert [event.name for event in world.announced] == ["order:cancel", "balance"]


async def test_the_desk_says_when_nothing_waits(world):
    assert world.desk.idle
    world.ask(world.buy(account=BERT))
    assert not world.desk.idle
    world.settle()
    assert world.desk.idle


async def test_a_row_of_the_inbox_goes_to_the_commit_even_when_refused(world):
    answer = asyncio.get_running_loop().create_future()
    world.desk.submit(world.buy(amount=10**9), answer, inbox=7)
    ((batch, _),) = world.batches
    assert [(waiting.inbox, waiting.record.answer.code) for waiting in batch] == [(7, Code.SIZE_OUT_OF_BOUNDS)]
    world.settle()
    assert answer.done()


async def test_a_trigger_is_journaled_with_its_quote(world):
    world.do(world.buy(take_profit=Decimal("1.27000")))
    world.quote("1.27010", "1.27015")
    world.turn()
    ((batch, _),) = world.batches
    outcome = batch[0].record.outcome
    assert isinstance(outcome.events[0], PositionClosed)
    assert outcome.entry.markets == {EUR: Market(Decimal("1.27010"), Decimal("1.27015"))}
