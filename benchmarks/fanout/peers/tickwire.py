"""Tickwire itself: `manage.py serve` with its real sessions and dialects, and a source that obeys the benchmark.

    python -m benchmarks.fanout.peers.tickwire prepare COUNT   make the database, so many products, and a key
    python -m benchmarks.fanout.peers.tickwire serve …         as `manage.py serve …`

A tick takes the product's whole way: judged by the feed, rounded, made a quote, put on the board, given to hub and
bus, to the engine's triggers and to the candles. Only the quote's time is replaced on its way out: by the monotonic
clock's nanoseconds just before the tick was submitted.
"""

import asyncio
import itertools
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

import config.house  # noqa: E402  # apps have to be loaded first
from accounts.models import User  # noqa: E402
from benchmarks.fanout.peers.publisher import Publisher  # noqa: E402
from config.feed_role import FeedRole  # noqa: E402
from engine.values import Candle, MarketStatus, Quote, Tick  # noqa: E402
from streaming.messages import PrivateEvent  # noqa: E402
from streaming.node import Node  # noqa: E402

SOURCE = USER = "benchmark"
PRIVATE_S = 0.005
"""Between two private events."""

IN_FLIGHT = 32
"""Bursts: more than a flush of 500 connections takes loop turns, so that the hub alone says how much waits; and less
than a socket holds (32 bursts of 16 events of 190 bytes are 97 KB of 128), so that nobody is conflated for a late turn.
"""


class MeasuredFeedRole(FeedRole):
    """The feed role whose source is the benchmark's publisher."""

    sent_ns = 0

    async def _run_source(self) -> None:
        user_id = await self.node.in_thread(lambda: User.objects.get(username=USER).pk)
        self.publisher = TickwirePublisher(
            self._put, unsent=self._unsent, in_flight=IN_FLIGHT, commit=PrivateEvents(self.node, user_id).commit
        )
        self.publisher.listen()

    async def _put(self, product: int, bid: int) -> None:
        self.sent_ns = time.monotonic_ns()
        wall_ms = time.time_ns() // 1_000_000
        tick = Tick(f"S{product:02d}", Decimal(bid), Decimal(bid + 1), wall_ms)
        refused = self.feed.submit([tick], source=SOURCE, wall_ms=wall_ms, now_s=time.monotonic())
        if refused:
            raise RuntimeError(f"refused: {refused}")

    def _announce(self, news: Quote | Candle | MarketStatus) -> None:
        if isinstance(news, Quote):  # (`dataclasses.replace` takes a quarter of a tick's whole way)
            news = Quote(news.product, news.bid, news.ask, news.mid, news.mid_day_ago, self.sent_ns, news.serial)
        super()._announce(news)

    def _unsent(self) -> float:
        """Return how many published ticks are not with their readers; everybody reads one of the products."""
        readers = len(self.node.connections) / self.publisher.products
        return self.publisher.published - self.node.hub.delivered / readers if readers else 0.0


class TickwirePublisher(Publisher):
    """Knows one more command: `private PER_S PRODUCTS`, a `rate` with private events beside it."""

    def __init__(self, *arguments: Any, commit: Callable[[int], None], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._commit = commit

    def modes(self) -> dict[str, Callable[..., Awaitable[None]]]:
        return {**super().modes(), "private": self.private}

    async def private(self, per_s: int, products: int) -> None:
        ended = threading.Event()
        threading.Thread(target=self._commit_until, args=(ended, asyncio.get_running_loop()), daemon=True).start()
        try:
            await self.rate(per_s, products)
        finally:
            ended.set()

    def _commit_until(self, ended: threading.Event, loop: asyncio.AbstractEventLoop) -> None:
        while not ended.wait(PRIVATE_S):
            loop.call_soon_threadsafe(partial(self._commit, time.monotonic_ns()))


class PrivateEvents:
    """Balances of one account, handed to the node as the engine does when its thread has committed them."""

    def __init__(self, node: Node, user_id: int) -> None:
        self._node = node
        self._user_id = user_id
        self._offsets = itertools.count(1)

    def commit(self, committed_ns: int) -> None:
        data = f'{{"BTC":"10.00000000","committed":{committed_ns}}}'
        self._node.committed([PrivateEvent("demo", self._user_id, next(self._offsets), "balance", data)])


def prepare(products: int) -> None:
    """Make everything that a server needs, with products without digits; print a key and its secret."""
    from accounts.services import api_key_create
    from config.preparation import prepare as prepare_all
    from market.seed import Seed, product_create

    prepare_all(lambda _: None)
    for number in range(products):
        product_create(Seed(f"S{number:02d}", f"Product {number}", "forex", 0, "1000000", "0.1", 100))
    user = User.objects.create_user(USER)
    key, secret = api_key_create(user=user, scopes=["market", "read"])
    print(key.public_id, secret, flush=True)


def main(arguments: Sequence[str]) -> None:
    if arguments[0] == "prepare":
        prepare(int(arguments[1]))
        return
    config.house.FeedRole = MeasuredFeedRole
    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
