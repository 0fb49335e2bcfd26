"""A client and its session without a socket: effects are performed on a record, questions answered from a table."""

import json
import math
from dataclasses import dataclass, field

from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.values import AccountId
from streaming import effects
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.messages import Result, Standing
from streaming.session import Endpoint, Session
from tests.streaming.books import EPOCH
from tests.streaming.nodes import FixedCatalogue

NOW_MS = 1_709_742_000_000
AUTH_WINDOW_S = 30

BOTH = Endpoint(None, greets=True)
TICKS = Endpoint(TICK_STREAM, greets=True)
EVENTS = Endpoint(EVENT_STREAM, greets=False)
PAGE = Endpoint(EVENT_STREAM, greets=False, browser=True)


def identity(*scopes, key_id="k1", session="", environments=("live", "demo"), expires_ms=None, user_id=7):
    """Return who holds these scopes; without any: the default ones of a key."""
    return Identity(
        user_id,
        "ann",
        frozenset(scopes or ("market", "read")),
        frozenset(environments),
        key_id="" if session else key_id,
        session=session,
        expires_ms=expires_ms,
    )


@dataclass
class Client:
    """One connection. `known`: secret or key id -> whom it proves, or the refusal that it meets."""

    endpoint: Endpoint
    who: Identity | None = None
    known: dict[str, Identity | Refused] = field(default_factory=dict)
    catalogue: FixedCatalogue = field(default_factory=FixedCatalogue)

    def __post_init__(self):
        self.offset = 840  # of all accounts
        self.standing = None  # what `OpenLogs` is answered with: a standing, a refusal, else all that is asked for
        self.result = ""  # what trades are answered with, at once
        self.watched: tuple[AccountId, ...] = ()
        self.followed: dict[AccountId, frozenset[str]] = {}  # account -> kinds
        self.cancels = self.trades_full = False
        self.now_s = 1_000.0
        self.wall_ms = NOW_MS
        self.session = Session(
            self.endpoint,
            catalogue=self.catalogue,
            auth_window_s=AUTH_WINDOW_S,
            now_s=self.now_s,
            wall_ms=lambda: self.wall_ms,
            offsets=lambda: {account.environment: self.offset for account in self.watched},
            identity=self.who,
        )
        self.effects = []
        self.sent = []  # control messages as they are sent
        self.joined = {}  # topic -> interval
        self.heard = []  # control messages, as objects, and events, as news
        self.closed = None
        self.limited = False
        self.spent = 0  # subscribes of the address's budget
        self.refused_ticks = []

    # ---- what a client does

    def open(self):
        return self._heard_of(self.session.opened())

    def say(self, message):
        """Send a message and return all that is written because of it."""
        text = message if isinstance(message, str) else json.dumps(message)
        return self._heard_of(self.session.received(text, self.now_s))

    def ask(self, message):
        """Send a message and return its one answer."""
        (answer,) = self.say(message)
        return answer

    def wait(self, seconds):
        """Let time pass on both clocks, waking the session when it wants to; return what is written meanwhile."""
        heard, end_s = [], self.now_s + seconds
        while not self.closed and self.session.deadline_s is not None and self.session.deadline_s <= end_s:
            self._sleep(max(0.0, self.session.deadline_s - self.now_s))
            heard += self._heard_of(self.session.due(self.now_s))
        self._sleep(end_s - self.now_s)
        return heard

    # ---- what its server does

    def _sleep(self, seconds):
        self.now_s += seconds
        # Rounded up, as a timer fires late and never early.
        self.wall_ms += math.ceil(seconds * 1000)

    def _heard_of(self, script):
        before = len(self.heard)
        answer = refused = None
        while not self.closed:
            try:
                effect = script.throw(refused) if refused else script.send(answer)
            except StopIteration:
                break
            answer = refused = None
            self.effects.append(effect)
            try:
                answer = self._perform(effect)
            except Refused as error:
                refused = error
        script.close()
        return self.heard[before:]

    def _perform(self, effect):
        match effect:
            case effects.Send(payload):
                self.sent.append(payload)
                self.heard.append(json.loads(payload))
            case effects.Emit(news):
                self.heard.append(news)
            case effects.Join(topic, interval_ms):
                assert self.joined.get(topic) != interval_ms, "joined as it is already"
                self.joined[topic] = interval_ms
            case effects.Leave(topic):
                del self.joined[topic]
            case effects.Shut(close):
                self.closed = close
            case effects.VerifyToken(token):
                return self._identity_of(token, Code.INVALID_KEY)
            case effects.VerifySignature(signature):
                return self._identity_of(signature.key_id, Code.INVALID_SIGNATURE)
            case effects.TakeSubscribe():
                if self.limited:
                    raise Refused(Code.RATE_LIMITED, retry_after_ms=4_000)
                self.spent += 1
            case effects.GiveBackSubscribe():
                self.spent -= 1
            case effects.SubmitTicks():
                return self.refused_ticks
            case effects.OpenLogs(wishes):
                if isinstance(self.standing, Refused):
                    raise self.standing
                return {account: self.standing or self._standing(resume) for account, resume in wishes.items()}
            case effects.Follow(account, kinds):
                self.followed[account] = kinds
                if not kinds:
                    del self.followed[account]
            case effects.Watch(accounts):
                assert not self.watched, "watched already"
                self.watched = accounts
            case effects.CancelOnDisconnect(_, wanted):
                self.cancels = wanted
            case effects.StartTrade(_, _, message_id):
                if self.trades_full:
                    raise Refused(Code.RATE_LIMITED, retry_after_ms=100)
                if self.result:
                    self._perform(effects.Send(EVENT_STREAM.reply(Result(self.result), message_id)))
        return None

    def _standing(self, resume):
        return Standing(EPOCH, self.offset, None if resume is None else True)

    def _identity_of(self, name, unknown):
        found = self.known.get(name, Refused(unknown))
        if isinstance(found, Refused):
            raise found
        return found

    # ---- what a test asks of it

    def performed(self, kind):
        return [effect for effect in self.effects if isinstance(effect, kind)]


def tick_client(*scopes, **options):
    """Return a client of the tick stream that has authenticated."""
    client = Client(TICKS, known={"secret": identity(*scopes, **options)})
    assert client.ask({"type": "auth", "apiKey": "secret"})["type"] == "auth"
    return client


def auth(key="k1", sig="s1", timestamp=NOW_MS):
    return {"key": key, "sig": sig, "timestamp": timestamp}


def event_client(*channels, **options):
    """Return a client of the event stream, subscribed to these channels; with options, as whom it is authenticated."""
    client = Client(EVENTS, known={"k1": identity(**options)})
    if channels:
        reply = client.say({"type": "subscribe", "channels": list(channels), **({"auth": auth()} if options else {})})
        assert reply[0]["type"] == "subscribed"
    return client


def subscribe(*channels, **fields):
    """Return the event stream's message."""
    return {"type": "subscribe", "channels": list(channels), **fields}


def symbols(*names, **fields):
    """Return the tick stream's subscribe message."""
    return {"type": "subscribe", "symbols": list(names), **fields}


def replies(heard):
    """Return the control messages of what was heard, without the events."""
    return [message for message in heard if isinstance(message, dict)]
