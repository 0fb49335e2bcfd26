"""The hub: whom an event reaches, in which order, how often, and what may be left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming import topics
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.dialects.event_stream import EventStream
from streaming.hub import CHUNK, MAX_PENDING, PAUSE_S
from streaming.messages import Heartbeat
from tests.streaming.nodes import candle, quote
from tests.streaming.readers import Loop, Reader, make_hub, serial_of

EUR = topics.quotes("EUR-USD")
GBP = topics.quotes("GBP-USD")
CANDLES = topics.candles("EUR-USD", "1")


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def hub(loop):
    return make_hub(loop)


def joined(hub, loop, topic=EUR, interval_ms=0, dialect=EVENT_STREAM):
    reader = Reader(loop, dialect)
    hub.join(reader.sink, topic, interval_ms)
    return reader


def publish(hub, *serials):
    for serial in serials:
        hub.publish(EUR, quote(serial, time_ms=serial))


def serials(reader):
    return [serial_of(message) for message in reader.messages]


# ---- who gets what


def test_everybody_who_joined_gets_it_and_nobody_else(hub, loop):
    first, second = joined(hub, loop), joined(hub, loop, dialect=TICK_STREAM)
    other = joined(hub, loop, topics.quotes("GBP-USD"))
    publish(hub, 1)
    loop.run()
    assert (serials(first), serials(second), serials(other)) == ([1], [1], [])


def test_the_events_of_one_turn_leave_in_one_write(hub, loop):
    reader = joined(hub, loop)
    publish(hub, 1, 2, 3)
    loop.run()
    assert serials(reader) == [1, 2, 3]
    assert reader.pipe.writes == 1


def test_the_events_of_several_topics_in_one_turn_leave_in_one_write_too(hub, loop):
    both, one = joined(hub, loop), joined(hub, loop)
    slow = joined(hub, loop)
    for reader in (both, slow):
        hub.join(reader.sink, GBP)
    slow.block()
    hub.publish(GBP, quote(1, product="GBP-USD", time_ms=1))
    publish(hub, 2, 3)
    loop.run()
    assert (serials(both), both.pipe.writes) == ([1, 2, 3], 1)
    assert [message["sequence"] for message in both.messages] == [1, 2, 3]
    assert (serials(one), one.pipe.writes) == ([2, 3], 1)
    assert hub.delivered == 3 + 2 + 3
    slow.drain()
    assert serials(slow) == [1, 3]


def test_who_leaves_a_topic_while_several_are_on_their_way_gets_the_others(hub, loop):
    readers = [joined(hub, loop) for _ in range(CHUNK + 1)]
    for reader in readers:
        hub.join(reader.sink, GBP)
    publish(hub, 1)
    hub.publish(GBP, quote(2, product="GBP-USD", time_ms=2))
    loop.turn()
    last = next(reader for reader in readers if not reader.messages)
    hub.leave(last.sink, EUR)
    loop.run()
    assert serials(last) == [2]


@given(st.data())
def test_every_reader_gets_its_topics_in_order_whatever_is_put_together(data):
    names = ["EUR-USD", "GBP-USD", "USD-JPY"]
    subsets = st.lists(st.sampled_from(names), unique=True)
    loop = Loop()
    hub = make_hub(loop)
    wishes = data.draw(st.lists(st.tuples(subsets, st.sampled_from([EVENT_STREAM, TICK_STREAM])), max_size=8))
    readers = [(Reader(loop, dialect), wanted) for wanted, dialect in wishes]
    for reader, wanted in readers:
        for name in wanted:
            hub.join(reader.sink, topics.quotes(name))
    published: list[tuple[str, int]] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("streaming.hub.MERGED", data.draw(st.integers(0, 12)))
        for turn in data.draw(st.lists(st.lists(st.sampled_from(names), max_size=6), max_size=4)):
            for name in turn:
                published.append((name, len(published) + 1))
                hub.publish(topics.quotes(name), quote(len(published), product=name, time_ms=len(published)))
            loop.run()
    for reader, wanted in readers:
        got = [(message.get("symbol") or message["data"][0], serial_of(message)) for message in reader.messages]
        for name in wanted:
            own = [serial for product, serial in got if product in (name, name.replace("-", ""))]
            assert own == [serial for product, serial in published if product == name]
        assert len(got) == sum(product in wanted for product, _ in published)
        if reader.sink.dialect is EVENT_STREAM:
            assert [message["sequence"] for message in reader.messages] == list(range(1, len(got) + 1))


class CountingDialect(EventStream):
    """The event stream, counting how often it encodes."""

    encoded = 0

    def encode(self, news, catalogue):
        self.encoded += 1
        return super().encode(news, catalogue)


def test_an_event_is_encoded_once_for_all_readers_of_a_dialect(hub, loop):
    dialect = CountingDialect()
    readers = [joined(hub, loop, dialect=dialect) for _ in range(3 * CHUNK)]
    publish(hub, 1)
    loop.run()
    assert {tuple(serials(reader)) for reader in readers} == {(1,)}
    assert dialect.encoded == 1
    assert hub.delivered == 3 * CHUNK


def test_the_loop_turns_between_two_chunks_of_readers(hub, loop):
    readers = [joined(hub, loop) for _ in range(2 * CHUNK + 1)]
    publish(hub, 1)
    for reached in (CHUNK, 2 * CHUNK, 2 * CHUNK + 1):
        loop.turn()
        assert sum(bool(reader.messages) for reader in readers) == reached


def test_an_event_after_a_pause_does_not_wait_for_the_end_of_its_turn(hub, loop):
    """What its source does behind it (triggers, candles, other processes) would delay the first as well as the last."""
    readers = [joined(hub, loop) for _ in range(CHUNK + 1)]
    loop.wait(PAUSE_S)
    publish(hub, 1)
    assert sum(serials(reader) == [1] for reader in readers) == CHUNK
    publish(hub, 2, 3)
    assert sum(reader.pipe.writes for reader in readers) == CHUNK
    loop.run()
    assert {(tuple(serials(reader)), reader.pipe.writes) for reader in readers} == {((1, 2, 3), 2)}


def test_what_comes_without_a_pause_is_gathered_by_turns(hub, loop):
    reader = joined(hub, loop)
    loop.wait(1)
    publish(hub, 1)
    loop.wait(PAUSE_S / 2)
    publish(hub, 2, 3)
    assert serials(reader) == [1]
    loop.run()
    assert (serials(reader), reader.pipe.writes) == ([1, 2, 3], 2)


def test_nobody_is_always_last(hub, loop):
    readers = [joined(hub, loop) for _ in range(2 * CHUNK)]
    first_served = []
    for serial in (1, 2):
        publish(hub, serial)
        loop.turn()
        first_served.append({number for number, reader in enumerate(readers) if serials(reader)[-1:] == [serial]})
        loop.run()
    assert first_served[0].isdisjoint(first_served[1])


def test_who_has_left_gets_nothing_that_was_on_its_way(hub, loop):
    readers = [joined(hub, loop) for _ in range(CHUNK + 1)]
    publish(hub, 1)
    loop.turn()
    late = next(reader for reader in readers if not reader.messages)
    hub.leave(late.sink, EUR)
    loop.run()
    assert late.messages == []


def test_who_joins_gets_nothing_that_was_published_before(hub, loop):
    early = joined(hub, loop)
    publish(hub, 1)
    late = joined(hub, loop)
    publish(hub, 2)
    loop.run()
    assert (serials(early), serials(late)) == ([1, 2], [2])


def test_who_has_left_and_come_back_gets_nothing_of_the_time_before(hub, loop):
    """What is on its way is older than the last known event, with which the second subscription begins."""
    readers = [joined(hub, loop) for _ in range(CHUNK + 1)]
    publish(hub, 1)
    loop.turn()
    late = next(reader for reader in readers if not reader.messages)
    hub.leave(late.sink, EUR)
    publish(hub, 2)
    hub.join(late.sink, EUR)
    hub.emit(late.sink, quote(2, time_ms=2))
    loop.run()
    assert serials(late) == [2]


def test_a_topics_first_and_last_reader_are_told():
    loop, told = Loop(), []
    hub = make_hub(loop, lambda topic, wanted: told.append((topic, wanted)))
    first, second = joined(hub, loop), joined(hub, loop, interval_ms=250)
    hub.leave(first.sink, EUR)
    assert told == [(EUR, True)]
    hub.leave(second.sink, EUR)
    hub.leave(second.sink, EUR)
    assert told == [(EUR, True), (EUR, False)]
    assert not hub.rooms


def test_publishing_to_nobody_costs_nothing(hub, loop):
    publish(hub, 1)
    loop.run()
    assert hub.delivered == 0


def test_a_process_that_is_overrun_keeps_the_newest_and_every_closed_candle(hub, loop):
    reader = joined(hub, loop, CANDLES)
    hub.publish(CANDLES, candle(0, closed=True))
    for _ in range(MAX_PENDING):
        hub.publish(CANDLES, candle(60))
    hub.publish(CANDLES, candle(60, price="1.9"))
    loop.run()
    assert hub.overrun == MAX_PENDING
    seen = [(message["data"]["closed"], message["data"]["m"][3]) for message in reader.messages]
    assert seen == [(True, "1.12442"), (False, "1.12442"), (False, "1.9")]


def test_a_slow_reader_keeps_the_newest_heartbeat_and_the_newest_last_known(hub, loop):
    reader = joined(hub, loop)
    reader.block()
    for number in (1, 2):
        hub.emit(reader.sink, Heartbeat(number))
        hub.emit(reader.sink, quote(number, time_ms=number))
    publish(hub, 3)
    loop.run()
    reader.drain()
    heartbeat, last = reader.messages
    assert heartbeat == {"event": "heartbeat", "sequence": 1, "data": {"time": 2}}
    assert (serial_of(last), last["sequence"]) == (3, 2)


# ---- conflation


def test_an_interval_gives_the_newest_once_per_time_and_always_the_last(hub, loop):
    reader = joined(hub, loop, interval_ms=250)
    loop.wait(1)
    for serial in range(1, 11):
        publish(hub, serial)
        loop.wait(0.08)
    loop.wait(0.3)
    times = [at_s for at_s, _ in reader.pipe.written]
    assert serials(reader) == [1, 4, 7, 10]
    assert times == pytest.approx([1, 1.25, 1.5, 1.75])


def test_a_value_after_a_pause_comes_at_once(hub, loop):
    reader = joined(hub, loop, interval_ms=1000)
    loop.wait(5)
    publish(hub, 1)
    loop.wait(0)
    assert serials(reader) == [1]


def test_who_joins_a_running_interval_is_not_served_twice_within_it(hub, loop):
    early = joined(hub, loop, interval_ms=1000)
    loop.wait(2)
    publish(hub, 1)
    loop.wait(0.5)
    late = joined(hub, loop, interval_ms=1000)
    hub.emit(late.sink, quote(1, time_ms=1))
    publish(hub, 2)
    loop.wait(3)
    assert serials(early) == [1, 2]
    assert serials(late) == [1, 2]
    first_s, second_s = (at_s for at_s, _ in late.pipe.written)
    assert second_s - first_s >= 1
