"""The Channels consumer: I/O for a session, nothing else. It performs effects in order and answers questions."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from accounts import services
from accounts.addresses import budget_subject, scope_address
from accounts.database import answered
from accounts.errors import INTERNAL, LOGIN_REQUIRED, NORMAL, TOO_MANY_CONNECTIONS, Close, Code, Refused
from accounts.identity import Identity
from streaming.connections import Visible
from streaming.dialects import EVENT_STREAM
from streaming.dialects.base import MessageId
from streaming.direct import EXTENSION, Direct, DirectWriter
from streaming.effects import (
    CancelOnDisconnect,
    Effect,
    Emit,
    Follow,
    GiveBackSubscribe,
    Join,
    Leave,
    OpenLogs,
    Prime,
    PrimeStatus,
    Ready,
    Script,
    Send,
    Shut,
    StartTrade,
    StepReplay,
    SubmitTicks,
    TakeSubscribe,
    VerifySignature,
    VerifyToken,
    Watch,
)
from streaming.frames import text_frame
from streaming.messages import Reply, Shutdown
from streaming.node import Node
from streaming.session import Endpoint, Session
from streaming.sink import Sink
from streaming.trades import Trades
from streaming.writers import QueueWriter

logger = logging.getLogger(__name__)

SIGNED_PATH = "/ws-auth"
"""Source: protocols, section 3: `auth.sig` signs the request `GET /ws-auth` with no body."""

BURST_S = 0.001
"""How long one connection's messages are taken in a row before the loop turns: its orders may come in dozens."""


