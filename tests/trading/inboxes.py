"""Trades for administrators to end, and an engine that takes what they ask for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

from accounts.database import released
from accounts.errors import Refused
from engine.commands import PlaceOrder
from engine.values import AccountId
from tests.trading.engines import SmallEngine
from trading import live
from trading.inbox import commands_of, inbox_answer, inbox_waiting
from trading.live import Answer


def bought(account: AccountId, identifier: str, *, price: str = "", client_order_id: str = "") -> PlaceOrder:
    """Return a small order of EUR-USD: at the market, or pending at a price."""
    return PlaceOrder(
        account=account, id=identifier, product="EUR-USD", side="buy", type="pending" if price else "market",
        leverage=Decimal(100), amount=1000, price=Decimal(price) if price else None, client_order_id=client_order_id,
    )  # fmt: skip


def serve(engine: SmallEngine) -> None:
    """Do what waits in the inbox, as the runner does."""
    for row in inbox_waiting(100):
        try:
            answer = engine.do(*commands_of(row))
        except Refused as refused:
            answer = Answer(code=str(refused.code), message=refused.message)
        inbox_answer(row.pk, answer)


@contextmanager
def serving(engine: SmallEngine) -> Iterator[None]:
    """Have an engine that works when it is told, in a thread of its own."""
    before = live.tell_inbox
    with ThreadPoolExecutor(1) as thread:

        def tell() -> None:
            thread.submit(released, partial(serve, engine))

        live.tell_inbox = tell
        try:
            yield
        finally:
            live.tell_inbox = before
