"""The session's law: what it says, what it holds and what it has joined are the same, whatever was asked before."""

import re

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from accounts.errors import Code, Refused
from engine.values import AccountId
from streaming import topics
from streaming.messages import INTERVALS_MS
from tests.streaming.nodes import PRODUCTS
from tests.streaming.sessions import EVENTS, Client, auth, identity, subscribe, symbols, tick_client

SYMBOLS = [product.symbol for product in PRODUCTS.values()]
NAMES = [
    *(f"trading:quotes:{name}" for name in PRODUCTS),
    *(f"trading:candles:{name}:{resolution}" for name in ("EUR-USD", "BTC-USD") for resolution in ("1", "1D")),
    "trading:orders",
    "trading:positions",
    "trading:positions_demo",
    "trading:balances_demo",
    "heartbeat",
]
BAD_NAMES = ["trading:quotes:NOSUCH", "trading:candles:EUR-USD:2", "trading:quotes:EUR-USD@7ms", "nosuch"]
intervals = st.sampled_from([0, *INTERVALS_MS])


class Session(RuleBasedStateMachine):
    """What a dialect's machine has in common: a client, and the model `active`, name -> interval."""

    client: Client

    def __init__(self):
        super().__init__()
        self.active = {}

    def refused(self, message):
        before = self._held()
        (answer,) = self.client.say(message)
        assert answer["type"] == "error"
        assert before == self._held()

    def _held(self):
        client = self.client
        return dict(client.session.channels), dict(client.joined), dict(client.followed), client.session.deadline_s

    @invariant()
    def the_joined_topics_are_those_of_the_channels(self):
        expected: dict[str, int] = {}
        for name, interval_ms in self.active.items():
            expected |= self.topics_of(name, interval_ms)
        assert self.client.joined == expected

    def topics_of(self, name, interval_ms):
        raise NotImplementedError


class TickSession(Session):
    def __init__(self):
        super().__init__()
        self.client = tick_client()

    @rule(names=st.lists(st.sampled_from(SYMBOLS), max_size=4), interval_ms=intervals)
    def subscribe(self, names, interval_ms):
        answer = self.client.say(symbols(*names, interval=interval_ms))[0]
        self.active |= dict.fromkeys(names, interval_ms)
        assert answer["symbols"] == list(dict.fromkeys(names))
        assert answer["totalSubscriptions"] == len(self.active)

    @rule(names=st.none() | st.lists(st.sampled_from(SYMBOLS), max_size=3))
    def unsubscribe(self, names):
        answer = self.client.ask({"type": "unsubscribe", **({} if names is None else {"symbols": names})})
        left = list(self.active) if names is None else list(dict.fromkeys(names))
        for name in left:
            self.active.pop(name, None)
        assert answer["symbols"] == left
        assert answer["totalSubscriptions"] == len(self.active)

    @rule(
        kind=st.sampled_from(["subscribe", "unsubscribe"]),
        names=st.lists(st.sampled_from(SYMBOLS), max_size=2),
        bad=st.sampled_from([{"symbols": ["NOSUCH"]}, {"symbols": [5]}, {"interval": "x"}, {"symbol": None}]),
    )
    def refuse(self, kind, names, bad):
        self.refused({"type": kind, **bad, "symbols": names + bad.get("symbols", [])})

    @invariant()
    def the_list_is_what_there_is(self):
        answer = self.client.ask({"type": "list"})
        assert answer["symbols"] == list(self.active)
        assert answer["totalSubscriptions"] == len(self.active)

    def topics_of(self, name, interval_ms):
        product = f"{name[:3]}-{name[3:]}"
        return {topics.quotes(product): interval_ms, topics.status(product): 0}


class EventSession(Session):
    def __init__(self):
        super().__init__()
        self.client = Client(EVENTS, known={"k1": identity(environments=["demo", "live"])})
        self.client.say(subscribe(auth=auth()))
        self.client.spent = self.accepted = 0

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=4), interval_ms=intervals)
    def subscribe(self, names, interval_ms):
        asked = {name: interval_ms if "quotes" in name else 0 for name in names}
        answer = self.client.say(subscribe(*(spelled(*item) for item in asked.items())))[0]
        self.active |= asked
        assert list(answer.pop("accounts", {})) == [
            environment for environment in ("live", "demo") if any(kind_of(name)[0] == environment for name in asked)
        ]
        self._accepted("subscribed", answer)

    @rule(names=st.none() | st.lists(st.sampled_from(NAMES), max_size=3), interval_ms=intervals)
    def unsubscribe(self, names, interval_ms):
        channels = None if names is None else [spelled(name, interval_ms if "quotes" in name else 0) for name in names]
        answer = self.client.ask({"type": "unsubscribe", **({} if channels is None else {"channels": channels})})
        for name in list(self.active) if names is None else names:
            self.active.pop(name, None)
        self._accepted("unsubscribed", answer)

    @rule(
        kind=st.sampled_from(["subscribe", "unsubscribe"]),
        names=st.lists(st.sampled_from(NAMES), max_size=2),
        bad=st.sampled_from(BAD_NAMES),
    )
    def refuse(self, kind, names, bad):
        self.refused({"type": kind, "channels": [*names, bad]})

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=2))
    def have_no_answer(self, names):
        self.client.standing = Refused(Code.UNAVAILABLE)
        self.refused(subscribe(*names, "trading:orders"))
        self.client.standing = None

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=2))
    def be_limited(self, names):
        self.client.limited = True
        self.refused(subscribe(*names))
        self.client.limited = False

    @invariant()
    def only_what_was_accepted_was_paid_for(self):
        assert self.client.spent == self.accepted

    @invariant()
    def the_logs_followed_are_those_of_the_private_channels(self):
        expected: dict[AccountId, frozenset[str]] = {}
        for name in self.active:
            environment, kind = kind_of(name)
            if environment:
                account = AccountId(environment, 7)
                expected[account] = expected.get(account, frozenset()) | {kind}
        assert self.client.followed == expected

    def _accepted(self, kind, answer):
        self.accepted += 1
        assert answer == {"type": kind, "channels": [spelled(*item) for item in self.active.items()]}
        assert len(self.client.session.channels) == len(self.active)

    def topics_of(self, name, interval_ms):
        match name.split(":"):
            case ["trading", "quotes", product]:
                return {topics.quotes(product): interval_ms, topics.status(product): 0}
            case ["trading", "candles", product, resolution]:
                return {topics.candles(product, resolution): 0, topics.status(product): 0}
            case _:
                return {}


def kind_of(name):
    """Return a private channel's environment and kind; two empty texts for a public one."""
    private = re.fullmatch(r"trading:(orders|positions|balances)(_demo)?", name)
    return ("demo" if private[2] else "live", private[1]) if private else ("", "")


def spelled(name, interval_ms):
    return f"{name}@{interval_ms}ms" if interval_ms else name


for machine in (TickSession, EventSession):
    machine.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestTickSession = TickSession.TestCase
TestEventSession = EventSession.TestCase
