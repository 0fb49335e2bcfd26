"""The engine in a process of its own or in everybody's: fed with quotes, its events announced, asked from elsewhere."""

import asyncio
import time
import uuid
from decimal import Decimal

import pytest
from channels.layers import get_channel_layer

import market.live
import trading.live
from accounts.errors import Code
from accounts.models import User
from config.engine_role import _interest
from config.feed_role import FeedOptions
from config.house import House
from engine.board import Board
from engine.commands import OpenAccount, PlaceOrder
from engine.margin import Side
from engine.values import AccountId, Environment, Tick
from market.models import Product
from market.sources import NoneSpec, parse_spec
from streaming import topics
from streaming.figures import EngineFigures
from tests.accounts.callers import refused_with
from tests.market.products import given_products
from tests.streaming.nodes import until
from tests.threads import in_thread
from trading.inbox import inbox_put
from trading.live import Answer
from trading.models import Position

pytestmark = pytest.mark.django_db(transaction=True)

EUR = "EUR-USD"


@pytest.fixture
async def start(monkeypatch):
    """Give a function that starts a process with some of the roles; each has a board of its own."""
    await in_thread(given_products)
    await in_thread(Product.objects.exclude(name__in=(EUR, "GBP-USD")).delete)
    houses = []

    async def started(feed=None, **roles):
        monkeypatch.setattr(market.live, "board", Board())
        house = House(feed, **roles)
        houses.append(house)
        await asyncio.wait_for(house.ready(), 20)
        return house

    yield started
    for house in reversed(houses):
        await house.stop()


@pytest.fixture
async def ann(start):
    user = await in_thread(User.objects.create_user, "ann")
    return AccountId("demo", user.pk)


def none():
    return FeedOptions(NoneSpec())


async def publish(house, bid, ask="1.26635"):
    tick = Tick("EURUSD", Decimal(bid), Decimal(ask), int(time.time() * 1000))
    assert await house.node.gate.submit([tick], "key:1") == []


async def ask(command, within_s=20):
    """Ask the engine by the way that this process has found, again while there is none."""
    answer = Answer(code=Code.UNAVAILABLE)
    async with asyncio.timeout(within_s):
        while answer.code in (Code.UNAVAILABLE, Code.PRICE_OUTDATED):
            await asyncio.sleep(0.02)
            try:
                answer = await trading.live.submit(command)
            except Exception as error:
                answer = Answer(code=str(getattr(error, "code", type(error).__name__)))
    return answer


def buy(account, **wishes):
    return PlaceOrder(
        account=account, id=str(uuid.uuid4()), product=EUR, side="buy", type="market", leverage=Decimal(100),
        amount=1000, **wishes,
    )  # fmt: skip


async def opened(account):
    await ask(OpenAccount(account=account))
    return account


# ---- one process


async def test_a_process_with_everything_trades_at_the_price_that_was_published(start, ann):
    house = await start(none(), engine=True)
    await publish(house, "1.26630")
    answer = await ask(buy(await opened(ann)))
    assert '"price":"1.26635"' in answer.text


async def test_before_any_quote_there_is_no_price(start, ann):
    await start(none(), engine=True)
    await opened(ann)
    assert (await trading.live.submit(buy(ann))).code == Code.PRICE_OUTDATED


async def test_what_is_committed_is_told_to_processes_that_follow_the_account(start, ann):
    house = await start(none(), engine=True)
    layer, group = get_channel_layer(), topics.account(*ann)
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    await publish(house, "1.26630")
    await ask(buy(await opened(ann)))
    names: list[str] = []
    while len(names) < 5:
        message = await asyncio.wait_for(layer.receive(channel), 10)
        assert (message["environment"], message["user_id"]) == ann
        names += [name for _, name, _ in message["events"]]
    assert names == ["balance", "order:new", "order:activate", "position:new", "balance"]


async def test_in_a_replay_the_time_is_the_recorded_markets(start, ann, tmp_path):
    path = tmp_path / "eurusd.csv"
    ticks = [f"2020-01-01T00:00:0{second}Z,1.100{second},1.1010\n" for second in range(3)]
    path.write_text("timestamp,bid,ask\n" + "".join(ticks))
    house = await start(FeedOptions(parse_spec(f"replay:{path}"), speed="step"), engine=True)
    await opened(ann)
    house.node.gate.step()
    await until(lambda: EUR in house.node.board.quotes)
    assert '"created_at":1577836800000' in (await ask(buy(ann))).text
    house.node.gate.step()
    await until(lambda: str(house.node.board.quotes[EUR].bid) == "1.10010")
    assert '"created_at":1577836801000' in (await ask(buy(ann))).text


