"""The law of private events: whatever is lost, slow, broken or asked for meanwhile, every follower sees exactly the
events of its channels behind the offset where it began, once, in order, and none before the result of its own order.
"""

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from accounts.errors import Code, Refused
from engine.values import AccountId
from streaming import follower as followers
from streaming import private
from streaming.follower import subject_of
from streaming.frames import text_frame
from streaming.messages import Resume, Standing
from streaming.private import PrivateLogs
from tests.streaming.books import DEMO, LIVE, Book, about
from tests.streaming.nodes import FixedCatalogue
from tests.streaming.readers import Loop, Reader

NAMES = ["order:new", "order:cancel", "position:new", "position:split", "balance"]
KIND_OF = {"order": "orders", "position": "positions", "balance": "balances"}
IDS = [str(uuid.UUID(int=number)) for number in range(1, 4)]

accounts = st.sampled_from([DEMO, DEMO, LIVE])
kinds_asked = st.sets(st.sampled_from(sorted(KIND_OF.values())), min_size=1)


@dataclass
class Client:
    """A connection and what it has to see: account -> kind -> the offset behind which it is told all."""

    reader: Reader = field(default_factory=lambda: Reader(Loop()))
    holds: dict[str, dict[str, int]] = field(default_factory=lambda: {"live": {}, "demo": {}})
    followed: dict[AccountId, dict[str, int]] = field(default_factory=dict)
    asking: asyncio.Task[None] | None = None
    said: int = 0
    # (account, id, number of its events before) of trades in flight, and those of answered ones with their number
    trades: list[tuple[AccountId, str, int]] = field(default_factory=list)
    answers: list[tuple[AccountId, str, int, int]] = field(default_factory=list)

    def say(self, **fields):
        self.said += 1
        return {"n": self.said, **fields}