class StreamConsumer(Visible, AsyncConsumer):
    """One WebSocket connection."""

    def __init__(self, *, endpoint: Endpoint, node: Callable[[], Awaitable[Node]]) -> None:
        self._endpoint = endpoint
        self._find_node = node
        self._member = uuid.uuid4().hex
        self._entered: list[tuple[str, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s: float | None = None
        self._ended = False
        self._joined: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one message after the other; Channels' own loop makes a task of each.

        There is no channel of its own either: the process's hub is the member of groups.
        """
        self.scope, self.base_send = scope, send
        turn_s = 0.0
        try:
            while True:
                await self.dispatch(await receive())
                if time.monotonic() > turn_s:
                    await asyncio.sleep(0)
                    turn_s = time.monotonic() + BURST_S
        except StopConsumer:
            pass
        finally:
            self._let_go()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message without Channels' thread hop: nothing here touches the ORM on the loop."""
        match message["type"]:
            case "websocket.connect":
                await self._connect()
            case "websocket.receive":
                if self._direct is not None:
                    self._direct.taken()
                await self._receive(message)
            case "websocket.disconnect":
                await self._disconnect(message.get("code"))
                raise StopConsumer

    # ---- life

    @property
    def _to_server(self) -> Any:
        """The ASGI `send`; Channels types it more narrowly than ASGI is."""
        return self.base_send

    async def _connect(self) -> None:
        self._node = await self._find_node()
        self._since_ms = _wall_ms()
        # Channels types a scope by the server's protocol; ours has more in it.
        scope: Any = self.scope
        self._direct: Direct | None = (scope.get("extensions") or {}).get(EXTENSION)
        self._address = scope_address(scope)
        identity = await self._browser_identity() if self._endpoint.browser else None
        await self._to_server({"type": "websocket.accept"})
        direct_writer = None if self._direct is None else self._direct.writer()
        self._writer: DirectWriter | QueueWriter = direct_writer or QueueWriter(self._to_server)
        self._sink = Sink(self._writer, self.end)
        self._writer.on_drained(self._sink.drained)
        self._sink.dialect = self._endpoint.dialect
        self._trades = Trades(self._sink, self._node.trading, self._node.private, self._reply)
        self._session = Session(
            self._endpoint,
            catalogue=self._node.catalogue,
            auth_window_s=settings.AUTH_WINDOW_S,
            now_s=time.monotonic(),
            wall_ms=_wall_ms,
            offsets=partial(self._node.private.offsets, self._sink),
            identity=identity,
        )
        if self._endpoint.browser and identity is None:
            self._refuse(Refused(Code.AUTHENTICATION_REQUIRED), LOGIN_REQUIRED)
            return
        try:
            await self._enter("address", budget_subject(self._address), settings.CONNECTIONS_PER_ADDRESS)
        except Refused as refused:
            self._refuse(refused, TOO_MANY_CONNECTIONS)
            return
        self._node.connections.add(self)
        await self._run(self._session.opened())

    async def _receive(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        if self._ended:
            return
        if text is None:
            self._refuse(Refused(Code.BINARY_NOT_SUPPORTED))
            return
        await self._run(self._session.received(text, time.monotonic()))

    async def _disconnect(self, code: int | None) -> None:
        if hasattr(self, "_sink"):
            self._close_up(in_order=code == NORMAL.code)
            await self._forget()

    def _close_up(self, *, in_order: bool) -> None:
        """Write nothing more; leave to the node what is to be done when a connection is cut."""
        self._ended = self._sink.closed = True
        if self._timer is not None:
            self._timer.cancel()
        farewell = self._trades.close(in_order=in_order)
        if farewell is not None:
            self._node.see_through(farewell)

    async def _forget(self) -> None:
        if self in self._node.connections:
            self._node.connections.discard(self)
            self._node.conflated += self._sink.conflated
        for topic in self._joined:
            self._node.hub.leave(self._sink, topic)
        self._node.private.leave(self._sink)
        for kind, subject in self._entered:
            await self._node.occupancy.leave(kind, subject, self._member)

    def _let_go(self) -> None:
        """Cut what holds this connection in a circle: it is to go with its last use, not with a garbage collection."""
        if self._ended:
            self._sink.end = _nothing
            self._writer.on_drained(_nothing)
            del self._trades

    # ---- what the node may ask

    @property
    def identity(self) -> Identity | None:
        return self._session.proven

    def end(self, close: Close, shutdown: Shutdown | None = None) -> None:
        """Say why and close; nothing is written behind it."""
        if self._ended:
            return
        self._ended = True
        if shutdown is not None:
            self._sink.send(text_frame(self._reply(shutdown)))
        elif close.error is not None:
            self._refuse(Refused(close.error))
        self._close_up(in_order=False)
        message = {"type": "websocket.close", "code": close.code, "reason": close.reason}
        self._closing = asyncio.ensure_future(self._writer.close(partial(self._to_server, message)))

    # ---- scripts

    async def _run(self, script: Script) -> None:
        """Perform a script's effects in order; send answers in, throw refusals in."""
        answer: object = None
        refused: Refused | None = None
        try:
            while not self._ended:
                effect = script.throw(refused) if refused else script.send(answer)
                answer = refused = None
                try:
                    if not self._perform(effect):
                        answer = await self._ask(effect)
                except Refused as error:
                    refused = error
        except StopIteration:
            self._set_timer()
        except Exception:
            logger.exception("A message could not be handled")
            self._refuse(Refused(Code.INTERNAL_ERROR), INTERNAL)
        finally:
            script.close()

    def _perform(self, effect: Effect) -> bool:
        """Do an effect that needs no waiting; return False for a question."""
        node, sink = self._node, self._sink
        match effect:
            case Send(payload):
                sink.send(text_frame(payload))
            case Emit(news):
                # Heartbeats may be all that a connection has: nothing was joined then.
                sink.dialect = self._session.dialect
                node.hub.emit(sink, news)
            case Join(topic, interval_ms):
                sink.dialect = self._session.dialect
                self._joined.add(topic)
                node.hub.join(sink, topic, interval_ms)
            case Leave(topic):
                self._joined.discard(topic)
                node.hub.leave(sink, topic)
            case Prime(channel):
                self._prime(channel.kind, channel.product, channel.resolution)
            case PrimeStatus(product):
                status = node.board.status(product)
                if status.state != "open":
                    node.hub.emit(sink, status)
            case StartTrade():
                self._trades.start(effect)
            case Follow(account, kinds):
                sink.dialect = self._session.dialect
                node.private.follow(sink, account, kinds)
            case Watch(accounts):
                node.private.watch(sink, accounts)
            case CancelOnDisconnect(identity, wanted):
                self._trades.cancel_on_disconnect(identity, wanted)
            case Ready():
                node.gate.subscribed()
            case StepReplay():
                node.gate.step()
            case Shut(close):
                self.end(Close(close.code, close.reason, close.reconnect))
            case _:
                return False
        return True

    def _prime(self, kind: str, product: str, resolution: str) -> None:
        """Write the last known of a channel: quote or open candle."""
        board = self._node.board
        news = board.quotes.get(product) if kind == "quotes" else board.open_candles.get((product, resolution))
        if news is not None:
            self._node.hub.emit(self._sink, news)

    async def _ask(self, question: Effect) -> object:
        """Answer a question of the session; raises `Refused`."""
        node = self._node
        match question:
            case VerifyToken(token):
                asked: dict[str, Any] = {"token": token, "address": self._address, "now_ms": _wall_ms()}
                return await self._admitted(
                    partial(services.identity_for_token, **asked), services.identity_known(**asked)
                )
            case VerifySignature(signature):
                return await self._admitted(
                    partial(
                        services.identity_for_signature,
                        key_id=signature.key_id,
                        signature=signature.signature,
                        timestamp_ms=signature.timestamp_ms,
                        method="GET",
                        path=SIGNED_PATH,
                        body=b"",
                        address=self._address,
                        now_ms=_wall_ms(),
                        single_use=settings.SIGNATURE_SINGLE_USE,
                    )
                )
            case TakeSubscribe():
                await self._take_subscribe()
            case GiveBackSubscribe():
                if budget := self._subscribe_budget():
                    await node.budgets.give_back(**budget)
            case SubmitTicks(ticks, source):
                return await node.gate.submit(ticks, source)
            case OpenLogs(wishes, snapshot):
                return await node.private.open(self._sink, self._trades.holds, wishes, snapshot=snapshot)
        return None

    async def _admitted(self, look_up: Callable[[], Identity], known: Identity | None = None) -> Identity:
        """Return the identity that a database call proves (or is `known`), counted against its key's connections."""
        mark = self._node.access_mark
        identity = known if known is not None else await self._node.in_thread(partial(answered, look_up))
        if ("key", identity.key_id) not in self._entered:
            await self._enter("key", identity.key_id, settings.CONNECTIONS_PER_KEY)
        if self._node.ended_since(mark, identity):
            # Revoked while we looked: whoever closes sockets did not know yet that this one belongs to the key.
            raise Refused(Code.KEY_REVOKED)
        return identity

    # ---- limits

    async def _enter(self, kind: str, subject: str, limit: int) -> None:
        if not await self._node.occupancy.enter(kind, subject, self._member, limit=limit):
            raise Refused(Code.TOO_MANY_CONNECTIONS, f"At most {limit} connections per {kind}")
        self._entered.append((kind, subject))

    def _subscribe_budget(self) -> dict[str, Any]:
        """Return whose budget a subscribe spends; empty where it is switched off."""
        identity = self._session.identity
        if self._endpoint.browser and identity is not None:
            count = settings.APP_SUBSCRIBES_PER_S
            return {"name": "app_subscribe", "subject": identity.session, "count": count, "per_s": 1} if count else {}
        interval_s = settings.SUBSCRIBE_INTERVAL_S
        return (
            {"name": "subscribe", "subject": budget_subject(self._address), "count": 1, "per_s": interval_s}
            if interval_s
            else {}
        )

    async def _take_subscribe(self) -> None:
        budget = self._subscribe_budget()
        if budget:
            retry_after_ms = await self._node.budgets.take(**budget)
            if retry_after_ms:
                raise Refused(Code.RATE_LIMITED, retry_after_ms=retry_after_ms)

    # ---- helpers

    async def _browser_identity(self) -> Identity | None:
        scope: Any = self.scope
        session_key = scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME, "")
        try:
            return await self._node.in_thread(partial(services.identity_for_session, session_key))
        except Refused:
            return None

    def _refuse(self, refused: Refused, close: Close | None = None) -> None:
        """Say what was wrong, outside a script, and close where asked to."""
        self._sink.send(text_frame(self._reply(refused)))
        if close is not None:
            self.end(Close(close.code, close.reason, close.reconnect))

    def _reply(self, reply: Reply, message_id: MessageId = None) -> bytes:
        return (self._session.dialect or EVENT_STREAM).reply(reply, message_id)

    def _set_timer(self) -> None:
        deadline_s = self._session.deadline_s
        if deadline_s == self._timer_s:
            return
        self._timer_s = deadline_s
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline_s is not None and not self._ended:
            delay_s = max(0.0, deadline_s - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_deadline)

    def _on_deadline(self) -> None:
        """Do what is due; such scripts ask no questions."""
        self._timer_s = None
        for effect in self._session.due(time.monotonic()):
            self._perform(effect)
        self._set_timer()


def _nothing(*_: object) -> None:
    pass


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
