"""The hub's law, under any interleaving of joining, publishing, conflating, blocking and draining."""

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.board import Board
from streaming import hub as hubs
from streaming import topics
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from tests.streaming.nodes import candle, quote
from tests.streaming.readers import Loop, Reader, make_hub, serial_of

EUR = topics.quotes("EUR-USD")
CANDLES = topics.candles("EUR-USD", "1")


class Hubs(RuleBasedStateMachine):
    """Readers of both dialects on one hub, some slow, some conflated; a model says what each must have seen."""

    readers_of = (EVENT_STREAM, EVENT_STREAM, TICK_STREAM)
    which = st.integers(0, len(readers_of) - 1)
    products = st.sampled_from(["EUR-USD", "GBP-USD"])

    def __init__(self):
        super().__init__()
        # One reader per turn: everything that can come between two readers of one event does.
        self._chunk, hubs.CHUNK = hubs.CHUNK, 1
        self.loop, self.board = Loop(), Board()
        self.hub = make_hub(self.loop)
        self.readers = [Reader(self.loop, dialect) for dialect in self.readers_of]
        self.told = [0] * len(self.readers)
        # (reader, topic) -> its interval, what it must see since it joined, and whether it kept up all the time
        self.memberships = {}
        self.serial = self.minute = 0

    def teardown(self):
        self.settle()
        hubs.CHUNK = self._chunk

    # ---- what happens

    @rule(which=which, product=products, interval_ms=st.sampled_from([0, 0, 100, 250]))
    def join_quotes(self, which, product, interval_ms):
        self._join(which, topics.quotes(product), interval_ms, self.board.quotes.get(product))

    @rule(which=st.integers(0, 1))
    def join_candles(self, which):
        self._join(which, CANDLES, 0, self.board.open_candles.get(("EUR-USD", "1")))

    @rule(which=which, topic=st.sampled_from([EUR, topics.quotes("GBP-USD"), CANDLES]))
    def leave(self, which, topic):
        self.hub.leave(self.readers[which].sink, topic)
        self.memberships.pop((which, topic), None)
        self._tell(which, left=topic)

    @rule(product=products)
    def publish_quote(self, product):
        self.serial += 1
        self._publish(quote(self.serial, product=product, time_ms=self.serial))

    @rule(closed=st.booleans())
    def publish_candle(self, closed):
        self.serial += 1
        self._publish(candle(self.minute * 60, closed=closed, price=f"1.{self.serial:05d}"))
        self.minute += closed

    @rule(which=which)
    def reply(self, which):
        self._tell(which)

    @rule()
    def turn(self):
        self.loop.turn()

    @rule(milliseconds=st.sampled_from([50, 100, 260]))
    def wait(self, milliseconds):
        self.loop.wait(milliseconds / 1000)

    @rule(which=which)
    def block(self, which):
        self.readers[which].block()
        self._fall_behind(which)

    @rule(which=which, room=st.sampled_from([1, 2, None]))
    def drain(self, which, room):
        if room is not None:
            self._fall_behind(which)
        self.readers[which].drain(room)

    @precondition(lambda self: self.memberships)
    @rule()
    def settle(self):
        """Let everybody read on and everything arrive: then the newest has been seen, and all by who kept up."""
        for reader in self.readers:
            reader.drain()
        self.loop.wait(1)
        for (which, topic), membership in self.memberships.items():
            seen, due = self._since_joined(which, topic), membership["due"]
            assert seen[-1:] == due[-1:]
            if membership["kept_up"] and not membership["interval_ms"]:
                assert seen == due
            assert [item for item in seen if item[1]] == [item for item in due if item[1]], "a closed candle is lost"

    # ---- what is true at any time

    @invariant()
    def the_sequence_starts_at_one_and_has_no_gap(self):
        for reader in self.readers:
            numbers = [message["sequence"] for message in reader.messages if "sequence" in message]
            assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def no_control_message_is_lost_or_overtaken(self):
        for reader, told in zip(self.readers, self.told, strict=True):
            numbers = [message["n"] for message in reader.messages if "n" in message]
            assert numbers == list(range(len(numbers)))
            assert reader.pipe.blocked or len(numbers) == told

    @invariant()
    def nothing_older_follows_and_nothing_follows_a_leave(self):
        for reader in self.readers:
            newest: dict[str, tuple[int, bool]] = {}
            left = {EUR, topics.quotes("GBP-USD"), CANDLES}
            for message in reader.messages:
                if "n" in message:
                    left |= {message.get("left")}
                    left -= {message.get("joined")}
                else:
                    topic, item = read(message)
                    assert topic not in left
                    assert item >= newest.get(topic, item)
                    newest[topic] = item

    @invariant()
    def an_interval_holds_one_event_at_most(self):
        for (which, topic), membership in self.memberships.items():
            if membership["kept_up"] and membership["interval_ms"]:
                times = [
                    at_s for at_s, message in self._written_since_joined(which, topic) if read(message)[0] == topic
                ]
                gaps = [later - earlier for earlier, later in pairwise(times)]
                assert all(gap > membership["interval_ms"] / 1000 - 1e-9 for gap in gaps)

    # ---- the model

    def _join(self, which, topic, interval_ms, last_known):
        """Join as a session does: the answer, then the last known; the same interval again is no join at all."""
        known = self.memberships.get((which, topic))
        if known is not None and known["interval_ms"] == interval_ms:
            return
        reader = self.readers[which]
        self.hub.join(reader.sink, topic, interval_ms)
        self._tell(which, joined=topic)
        due = []
        if last_known is not None:
            self.hub.emit(reader.sink, last_known)
            due = [as_seen(last_known)]
        self.memberships[which, topic] = {
            "interval_ms": interval_ms, "due": due, "kept_up": not reader.pipe.blocked and reader.pipe.room is None,
        }  # fmt: skip

    def _publish(self, news):
        assert self.board.apply(news)
        topic = topics.topic_of(news)
        self.hub.publish(topic, news)
        for (_, joined_topic), membership in self.memberships.items():
            if joined_topic == topic:
                membership["due"].append(as_seen(news))

    def _tell(self, which, **fields):
        self.readers[which].tell({"n": self.told[which], **fields})
        self.told[which] += 1

    def _fall_behind(self, which):
        for (member, _), membership in self.memberships.items():
            if member == which:
                membership["kept_up"] = False

    def _written_since_joined(self, which, topic):
        written = self.readers[which].pipe.written
        starts = [at for at, (_, message) in enumerate(written) if message.get("joined") == topic]
        return [item for item in written[starts[-1] :] if "n" not in item[1]] if starts else []

    def _since_joined(self, which, topic):
        seen = (read(message) for _, message in self._written_since_joined(which, topic))
        return [item for name, item in seen if name == topic]


def as_seen(news):
    """Return an event as `read` finds it in a message: what grows, and whether it may not be lost."""
    return (news.start_s, news.closed) if hasattr(news, "start_s") else (news.serial, False)


def read(message):
    """Return a message's topic, and (what grows from event to event, whether it is a closed candle)."""
    if message.get("event") == "candle":
        return CANDLES, (int(message["data"]["t"]), message["data"]["closed"])
    product = message["symbol"][:3] + "-USD" if "symbol" in message else message["data"][0]
    return topics.quotes(product), (serial_of(message), False)


Hubs.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestHubs = Hubs.TestCase