class Followers(RuleBasedStateMachine):
    """Some clients, two accounts, a log that may be slow or broken, and announcements that may be lost."""

    which = st.integers(0, 2)

    def __init__(self):
        super().__init__()
        # Small pages and bounds: everything that can come between two of them does.
        self._page, private.PAGE = private.PAGE, 2
        self._bound, followers.MAX_DEFERRED = followers.MAX_DEFERRED, 3
        self.loop = asyncio.new_event_loop()
        self.book = Book()
        self.logs = PrivateLogs(self.book, FixedCatalogue(), on_followed=self._noted)
        self.followed_here = set()
        self.clients = [Client() for _ in range(3)]

    def teardown(self):
        self.settle()
        for client in self.clients:
            self.logs.leave(client.reader.sink)
        assert not self.followed_here
        self.loop.run_until_complete(turns(3))
        self.loop.close()
        private.PAGE, followers.MAX_DEFERRED = self._page, self._bound

    def _noted(self, account, wanted):
        assert (account in self.followed_here) is not wanted
        (self.followed_here.add if wanted else self.followed_here.discard)(account)

    # ---- what happens

    @rule(account=accounts, names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
          about_=st.sampled_from(IDS), told=st.sampled_from(["all", "none", "the last", "twice"]))  # fmt: skip
    def commit(self, account, names, about_, told):
        data = {"position:split": f'{{"parent_id":"{about_}","first_position":{{}}}}'}
        events = self.book.commit(
            account, *[name if name == "balance" else (name, data.get(name, about(about_))) for name in names]
        )
        if told != "none":
            self._call(self.logs.committed, events[-1:] if told == "the last" else events)
        if told == "twice":
            self._call(self.logs.committed, events)

    @rule(which=which, account=accounts, kinds=kinds_asked, how=st.sampled_from(["", "resume", "snapshot", "both"]),
          back=st.integers(0, 6), epoch=st.sampled_from([True, True, False]))  # fmt: skip
    def subscribe(self, which, account, kinds, how, back, epoch):
        client = self.clients[which]
        if client.asking is not None or client.reader.sink.closed:
            return
        resume = None
        if how in ("resume", "both") and account not in client.followed:
            resume = Resume(self.book.epoch if epoch else "another", max(0, self.book.offset(account) - back))
        client.asking = self.loop.create_task(
            self._subscribe(client, account, kinds, resume, how in ("snapshot", "both"))
        )

    async def _subscribe(self, client, account, kinds, resume, snapshot):
        """Do what a consumer does for a subscribe: ask, answer, follow, in one go."""
        try:
            standings = await self.logs.open(client.reader.sink, client.holds, {account: resume}, snapshot=snapshot)
        except Refused:
            return
        finally:
            client.asking = None
        standing = standings[account]
        held = client.followed.get(account, {})
        start = resume.offset if standing.recovered else standing.offset
        now = held | {kind: start for kind in kinds if kind not in held}
        said = client.say(joined=account.environment, kinds=now, snapshot=snapshot or standing.recovered is False)
        client.reader.tell(said)
        client.followed[account] = now
        self.logs.follow(client.reader.sink, account, frozenset(now))
        assert standing == Standing(self.book.epoch, standing.offset, standing.recovered)

    @rule(which=which, account=accounts, kinds=kinds_asked)
    def unsubscribe(self, which, account, kinds):
        client = self.clients[which]
        if account in client.followed and client.asking is None:
            left = {kind: start for kind, start in client.followed[account].items() if kind not in kinds}
            if len(left) < len(client.followed[account]):
                client.followed[account] = left
                self._call(self.logs.follow, client.reader.sink, account, frozenset(left))
                client.reader.tell(client.say(joined=account.environment, kinds=left, snapshot=False))
            if not left:
                del client.followed[account]

    @rule(which=which, account=accounts, trade_id=st.sampled_from(IDS))
    def trade(self, which, account, trade_id):
        client = self.clients[which]
        holds = client.holds[account.environment]
        holds[trade_id] = holds.get(trade_id, 0) + 1
        client.trades.append((account, trade_id, self.book.offset(account)))

    @precondition(lambda self: any(client.trades for client in self.clients))
    @rule(which=which, trade=st.integers(0, 5))
    def answer(self, which, trade):
        if self.clients[which].trades:
            self._answer(self.clients[which], trade)

    def _answer(self, client, trade):
        account, trade_id, before = client.trades.pop(trade % len(client.trades))
        holds = client.holds[account.environment]
        holds[trade_id] -= 1
        if not holds[trade_id]:
            del holds[trade_id]
        said = client.say(result=trade_id)
        client.answers.append((account, trade_id, before, said["n"]))
        self._call(self.logs.answer, client.reader.sink, account, text_frame(text_of(said)))

    @rule(which=which)
    def cut(self, which):
        """Cut a connection: its client comes back as another one."""
        client = self.clients[which]
        if client.asking is None:
            self._call(self.logs.leave, client.reader.sink)
            self.clients[which] = Client()

    @rule(which=which)
    def block(self, which):
        self.clients[which].reader.block()

    @rule(which=which, room=st.sampled_from([1, 2, None]))
    def drain(self, which, room):
        self._call(self.clients[which].reader.drain, room)

    @rule(slow=st.booleans())
    def be_slow_or_not(self, slow):
        (self.book.hold_up if slow else self.book.go_on)()

    @precondition(lambda self: self.book.waiting)
    @rule(which=st.integers(0, 5))
    def let_go(self, which):
        self._call(self.book.let_go, which % len(self.book.waiting))

    @rule(error=st.sampled_from([RuntimeError(), Refused(Code.UNAVAILABLE)]))
    def fail(self, error):
        self.book.fail(error)

    @rule(count=st.integers(1, 4))
    def turn(self, count):
        self.loop.run_until_complete(turns(count))

    @rule()
    def poll(self):
        """Ask for the heads and act on them, as far as there is an answer now."""
        if not self.book.held_up:
            self.loop.run_until_complete(self._poll())

    async def _poll(self):
        with contextlib.suppress(RuntimeError, Refused):
            self.logs.read_up_to(await self.logs.heads())

    @rule()
    def settle(self):
        """Let everything answer and everybody read: then every client has seen all that it has to see."""
        self.book.go_on()
        self.book.failures.clear()
        for client in self.clients:
            while client.trades:
                self._answer(client, 0)
        for _ in range(3):
            while self.book.waiting:
                self._call(self.book.let_go)
                self.loop.run_until_complete(turns(3))
            for client in self.clients:
                self._call(client.reader.drain)
            self.loop.run_until_complete(self._poll())
            self.loop.run_until_complete(turns(60))
        for client in self.clients:
            assert not client.reader.closed_with
            for account, kinds in client.followed.items():
                self._has_seen_all(client, account, kinds)

    def _has_seen_all(self, client, account, kinds):
        for kind, start in kinds.items():
            due = [event.offset for event in self.book.logs[account][start:] if kind_of(event.name) == kind]
            seen = [m["offset"] for m in since_joined(client, account, kind) if kind_of(m["event"]) == kind]
            assert seen == due

    # ---- what is true at any time

    @invariant()
    def a_client_sees_only_what_it_asked_for_and_in_order(self):
        for client in self.clients:
            newest: dict[str, int] = {}
            kinds: dict[str, dict[str, int]] = {}
            snapshots: dict[str, bool] = {}
            for message in client.reader.messages:
                environment = message.get("joined") or environment_of(message)
                if "joined" in message:
                    if not kinds.get(environment):
                        newest[environment] = -1
                    kinds[environment] = message["kinds"]
                    snapshots[environment] = snapshots.get(environment) or message["snapshot"]
                elif is_snapshot(message):
                    assert snapshots.pop(environment)
                    assert message["offset"] >= newest[environment]
                    newest[environment] = message["offset"]
                elif "event" in message:
                    assert message["offset"] > newest[environment]
                    assert message["offset"] > kinds[environment][kind_of(message["event"])]
                    newest[environment] = message["offset"]

    @invariant()
    def every_event_is_the_committed_one_and_numbered(self):
        for client in self.clients:
            events = [message for message in client.reader.messages if "event" in message]
            assert [message["sequence"] for message in events] == list(range(1, len(events) + 1))
            for message in events:
                if not is_snapshot(message):
                    committed = self.book.logs[account_of(message)][message["offset"] - 1]
                    assert text_of(message["data"]) == committed.data.encode()

    @invariant()
    def no_event_of_an_order_comes_before_its_result(self):
        for client in self.clients:
            written = client.reader.messages
            for account, trade_id, before in client.trades:
                assert not list(events_of(written, account, trade_id, before))
            for account, trade_id, before, number in client.answers:
                assert not list(events_of(before_saying(written, number), account, trade_id, before))

    def _call(self, call, *arguments):
        """Call what expects a running loop."""

        async def run():
            call(*arguments)

        self.loop.run_until_complete(run())


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)


