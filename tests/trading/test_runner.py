"""The engine's process on a real database: it takes the lease, loads, works, stands by, begins again when it has to."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest
from django.db.models import F

from accounts.errors import Code
from engine.commands import ClosePosition, Deposit, PlaceOrder
from engine.values import AccountId
from market.models import Product
from tests.accounts.callers import refused_with
from tests.market.products import given_products
from tests.threads import in_thread
from tests.trading.engines import TRADED
from tests.trading.runners import ASK, BID, EUR, Running, opened, until
from trading import journal, runner
from trading.inbox import inbox_put
from trading.models import AccountEvent, EngineLease, InboxCommand, JournalEntry, Position

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def start():
    """Give a function that starts a runner and waits until it works or stands by."""
    await in_thread(given_products)
    # Twenty products' terms are more than these tests need to journal.
    await in_thread(Product.objects.exclude(name__in=TRADED).delete)
    async with AsyncExitStack() as stack:

        async def started(holder="first"):
            return await (await stack.enter_async_context(Running(holder))).settled()

        yield started


@pytest.fixture
async def demo(ann, start):
    return AccountId("demo", ann.pk)


# ---- it works


async def test_what_it_answers_is_stored_and_announced(start, demo):
    running = await opened(await start(), demo)
    answer = await running.buy(demo)
    assert '"price":"1.26635"' in answer.text
    stored = await in_thread(lambda: list(AccountEvent.objects.order_by("offset").values_list("name", flat=True)))
    assert stored == [told.name for told in running.announced]
    assert stored == ["balance", "order:new", "order:activate", "position:new", "balance"]


async def test_the_products_terms_are_journaled_before_anything_else(start, demo):
    await opened(await start(), demo)
    kinds = await in_thread(lambda: list(JournalEntry.objects.order_by("serial").values_list("kind", flat=True)))
    assert kinds == [*["set_terms"] * len(TRADED), "open_account"]


async def test_what_an_administrator_changes_of_a_product_is_journaled_once(start, demo):
    running = await opened(await start(), demo)
    before = await in_thread(JournalEntry.objects.count)
    await running.runner.reload_products()
    await in_thread(lambda: Product.objects.filter(name=EUR).update(max_leverage=100))
    await running.runner.reload_products()
    await running.runner.reload_products()
    answer = await running.buy(demo)
    assert answer.code == Code.LEVERAGE_NOT_ALLOWED
    assert await in_thread(JournalEntry.objects.count) == before + 1


async def test_a_quote_triggers_and_the_clock_expires(start, demo):
    running = await opened(await start(), demo)
    await running.buy(demo, take_profit=Decimal("1.27"))
    pending = PlaceOrder(
        account=demo, id=str(uuid.uuid4()), product=EUR, side="buy", type="pending", price=Decimal("1.25"),
        leverage=Decimal(300), amount=1000, valid_until_ms=running.now_ms + 1,
    )  # fmt: skip
    await running.runner.submit(pending)
    running.announced.clear()
    running.now_ms += 1
    await until(lambda: len(running.announced) == 2)
    running.quote("1.27000", "1.27005")
    await until(lambda: len(running.announced) == 4)
    assert [told.name for told in running.announced] == ["order:cancel", "balance", "position:close", "balance"]


async def test_its_time_never_goes_back(start, demo):
    running = await opened(await start(), demo)
    await running.buy(demo)
    running.now_ms -= 60_000
    await running.buy(demo)
    times = await in_thread(lambda: list(JournalEntry.objects.order_by("serial").values_list("time_ms", flat=True)))
    assert times == sorted(times)


async def test_it_goes_on_where_another_one_ended(start, demo):
    first = await opened(await start(), demo)
    identifier = await _position(first, demo)
    await first.end()
    second = await start("second")
    answer = await second.runner.submit(ClosePosition(account=demo, id=identifier))
    assert '"close_price":"1.26630"' in answer.text
    assert [told.offset for told in second.announced] == [6, 7]


async def _position(running, account):
    await running.buy(account)
    return str((await in_thread(Position.objects.get)).pk)


# ---- two of them


async def test_a_second_one_stands_by_and_refuses(start, demo):
    first, second = await start(), await start("second")
    assert (first.runner.fence, second.runner.fence) == (1, 0)
    assert (first.fences, second.fences) == ([1], [])
    with refused_with(Code.UNAVAILABLE) as caught:
        await second.buy(demo)
    assert caught.value.details == {"retry_after_ms": 1_000}


async def test_a_standby_takes_over_from_one_that_ends(start, demo):
    first, second = await opened(await start(), demo), await start("second")
    await first.end()
    assert first.fences == [1, 0]
    await second.works_again()
    assert second.fences == [2]
    assert '"side":"buy"' in (await second.buy(demo)).text
    with refused_with(Code.UNAVAILABLE):
        await first.buy(demo)


async def test_one_that_was_deposed_answers_nothing_and_begins_again(start, demo):
    running = await opened(await start(), demo)
    await in_thread(lambda: EngineLease.objects.update(fence=F("fence") + 1))
    with refused_with(Code.UNAVAILABLE):
        await running.buy(demo)
    await running.works_again(after=1)
    assert running.fences == [1, 0, 3]
    assert [told.name for told in running.announced] == ["balance"]
    assert await in_thread(Position.objects.count) == 0


async def test_a_beat_that_is_refused_ends_the_work(start, demo):
    """Nobody has to ask for anything to find out."""
    running = await opened(await start(), demo)
    await in_thread(lambda: EngineLease.objects.update(fence=F("fence") + 1))
    await running.works_again(after=1)
    assert running.fences == [1, 0, 3]


async def test_an_end_in_the_middle_of_beginning_again_lets_go_of_the_lease(start, demo):
    running = await opened(await start(), demo)
    await in_thread(lambda: EngineLease.objects.update(fence=F("fence") + 1))
    await until(lambda: running.fences == [1, 0])
    await asyncio.wait_for(running.end(), 10)
    second = await start("second")
    await second.works_again()


async def test_a_bug_at_the_end_does_not_keep_it_from_ending(start, demo, monkeypatch):
    running = await opened(await start(), demo)

    def changed(_fence):
        raise AssertionError("a bug")

    monkeypatch.setattr(running.runner, "_changed", changed)
    await asyncio.wait_for(running.end(), 10)
    assert (await start("second")).runner.fence == 2


async def test_one_that_has_not_beaten_for_long_looks_first_who_it_is(start, demo, monkeypatch):
    """As after a freeze: nothing is decided before the next beat has told."""
    running = await opened(await start(), demo)
    monkeypatch.setattr(runner, "LEASE_FRESH_S", 0.1)
    await asyncio.sleep(0.2)  # less than to the next beat
    before = len(running.announced)
    order = asyncio.ensure_future(running.buy(demo))
    await asyncio.sleep(0)
    assert len(running.runner.desk.book.state.owners) == 0
    assert '"side":"buy"' in (await order).text
    assert len(running.announced) == before + 4


async def test_one_that_was_deposed_while_it_was_frozen_gives_not_even_a_refusal(start, demo, monkeypatch):
    running = await opened(await start(), demo)
    monkeypatch.setattr(runner, "LEASE_FRESH_S", 0.1)
    await asyncio.sleep(0.2)
    await in_thread(lambda: EngineLease.objects.update(fence=F("fence") + 1))
    with refused_with(Code.UNAVAILABLE):
        await running.runner.submit(ClosePosition(account=demo, id="nobody's"))
    await running.works_again(after=1)


async def test_a_beat_that_does_not_come_is_not_waited_for_for_ever(start, demo, monkeypatch):
    running = await opened(await start(), demo)
    monkeypatch.setattr(runner, "LEASE_FRESH_S", -1.0)
    monkeypatch.setattr(runner, "LOOK_S", 0.05)
    with refused_with(Code.UNAVAILABLE):
        await running.buy(demo)


# ---- a commit that fails


class Broken(Exception):
    """The database, as it is when it does not do what it should."""


@pytest.fixture
def failing(monkeypatch):
    """Give a function that lets the next commit fail at one of its points."""

    def fail(at):
        def at_point(point):
            if point == at:
                monkeypatch.setattr(journal, "at_point", lambda _point: None)
                raise Broken

        monkeypatch.setattr(journal, "at_point", at_point)

    return fail


@pytest.mark.parametrize("point", ["before_begin", "after_journal", "after_events", "after_rows", "before_commit"])
async def test_after_a_commit_that_failed_nothing_of_it_has_happened(start, demo, failing, point):
    running = await opened(await start(), demo)
    failing(point)
    with refused_with(Code.UNAVAILABLE):
        await running.buy(demo)
    await running.works_again(after=1)
    assert await in_thread(Position.objects.count) == 0
    assert '"side":"buy"' in (await running.buy(demo)).text
    assert [told.offset for told in running.announced] == [1, 2, 3, 4, 5]


async def test_a_commit_whose_confirmation_was_lost_is_found_after_all(start, demo, failing):
    """Nobody knows; the same client_order_id tells."""
    running = await opened(await start(), demo)
    failing("after_commit")
    with refused_with(Code.UNAVAILABLE):
        await running.buy(demo, client_order_id="till-7")
    await running.works_again(after=1)
    again = await running.buy(demo, client_order_id="till-7")
    assert '"client_order_id":"till-7"' in again.text
    assert await in_thread(Position.objects.count) == 1


async def test_everybody_who_waits_is_told_that_the_outcome_is_not_known(start, demo, failing):
    running = await opened(await start(), demo)
    failing("before_commit")
    orders = [asyncio.ensure_future(running.buy(demo)) for _ in range(100)]
    done = await asyncio.wait_for(asyncio.gather(*orders, return_exceptions=True), 10)
    assert {getattr(error, "code", None) for error in done} == {Code.UNAVAILABLE}
    await running.works_again(after=1)
    assert await in_thread(Position.objects.count) == 0


# ---- administrators


async def test_rows_of_the_inbox_are_done_at_once_when_told_and_once(start, ann):
    running = await start()
    params = {"user": "ann", "environment": "live", "amount": "2.5"}
    rows = [await in_thread(inbox_put, "deposit", params, None) for _ in range(2)]
    running.runner.inbox_changed()
    await _answered(rows)
    assert [told.data for told in running.announced] == [
        '{"BTC":"0.00000000"}', '{"BTC":"2.50000000"}', '{"BTC":"5.00000000"}',
    ]  # fmt: skip
    assert [(row.status, row.answer) for row in rows] == [
        ("done", '{"BTC":"2.50000000"}'), ("done", '{"BTC":"5.00000000"}'),
    ]  # fmt: skip


async def test_a_row_that_nobody_tells_of_is_found(start, ann):
    running = await start()
    row = await in_thread(inbox_put, "deposit", {"user": "ann", "environment": "live", "amount": "1"}, None)
    await _answered([row])
    assert row.status == "done"
    assert len(running.announced) == 2


async def test_what_the_engine_refuses_is_said_in_the_row_and_the_next_is_done(start, ann):
    await start()
    params = {"user": "ann", "environment": "live", "amount": "1"}
    rows = [await in_thread(inbox_put, kind, params, None) for kind in ("withdraw", "deposit")]
    await _answered(rows)
    assert [(row.status, row.code) for row in rows] == [("refused", "insufficient_balance"), ("done", "")]


async def test_a_row_about_somebody_who_is_gone_holds_nobody_up(start, ann, bob):
    rows = [
        await in_thread(inbox_put, "deposit", {"user": name, "environment": "live", "amount": "1"}, None)
        for name in ("bob", "ann")
    ]
    await in_thread(bob.delete)
    await start()
    await _answered(rows)
    assert [(row.status, row.code) for row in rows] == [("refused", "not_found"), ("done", "")]


async def test_a_row_whose_commit_failed_is_done_after_all_and_once(start, ann, failing):
    running = await start()
    row = await in_thread(inbox_put, "deposit", {"user": "ann", "environment": "live", "amount": "1"}, None)
    failing("before_commit")
    running.runner.inbox_changed()
    await _answered([row])
    assert row.status == "done"
    assert [told.data for told in running.announced] == ['{"BTC":"0.00000000"}', '{"BTC":"1.00000000"}']


async def test_a_row_waits_while_the_desk_is_full(start, ann, monkeypatch):
    running = await start()
    monkeypatch.setattr("trading.desk.MAX_WAITING", 0)
    row = await in_thread(inbox_put, "deposit", {"user": "ann", "environment": "live", "amount": "1"}, None)
    running.runner.inbox_changed()
    await asyncio.sleep(0.1)
    monkeypatch.undo()
    await _answered([row])
    assert (row.status, running.fences) == ("done", [1])


async def test_a_halted_product_is_refused_from_the_next_order_on(start, demo):
    running = await opened(await start(), demo)
    await _answered([await in_thread(inbox_put, "halt", {"product": EUR}, None)])
    assert (await running.buy(demo)).code == Code.HALTED
    await _answered([await in_thread(inbox_put, "resume", {"product": EUR}, None)])
    assert (await running.buy(demo)).code == ""


async def _answered(rows):
    """Wait until the rows are answered, and read them again."""
    async with asyncio.timeout(20):
        while await in_thread(InboxCommand.objects.filter(pk__in=[row.pk for row in rows], status="waiting").exists):
            await asyncio.sleep(0.02)
    for row in rows:
        await in_thread(row.refresh_from_db)


# ---- what it does not take


async def test_a_deposit_needs_its_account(start, demo):
    running = await start()
    answer = await running.runner.submit(Deposit(account=demo, amount=Decimal(1)))
    assert answer.code == Code.NOT_FOUND


async def test_before_it_has_begun_it_refuses(demo):
    running = Running("nobody yet")
    running.quote(BID, ASK)
    with refused_with(Code.UNAVAILABLE):
        await running.buy(demo)
