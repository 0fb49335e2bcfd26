"""The publisher of the measured servers: what it does at which command."""

import asyncio

from benchmarks.fanout.peers.publisher import FIRST_BID, Publisher


class Put:
    """Notes what is published; ends the test's wait when there is enough."""

    def __init__(self, enough):
        self.ticks = []
        self.done = asyncio.Event()
        self._enough = enough

    async def __call__(self, product, bid):
        self.ticks.append((product, bid - FIRST_BID))
        if len(self.ticks) == self._enough:
            self.done.set()


async def published(command, enough, **options):
    put = Put(enough)
    publisher = Publisher(put, **options)
    publisher.obey(command)
    async with asyncio.timeout(10):
        await put.done.wait()
    publisher.obey("stop")
    return put.ticks[:enough]


async def test_as_fast_as_it_goes_each_product_has_its_burst():
    assert await published("max 2 2", 6) == [(0, 1), (0, 2), (1, 1), (1, 2), (0, 3), (0, 4)]


async def test_at_a_rate_the_products_take_turns():
    assert await published("rate 1000 3", 4) == [(0, 1), (1, 1), (2, 1), (0, 2)]


async def test_a_burst_is_one_product_and_ends():
    put = Put(3)
    publisher = Publisher(put)
    publisher.obey("burst 3")
    await put.done.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    assert put.ticks == [(0, 1), (0, 2), (0, 3)]


async def test_it_waits_while_as_much_is_under_way_as_may_be():
    put = Put(1_000)
    publisher = Publisher(put, unsent=lambda: publisher.published, in_flight=4)
    publisher.obey("max 2 1")
    for _ in range(100):
        await asyncio.sleep(0)
    assert publisher.published == 10  # the burst that found four under way, and no other
    publisher.obey("stop")


async def test_stop_ends_what_was_going_on():
    put = Put(5)
    publisher = Publisher(put)
    publisher.obey("max 1 1")
    await put.done.wait()
    publisher.obey("stop")
    await asyncio.sleep(0)
    count = len(put.ticks)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(put.ticks) == count