def text_of(fields):
    return json.dumps(fields, separators=(",", ":")).encode()


def is_snapshot(message):
    return message.get("event", "").startswith("snapshot")


def environment_of(message):
    return "demo" if "_demo" in message.get("event", "") else "live"


def account_of(message):
    return DEMO if environment_of(message) == "demo" else LIVE


def kind_of(name):
    return KIND_OF.get(name.partition(":")[0].removesuffix("_demo"))


def since_joined(client, account, kind):
    """Return what was written since the channel was last subscribed."""
    written, start, held = client.reader.messages, 0, False
    for at, message in enumerate(written):
        if message.get("joined") == account.environment:
            if kind in message["kinds"] and not held:
                start = at
            held = kind in message["kinds"]
    return [m for m in written[start:] if "event" in m and not is_snapshot(m) and account_of(m) == account]


def before_saying(written, number):
    """Return what was written before a control message, or all where that is still on its way."""
    for at, message in enumerate(written):
        if message.get("n") == number:
            return written[:at]
    return written


def events_of(written, account, trade_id, after):
    """Yield the events of an order or position that are newer than an offset."""
    for message in written:
        own = "event" in message and not is_snapshot(message) and account_of(message) == account
        if own and message["offset"] > after and subject_of(text_of(message["data"]).decode()) == trade_id:
            yield message


Followers.TestCase.settings = settings(max_examples=200, stateful_step_count=50)
TestFollowers = Followers.TestCase
