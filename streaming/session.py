"""One connection's protocol as a sans-I/O machine: handshake, deadlines, subscriptions, limits.

`opened`, `received` and `due` return scripts: generators of effects. Whoever drives one performs each effect in order
and sends the answer of a question back in (a `Refused` answer is thrown in). Time is handed in; nothing here waits.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.errors import ACCESS_REVOKED, AUTH_FAILED, AUTH_TIMEOUT, TOO_MANY_CONNECTIONS, Close, Code, Refused
from accounts.identity import Identity
from engine.values import AccountId
from streaming import topics
from streaming.channels import ENVIRONMENTS, environments_of, kinds_of, permit, permit_channel, topics_of
from streaming.dialects import EVENT_STREAM, choose
from streaming.dialects.base import Catalogue, Dialect, MessageId, message_id
from streaming.dialects.json_text import read_id, read_object
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
from streaming.messages import (
    Authenticate,
    Authenticated,
    Channel,
    Heartbeat,
    ListSubscriptions,
    Ping,
    Pong,
    Publish,
    Published,
    Reply,
    Request,
    SessionSet,
    SetSession,
    Signature,
    Standing,
    Step,
    Stepped,
    Subscribe,
    Subscribed,
    Subscriptions,
    Trade,
    Unsubscribe,
    Unsubscribed,
    Welcome,
)

MAX_SUBSCRIPTIONS = 8_000
"""Channels on one connection: 1,000 products with their quotes and six candle resolutions, and room to spare."""

MAX_AUTH_FAILURES = 3
"""Source: protocols, section 2: three failures close the connection."""

EXPIRY_CHECK_S = 60
"""How long a session sleeps at most while its access has an end: that is wall time, and wall clocks get set."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an address serves: one dialect or (None) whichever the client's first telling message speaks.

    `greets` with a welcome; `browser`: the identity comes from the session cookie, keys in messages are ignored.
    """

    dialect: Dialect | None
    greets: bool
    browser: bool = False


class Session:
    """One connection. `deadline_s` (monotonic seconds, None: none) is when `due` wants to be called.

    `offsets` says how far the logs of the accounts watched have got: environment -> offset.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        catalogue: Catalogue,
        auth_window_s: float,
        now_s: float,
        wall_ms: Callable[[], int],
        offsets: Callable[[], dict[str, int]],
        identity: Identity | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.dialect = endpoint.dialect
        self.identity = identity
        self.channels: dict[Channel, int] = {}
        self._catalogue = catalogue
        self._auth_window_s = auth_window_s
        self._wall_ms = wall_ms
        self._offsets = offsets
        # The last signature that was verified here: each is accepted once, so it must not be asked about again.
        self._signed: tuple[Signature, Identity] | None = None
        self._failures = 0
        self._auth_deadline_s: float | None = None if identity else now_s + auth_window_s
        self._heartbeat_s: float | None = None
        self._expiry_s: float | None = None
        self._ready = self._watching = False
        self._plan_expiry(now_s)

    @property
    def deadline_s(self) -> float | None:
        deadlines = (self._auth_deadline_s, self._heartbeat_s, self._expiry_s)
        return min((at for at in deadlines if at is not None), default=None)

    @property
    def proven(self) -> Identity | None:
        """Whom this connection has proven to be, even if the message that proved it was then refused."""
        if self.identity is None and self._signed is not None:
            return self._signed[1]
        return self.identity

    # ---- scripts

    def opened(self) -> Script:
        if self.endpoint.greets:
            yield self._reply(Welcome(int(self._auth_window_s), self._wall_ms()))

    def received(self, text: str, now_s: float) -> Script:
        """Handle one text message; `now_s` is monotonic."""
        identifier: MessageId = None
        message: dict[str, Any] | None = None
        try:
            message = read_object(text)
            identifier = message_id(message)
            yield from self._request(self._decode(message), identifier, now_s)
        except Refused as refused:
            if message is None:
                identifier = read_id(text)
            yield self._reply(refused, identifier)
            if refused.code is Code.TOO_MANY_CONNECTIONS:
                yield Shut(TOO_MANY_CONNECTIONS)
            elif self._failures >= MAX_AUTH_FAILURES:
                yield Shut(AUTH_FAILED)

    def due(self, now_s: float) -> Script:
        """Do what the clock asks for: the auth window's end, the access's end, a heartbeat."""
        if self._auth_deadline_s is not None and now_s >= self._auth_deadline_s:
            yield from self._end(Code.AUTH_TIMEOUT, AUTH_TIMEOUT)
            return
        if self._expiry_s is not None and now_s >= self._expiry_s:
            if self._access_left_s() <= 0:
                yield from self._end(Code.KEY_EXPIRED, ACCESS_REVOKED)
                return
            self._plan_expiry(now_s)
        if self._heartbeat_s is not None and now_s >= self._heartbeat_s:
            # From the plan, not from now: a late timer must not make the next one later still. Missed ones are missed.
            periods = (now_s - self._heartbeat_s) // self._policy_heartbeat_s + 1
            self._heartbeat_s += periods * self._policy_heartbeat_s
            yield Emit(Heartbeat(self._wall_ms(), self._offsets()))

    def _end(self, code: Code, close: Close) -> Script:
        self._auth_deadline_s = self._heartbeat_s = self._expiry_s = None
        yield self._reply(Refused(code))
        yield Shut(close)

    def _access_left_s(self) -> float:
        if self.proven is None or self.proven.expires_ms is None:
            return float("inf")
        return (self.proven.expires_ms - self._wall_ms()) / 1000

    def _plan_expiry(self, now_s: float) -> None:
        """Plan when to look again whether the access has ended."""
        left_s = self._access_left_s()
        self._expiry_s = None if left_s == float("inf") else now_s + min(max(left_s, 0.0), EXPIRY_CHECK_S)

    # ---- requests

    def _decode(self, message: dict[str, Any]) -> Request:
        kind = message.get("type")
        if self.dialect is None and kind == "ping":
            return Ping()
        if self.dialect is None:
            self.dialect = choose(message)
        # Before anything else is looked at: a stranger learns neither which symbols nor which types there are.
        if self._barred and kind not in ("auth", "ping"):
            raise Refused(Code.AUTHENTICATION_REQUIRED)
        return self.dialect.decode(message, self._catalogue)

    def _request(self, request: Request, identifier: MessageId, now_s: float) -> Script:
        if isinstance(request, Ping):
            yield self._reply(Pong(self._wall_ms()), identifier)
            return
        if isinstance(request, Authenticate):
            yield from self._authenticate(request, identifier, now_s)
            return
        match request:
            case Trade():
                yield StartTrade(permit("trade", self.identity, request.environment), request, identifier)
            case Subscribe():
                yield from self._limited(self._subscribe(request, identifier, now_s))
            case Unsubscribe():
                yield from self._limited(self._unsubscribe(request, identifier))
            case ListSubscriptions():
                yield self._reply(Subscriptions(self.channels), identifier)
            case Publish():
                yield from self._publish(request, identifier)
            case SetSession(wanted):
                yield CancelOnDisconnect(permit("trade", self.identity), wanted)
                yield self._reply(SessionSet(wanted), identifier)
            case Step():
                yield StepReplay()
                yield self._reply(Stepped(), identifier)

    def _authenticate(self, request: Authenticate, identifier: MessageId, now_s: float) -> Script:
        if self.identity is not None:
            raise Refused(Code.ALREADY_AUTHENTICATED)
        identity = yield from self._verified(VerifyToken(request.token))
        if not identity.scopes & {"market", "feed"}:
            self._failures += 1
            raise Refused(Code.SCOPE_DENIED)
        self.identity = identity
        self._auth_deadline_s = None
        self._plan_expiry(now_s)
        yield self._reply(Authenticated(), identifier)

    def _verified(self, question: VerifyToken | VerifySignature) -> Generator[Effect, Any, Identity]:
        try:
            identity = yield question
        except Refused as refused:
            # No room for the connection, or no answer to be had, says nothing about the key.
            if refused.code not in (Code.TOO_MANY_CONNECTIONS, Code.UNAVAILABLE):
                self._failures += 1
            raise
        assert isinstance(identity, Identity)
        return identity

    def _limited(self, script: Script) -> Script:
        """Run a subscribe or unsubscribe within the address's budget; a refused one consumes nothing."""
        assert self.dialect is not None
        if not self.dialect.policy.subscribes_limited:
            yield from script
            return
        yield TakeSubscribe()
        try:
            yield from script
        except Refused:
            yield GiveBackSubscribe()
            raise

    def _subscribe(self, request: Subscribe, identifier: MessageId, now_s: float) -> Script:
        if len(self.channels.keys() | request.channels.keys()) > MAX_SUBSCRIPTIONS:
            raise Refused(Code.TOO_MANY_SUBSCRIPTIONS, f"At most {MAX_SUBSCRIPTIONS} subscriptions on one connection")
        identity = yield from self._identity_for(request.signature, now_s)
        assert self.dialect is not None
        for channel in request.channels:
            permit_channel(channel, identity, self.dialect.policy)
        standings = yield from self._opened(request, identity)
        self.identity = identity
        fresh = [
            channel for channel, interval_ms in request.channels.items() if self.channels.get(channel) != interval_ms
        ]
        self._settle(request, now_s)
        before = topics_of(self.channels)
        self.channels |= request.channels
        yield from self._rejoin(before)
        accounts: dict[str, Standing] = {account.environment: standing for account, standing in standings.items()}
        yield self._reply(Subscribed(tuple(request.channels), self.channels, accounts), identifier)
        for account in standings:
            yield Follow(account, kinds_of(self.channels, account.environment))
        yield from self._watch()
        yield from self._prime(fresh, before)

    def _opened(
        self, request: Subscribe, identity: Identity | None
    ) -> Generator[Effect, Any, Mapping[AccountId, Standing]]:
        """Return where the logs of the request's private channels stand; they have to be followed next."""
        environments = environments_of(request.channels)
        if not environments:
            return {}
        assert identity is not None
        for environment in request.resume:
            if kinds_of(self.channels, environment):
                # What came meanwhile has been written already: it would come twice, and out of order.
                raise Refused(Code.INVALID_MESSAGE, f"resume: this connection has channels of {environment} already")
        wishes = {AccountId(name, identity.user_id): request.resume.get(name) for name in environments}
        standings: Mapping[AccountId, Standing] = yield OpenLogs(wishes, request.snapshot)
        return standings

    def _watch(self) -> Script:
        """Let heartbeats say how far the accounts' logs are, from the first that an authenticated connection gets."""
        if self.identity is not None and self._heartbeat_s is not None and not self._watching:
            self._watching = True
            user_id, environments = self.identity.user_id, self.identity.environments
            yield Watch(tuple(AccountId(name, user_id) for name in ENVIRONMENTS if name in environments))

    def _prime(self, fresh: list[Channel], before: dict[str, int]) -> Script:
        """Write the last known of new channels, then the states of products that are new."""
        for channel in fresh:
            if channel.public:
                yield Prime(channel)
        for product in dict.fromkeys(channel.product for channel in fresh if channel.public):
            if topics.status(product) not in before:
                yield PrimeStatus(product)
        if not self._ready and any(channel.public for channel in self.channels):
            self._ready = True
            yield Ready()

    def _identity_for(self, signature: Signature | None, now_s: float) -> Generator[Effect, Any, Identity | None]:
        """Return who is asking after this message; the same auth again on its own connection is a no-op."""
        if signature is None or self.endpoint.browser:
            return self.identity
        if self._signed is not None and signature == self._signed[0]:
            return self._signed[1]
        if self.identity is not None and self.identity.key_id != signature.key_id:
            raise Refused(Code.ALREADY_AUTHENTICATED)
        identity = yield from self._verified(VerifySignature(signature))
        self._signed = signature, identity
        self._plan_expiry(now_s)
        return identity

    def _settle(self, request: Subscribe, now_s: float) -> None:
        """End the auth window, and start the heartbeats, if this accepted message does so."""
        if self.identity is not None or any(channel.public for channel in request.channels):
            self._auth_deadline_s = None
        self._plan_expiry(now_s)
        if self._heartbeat_s is None and self._policy_heartbeat_s and request.channels:
            self._heartbeat_s = now_s + self._policy_heartbeat_s

    def _unsubscribe(self, request: Unsubscribe, identifier: MessageId) -> Script:
        asked = tuple(self.channels) if request.channels is None else request.channels
        before = topics_of(self.channels)
        left = [channel for channel in asked if self.channels.pop(channel, None) is not None]
        yield from self._rejoin(before)
        for environment in environments_of(left):
            assert self.identity is not None
            yield Follow(AccountId(environment, self.identity.user_id), kinds_of(self.channels, environment))
        yield self._reply(Unsubscribed(asked, self.channels), identifier)

    def _publish(self, request: Publish, identifier: MessageId) -> Script:
        identity = permit("feed", self.identity)
        refused = yield SubmitTicks(request.ticks, f"key:{identity.key_id}")
        yield self._reply(Published(len(request.ticks) - len(refused), tuple(refused)), identifier)

    # ---- helpers

    @property
    def _barred(self) -> bool:
        """Tell whether this dialect wants to know first who is asking."""
        return self.dialect is not None and self.dialect.policy.public_needs_identity and self.identity is None

    @property
    def _policy_heartbeat_s(self) -> float:
        return 0 if self.dialect is None else self.dialect.policy.heartbeat_s

    def _reply(self, reply: Reply, identifier: MessageId = None) -> Send:
        # Before the dialect is known, a refusal, a pong and the welcome are spelled alike in both.
        return Send((self.dialect or EVENT_STREAM).reply(reply, identifier))

    def _rejoin(self, before: dict[str, int]) -> Script:
        after = topics_of(self.channels)
        for topic in before:
            if topic not in after:
                yield Leave(topic)
        for topic, interval_ms in after.items():
            if before.get(topic) != interval_ms:
                yield Join(topic, interval_ms)