async def test_what_an_administrator_changes_of_a_product_is_traded_by_soon(start, ann, monkeypatch):
    monkeypatch.setattr("config.house.CATALOGUE_RELOAD_S", 0.05)
    house = await start(none(), engine=True)
    await publish(house, "1.26630")
    await opened(ann)
    await in_thread(Product.objects.filter(name=EUR).update, max_leverage=50)
    async with asyncio.timeout(10):
        while (await ask(buy(ann))).code != Code.LEVERAGE_NOT_ALLOWED:
            await asyncio.sleep(0.02)


async def test_it_says_its_figures_and_a_standby_only_that_it_is_there(start, ann, monkeypatch):
    house = await start(none(), engine=True)
    await publish(house, "1.26630")
    await ask(buy(await opened(ann)))
    figures = house.engine_role.figures()
    assert figures.fence == house.engine_role.runner.fence > 0
    assert (figures.positions, figures.orders, figures.products) == (1, 0, 1)
    assert figures.interest == [("demo", EUR, 1000, 0)]
    assert figures.commands >= 2
    assert figures.lag_ms > 0
    monkeypatch.setattr(house.engine_role.runner, "desk", None)
    assert house.engine_role.figures() == EngineFigures(fence=0)


def test_the_most_interest_is_listed_first():
    open_contracts: dict[tuple[Environment, str, Side], int] = {
        ("demo", "A", "buy"): 5, ("live", "B", "sell"): 9, ("live", "A", "buy"): 4, ("live", "A", "sell"): 4
    }  # fmt: skip
    assert _interest(open_contracts) == [("live", "B", 0, 9), ("live", "A", 4, 4), ("demo", "A", 5, 0)]


# ---- several


@pytest.fixture
async def apart(start, ann):
    """A feed, an engine and a process that asks, each by itself; the last one's way is `trading.live`."""
    feed, engine, _ = await start(none()), await start(engine=True), await start()
    await publish(feed, "1.26630")
    await opened(ann)
    return feed, engine


async def test_an_engine_hears_all_quotes_though_nobody_subscribes_there(apart, ann):
    feed, _ = apart
    assert '"price":"1.26635"' in (await ask(buy(ann, take_profit=Decimal("1.27")))).text
    await publish(feed, "1.27000", "1.27005")
    async with asyncio.timeout(10):
        while await in_thread(Position.objects.filter(status="open").exists):
            await asyncio.sleep(0.02)
    assert (await in_thread(Position.objects.get)).reason == "take_profit"


async def test_an_engine_hears_at_once_that_a_product_trades_again(apart, monkeypatch):
    """A quote right behind that word would be lost for triggers, were the word to come with the board."""
    monkeypatch.setattr("config.feed_role.BOARD_INTERVAL_S", 3_600)
    feed, engine = apart
    await asyncio.sleep(1.1)  # the board that was due before
    for halted, state in ((True, "halted"), (False, "open")):
        await in_thread(Product.objects.filter(name=EUR).update, halted=halted)
        await feed.feed_role.reload_products()
        await until(lambda wanted=state: engine.node.board.states[EUR] == wanted, within_s=3)


async def test_an_administrators_wish_is_told_to_the_engine_elsewhere(apart, ann, monkeypatch):
    monkeypatch.setattr("trading.runner.INBOX_S", 3_600)
    await asyncio.sleep(0.3)  # it has looked by itself before
    row = await in_thread(inbox_put, "deposit", {"user": "ann", "environment": "live", "amount": "1"}, None)
    trading.live.tell_inbox()
    async with asyncio.timeout(10):
        while row.status == "waiting":
            await asyncio.sleep(0.02)
            await in_thread(row.refresh_from_db)
    assert row.status == "done"


async def test_a_standby_answers_when_the_first_engine_ends(apart, start, ann):
    _, engine = apart
    standby = await start(engine=True)
    web = await start()
    assert (engine.engine_role.runner.fence, standby.engine_role.runner.fence) == (1, 0)
    assert '"side":"buy"' in (await ask(buy(ann))).text
    await engine.engine_role.stop()
    assert '"side":"buy"' in (await ask(buy(ann))).text
    assert standby.engine_role.runner.fence == 2
    assert web.engine_role is None


async def test_a_process_without_an_engine_to_be_heard_of_is_unavailable(start, ann):
    await start(none())
    with refused_with(Code.UNAVAILABLE):
        await trading.live.submit(OpenAccount(account=ann))
