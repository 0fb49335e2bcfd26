"""What streaming needs of the accounts and the engine, which it may not import; the composition root hands it in."""

from collections.abc import Sequence
from typing import Any, Protocol

from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.values import AccountId
from streaming.messages import PrivateEvent


class TradingGate(Protocol):
    """The way to the accounts and the engine, wherever they are. Everything may raise `Refused`."""

    async def head(self, accounts: Sequence[AccountId]) -> tuple[str, dict[AccountId, int]]:
        """Return the epoch and each account's newest committed offset (0 without any), in one query."""

    async def page(self, account: AccountId, after: int, limit: int) -> list[PrivateEvent]:
        """Return the committed events behind an offset, in order."""

    async def resumable(self, account: AccountId, after: int, epoch: str) -> bool:
        """Tell whether every event behind the offset is there: of this epoch, not ahead, not older than is kept."""

    async def snapshot(self, account: AccountId) -> tuple[int, str]:
        """Return the newest offset and the account as of it: `{"orders":[…],"positions":[…],"balances":{…}}`."""

    async def trade(
        self, identity: Identity, action: str, environment: str, params: dict[str, Any], trade_id: str
    ) -> str:
        """Do it and return the result's JSON text, after the commit. A new order gets `trade_id` as its id."""

    async def cancel_orders(self, identity: Identity, environment: str, ids: Sequence[str]) -> None:
        """Cancel those of the orders that are still pending."""


class NoTrading:
    """The gate of a process without accounts: everything private is refused."""

    async def head(self, accounts: Sequence[AccountId]) -> tuple[str, dict[AccountId, int]]:
        raise Refused(Code.UNAVAILABLE)

    async def page(self, account: AccountId, after: int, limit: int) -> list[PrivateEvent]:
        raise Refused(Code.UNAVAILABLE)

    async def resumable(self, account: AccountId, after: int, epoch: str) -> bool:
        raise Refused(Code.UNAVAILABLE)

    async def snapshot(self, account: AccountId) -> tuple[int, str]:
        raise Refused(Code.UNAVAILABLE)

    async def trade(
        self, identity: Identity, action: str, environment: str, params: dict[str, Any], trade_id: str
    ) -> str:
        raise Refused(Code.UNAVAILABLE)

    async def cancel_orders(self, identity: Identity, environment: str, ids: Sequence[str]) -> None:
        raise Refused(Code.UNAVAILABLE)
