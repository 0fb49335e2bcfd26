"""The gate through which streaming reaches accounts and the engine: reads in threads, commands to `services`."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from accounts.identity import Identity
from engine.values import AccountId
from streaming.messages import PrivateEvent
from trading import selectors, services

_Result = TypeVar("_Result")


class InThread(Protocol):
    """Runs a database call off the loop."""

    def __call__(self, call: Callable[[], _Result]) -> Awaitable[_Result]: ...


class Gate:
    """The real `streaming.gate.TradingGate`."""

    def __init__(self, in_thread: InThread) -> None:
        self._in_thread = in_thread

    async def head(self, accounts: Sequence[AccountId]) -> tuple[str, dict[AccountId, int]]:
        return await self._in_thread(partial(selectors.head, accounts))

    async def page(self, account: AccountId, after: int, limit: int) -> list[PrivateEvent]:
        return await self._in_thread(partial(selectors.page, account, after, limit))

    async def resumable(self, account: AccountId, after: int, epoch: str) -> bool:
        return await self._in_thread(partial(selectors.resumable, account, after, epoch))

    async def snapshot(self, account: AccountId) -> tuple[int, str]:
        return await self._in_thread(partial(selectors.snapshot, account))

    async def trade(
        self, identity: Identity, action: str, environment: str, params: dict[str, Any], trade_id: str
    ) -> str:
        return await services.trade(identity, action, environment, params, trade_id)  # type: ignore[arg-type]

    async def cancel_orders(self, identity: Identity, environment: str, ids: Sequence[str]) -> None:
        await services.cancel_orders(identity, environment, ids)  # type: ignore[arg-type]
