"""The composition root over two processes: ticks handed in where the feed is not."""

import asyncio
import time
from decimal import Decimal

import pytest

import market.live
import streaming.live
from accounts.errors import Code, Refused
from config.feed_role import FeedOptions
from config.house import House
from engine.board import Board
from engine.values import Tick
from market.sources import NoneSpec
from streaming import topics
from streaming.figures import MAX_LISTED
from tests.market.products import given_products
from tests.streaming.nodes import until
from tests.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def house():
    """A process with everything, and no source but who publishes."""
    await in_thread(given_products)
    market.live.board.clear()
    running = House(FeedOptions(NoneSpec()))
    await running.ready()
    yield running
    await running.stop()


@pytest.fixture
async def web_house(house, monkeypatch):
    """A second process, without the feed; the two have only the channel layer in common."""
    monkeypatch.setattr(market.live, "board", Board())
    running = House()
    await running.ready()
    yield running
    await running.stop()


def tick(bid, symbol="EURUSD"):
    return Tick(symbol, Decimal(bid), Decimal("1.2"), int(time.time() * 1000))


async def test_a_tick_handed_in_is_on_the_board(house):
    assert await house.node.gate.submit([tick("1.1"), tick("1.1", "NOSUCH")], "key:1") == [(1, Code.UNKNOWN_PRODUCT)]
    assert house.node.board.quotes["EUR-USD"].bid == Decimal("1.10000")
    assert house.node.board.states["EUR-USD"] == "open"


async def test_a_tick_handed_in_elsewhere_reaches_the_feed_and_its_refusals_come_back(house, web_house):
    refused = await web_house.node.gate.submit([tick("1.15"), tick("0"), tick("1.3")], "key:1")
    assert refused == [(1, "not_positive"), (2, "crossed")]
    assert house.node.board.quotes["EUR-USD"].bid == Decimal("1.15000")


async def test_a_feed_that_does_not_answer_is_unavailable(house, web_house, monkeypatch):
    monkeypatch.setattr("config.house.FEED_ANSWER_S", 0.2)
    house.node.bus.want(topics.FEED, False)  # nobody listens any more
    await house.node.bus.settled()
    with pytest.raises(Refused) as refused:
        await web_house.node.gate.submit([tick("1.1")], "key:1")
    assert refused.value.code is Code.UNAVAILABLE


async def test_a_process_that_starts_later_knows_the_last_quotes(house, monkeypatch):
    await house.node.gate.submit([tick("1.14")], "key:1")
    monkeypatch.setattr(market.live, "board", Board())
    late = House()
    await late.ready()
    for _ in range(100):
        if "EUR-USD" in late.node.board.quotes:
            break
        await asyncio.sleep(0.02)
    assert late.node.board.quotes["EUR-USD"].bid == Decimal("1.14000")
    assert late.node.board.states["EUR-USD"] == "open"
    await late.stop()


async def test_starting_twice_at_once_starts_once(house):
    nodes = await asyncio.gather(house.ready(), house.ready())
    assert nodes[0] is nodes[1] is house.node


async def test_a_product_that_an_administrator_adds_or_halts_is_known_soon(house, monkeypatch):
    monkeypatch.setattr("config.house.CATALOGUE_RELOAD_S", 0.05)
    from market.models import Product

    def change():
        Product.objects.filter(name="EUR-USD").update(halted=True)
        row = Product.objects.get(name="GBP-USD")
        row.pk, row.name = None, "GBP-NZD"
        row._state.adding = True
        row.save()

    await in_thread(change)
    for _ in range(150):
        if house.node.board.states.get("EUR-USD") == "halted" and "GBP-NZD" in house.node.catalogue.products:
            break
        await asyncio.sleep(0.02)
    assert house.node.board.states["EUR-USD"] == "halted"
    assert await house.node.gate.submit([tick("1.1", "GBPNZD")], "key:1") == []


async def test_products_that_nobody_has_changed_are_not_read_again(house):
    from market.models import Product

    await house.reload()
    known = house.node.catalogue.products
    await house.reload()
    assert house.node.catalogue.products is known
    await in_thread(lambda: Product.objects.filter(name="EUR-USD").update(halted=True))
    await house.reload()
    assert house.node.catalogue.products["EUR-USD"].halted


async def test_an_engine_that_takes_over_compares_all_products_though_none_has_changed(house):
    compared = []

    class Engine:
        fence = 1

        async def reload_products(self):
            compared.append(self.fence)

    house.engine_role = engine = Engine()
    for engine.fence in (1, 1, 0, 2, 2):
        await house.reload()
    house.engine_role = None
    assert compared == [1, 0, 2]


async def test_both_processes_know_of_each_other_and_any_page_may_ask_all(house, web_house):
    for one in (house, web_house):
        one.watch.tell()
    await until(lambda: len(web_house.watch.processes()) == 2)
    assert [one.roles for one in web_house.watch.processes()] == [["web"], ["feed"]]
    await web_house.node.gate.submit([tick("0"), tick("1.15")], "key:1")
    answers = await streaming.live.ask("refusals")
    (told,) = [answer for answer in answers.given.values() if answer is not None]
    assert (told["accepted"], told["counts"]) == (1, [["EUR-USD", "not_positive", 1]])
    assert told["recent"][0][1:6] == ["EUR-USD", "EURUSD", "not_positive", "0", "1.2"]


async def test_the_feed_says_its_figures(house):
    await house.node.gate.submit([tick("1.15"), tick("0")], "key:1")
    figures = house.feed_role.figures()
    assert (figures.accepted, figures.refused) == (1, 1)
    assert figures.states["open"] == 1
    assert len(figures.silent) == MAX_LISTED
    assert figures.silent[0][1:] == ("stale", None)
