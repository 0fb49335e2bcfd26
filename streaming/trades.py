"""One connection's orders over the socket: which are on their way, and which end with the connection."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator

from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.values import AccountId
from streaming.channels import ENVIRONMENTS
from streaming.dialects.base import MessageId
from streaming.effects import StartTrade
from streaming.follower import subject_of
from streaming.frames import text_frame
from streaming.gate import TradingGate
from streaming.identifiers import fresh_id
from streaming.messages import Reply, Result, Trade
from streaming.private import PrivateLogs
from streaming.sink import Sink

logger = logging.getLogger(__name__)

MAX_TRADES_IN_FLIGHT = 100
"""Trades of one connection without an answer; the engine takes 64 commands at a time."""

TRY_AGAIN_MS = 100
"""When a trade beyond that may be sent again: some of them are answered by then."""

MAX_PLACED = 10_000
"""Pending orders that a connection is remembered to have placed: ten times what an account may have open."""

CANCEL_ATTEMPTS = 30
CANCEL_AGAIN_S = 1.0
"""An engine that is away is asked for half a minute to cancel: a standby takes over within five seconds."""


class Trades:
    """`holds`: environment -> id -> trades in flight about it; its events wait for their answers (`follower.py`)."""

    __slots__ = ("_cancels_for", "_gate", "_in_flight", "_logs", "_placed", "_reply", "_sink", "holds")

    def __init__(
        self, sink: Sink, gate: TradingGate, logs: PrivateLogs, reply: Callable[[Reply, MessageId], bytes]
    ) -> None:
        self.holds: dict[str, dict[str, int]] = {environment: {} for environment in ENVIRONMENTS}
        self._sink = sink
        self._gate = gate
        self._logs = logs
        self._reply = reply
        # trade id -> the task that waits for its answer: the only strong reference to it
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        # (environment, id) of pending orders, oldest first
        self._placed: dict[tuple[str, str], None] = {}
        self._cancels_for: Identity | None = None

    def start(self, effect: StartTrade) -> None:
        """Hand a trade to the engine; its answer is written when it comes. Raises `Refused` (RATE_LIMITED)."""
        if len(self._in_flight) >= MAX_TRADES_IN_FLIGHT:
            raise Refused(
                Code.RATE_LIMITED,
                f"At most {MAX_TRADES_IN_FLIGHT} trades of a connection wait for their answers",
                retry_after_ms=TRY_AGAIN_MS,
            )
        trade_id = fresh_id()
        subject = trade_id if effect.trade.action == "new" else _named(effect.trade) or trade_id
        holds = self.holds[effect.trade.environment]
        holds[subject] = holds.get(subject, 0) + 1
        self._in_flight[trade_id] = asyncio.get_running_loop().create_task(self._trade(effect, trade_id, subject))

    async def _trade(self, effect: StartTrade, trade_id: str, subject: str) -> None:
        trade = effect.trade
        reply: Reply
        try:
            text = await self._gate.trade(effect.identity, trade.action, trade.environment, trade.params, trade_id)
            self._note(trade, text)
            reply = Result(text)
        except Exception as error:
            reply = self._refusal(error, trade, trade_id)
        finally:
            del self._in_flight[trade_id]
            self._release(trade.environment, subject)
        account = AccountId(trade.environment, effect.identity.user_id)
        self._logs.answer(self._sink, account, text_frame(self._reply(reply, effect.message_id)))

    def _refusal(self, error: Exception, trade: Trade, trade_id: str) -> Refused:
        refused = error if isinstance(error, Refused) else Refused(Code.INTERNAL_ERROR)
        if refused is not error:
            logger.error("A trade could not be handled", exc_info=error)
        if trade.action == "new" and refused.code in (Code.UNAVAILABLE, Code.INTERNAL_ERROR):
            # Nobody knows what became of it. If it stands, it ends with the connection like the others.
            self._remember(trade.environment, trade_id)
        return refused

    def _note(self, trade: Trade, text: str) -> None:
        """Remember which pending orders are this connection's."""
        if trade.action == "new" and '"type":"pending"' in text:
            self._remember(trade.environment, subject_of(text))
        elif trade.action == "cancel":
            self._placed.pop((trade.environment, subject_of(text)), None)

    def _remember(self, environment: str, order_id: str) -> None:
        self._placed[environment, order_id] = None
        if len(self._placed) > MAX_PLACED:
            del self._placed[next(iter(self._placed))]

    def _release(self, environment: str, subject: str) -> None:
        holds = self.holds[environment]
        if holds[subject] > 1:
            holds[subject] -= 1
        else:
            del holds[subject]

    # ---- the connection's end

    def cancel_on_disconnect(self, identity: Identity, wanted: bool) -> None:
        self._cancels_for = identity if wanted else None

    def close(self, *, in_order: bool) -> asyncio.Task[None] | None:
        """Return the task that cancels what ends with the connection; None where there is nothing to do.

        `in_order`: the client has closed with 1000.
        """
        identity, self._cancels_for = self._cancels_for, None
        if identity is None or in_order or not (self._placed or self._in_flight):
            return None
        return asyncio.get_running_loop().create_task(self._cancel_placed(identity))

    async def _cancel_placed(self, identity: Identity) -> None:
        if self._in_flight:
            await asyncio.wait(list(self._in_flight.values()))
        for environment, ids in self._by_environment():
            await self._cancel(identity, environment, ids)

    def _by_environment(self) -> Iterator[tuple[str, list[str]]]:
        for environment in ENVIRONMENTS:
            ids = [order_id for placed_in, order_id in self._placed if placed_in == environment]
            if ids:
                yield environment, ids

    async def _cancel(self, identity: Identity, environment: str, ids: list[str]) -> None:
        for _ in range(CANCEL_ATTEMPTS):
            try:
                await self._gate.cancel_orders(identity, environment, ids)
                return
            except Exception as error:
                reason = type(error).__name__
                await asyncio.sleep(CANCEL_AGAIN_S)
        logger.warning("%d orders of a connection that was cut could not be cancelled: %s", len(ids), reason)


def _named(trade: Trade) -> str:
    """Return the id that a trade is about, spelled as events spell it; `""` where it names none."""
    text = trade.params.get("id")
    if not isinstance(text, str):
        return ""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text
