"""The feed role's waiting for clients and stepping; its ticks are in test_house and in the journeys."""

import asyncio

import pytest

import market.live
from config.feed_role import FeedOptions
from config.house import House
from market.sources import parse_spec
from tests.market.products import given_products
from tests.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

LINES = "timestamp,bid,ask\n" + "".join(f"2020-01-01T00:00:0{n}Z,1.1000{n},1.1001{n}\n" for n in range(5))


@pytest.fixture
async def replaying(tmp_path):
    """Give a function that starts a house with a recorded market of five ticks."""
    await in_thread(given_products)
    market.live.board.clear()
    path = tmp_path / "eurusd.csv"
    path.write_text(LINES)
    houses = []

    async def start(**options):
        house = House(FeedOptions(parse_spec(f"replay:{path}"), **options))
        houses.append(house)
        await house.ready()
        return house

    yield start
    for house in houses:
        await house.stop()


async def bid_after(house, seconds=0.3):
    await asyncio.sleep(seconds)
    quote = house.node.board.quotes.get("EUR-USD")
    return None if quote is None else str(quote.bid)


async def test_a_replay_waits_for_as_many_subscriptions_as_it_was_told(replaying):
    house = await replaying(speed="max", wait_clients=2)
    house.node.gate.subscribed()
    assert await bid_after(house) is None
    house.node.gate.subscribed()
    assert await bid_after(house) == "1.10004"


async def test_without_a_number_it_begins_at_once(replaying):
    assert await bid_after(await replaying(speed="max")) == "1.10004"


async def test_each_step_is_one_tick(replaying):
    house = await replaying(speed="step")
    assert await bid_after(house) is None
    for number in range(3):
        house.node.gate.step()
        assert await bid_after(house, 0.1) == f"1.1000{number}"


async def test_an_ended_replay_is_stale(replaying):
    house = await replaying(speed="max")
    await bid_after(house)
    assert house.node.board.states["EUR-USD"] == "stale"
    assert house.node.board.open_candles == {}
