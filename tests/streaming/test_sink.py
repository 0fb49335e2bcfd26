"""One connection's way out: numbered as it is written, conflated while it is slow, bounded."""

from accounts.errors import SLOW_CONSUMER
from streaming import topics
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.frames import Batch, text_frame
from streaming.sink import MAX_HELD, MAX_QUEUED
from tests.streaming.nodes import FixedCatalogue, candle, quote
from tests.streaming.readers import Loop, Reader, serial_of

EUR = topics.quotes("EUR-USD")
CANDLES = topics.candles("EUR-USD", "1")


def deliver(reader, topic, *news):
    """Hand events to a sink as the hub does."""
    encoded = [reader.sink.dialect.encode(item, FixedCatalogue()) for item in news]
    reader.sink.deliver(topic, list(news), Batch(encoded))


def serials(reader):
    return [serial_of(message) for message in reader.messages]


def some_quotes(*serials, product="EUR-USD"):
    return [quote(serial, product=product, time_ms=serial) for serial in serials]


def test_the_events_of_a_turn_leave_in_one_write():
    for dialect in (TICK_STREAM, EVENT_STREAM):
        reader = Reader(Loop(), dialect)
        deliver(reader, EUR, *some_quotes(1, 2, 3))
        assert serials(reader) == [1, 2, 3]
        assert reader.pipe.writes == 1


def test_only_events_of_the_event_stream_are_numbered_and_from_one_on():
    reader = Reader(Loop())
    reader.tell({"type": "subscribed"})
    deliver(reader, EUR, *some_quotes(1, 2))
    reader.tell({"type": "pong"})
    deliver(reader, EUR, *some_quotes(3))
    assert [message.get("sequence") for message in reader.messages] == [None, 1, 2, None, 3]


def test_a_slow_reader_gets_the_newest_of_each_topic_without_a_gap_in_the_sequence():
    reader = Reader(Loop())
    deliver(reader, EUR, *some_quotes(1))
    reader.block()
    for serial in (2, 3, 4):
        deliver(reader, EUR, *some_quotes(serial))
        deliver(reader, topics.quotes("GBP-USD"), *some_quotes(serial, product="GBP-USD"))
    reader.drain()
    deliver(reader, EUR, *some_quotes(5))
    assert serials(reader) == [1, 4, 4, 5]
    assert [message["sequence"] for message in reader.messages] == [1, 2, 3, 4]
    assert reader.sink.conflated == 4


def test_closed_candles_are_never_replaced():
    reader = Reader(Loop())
    reader.block()
    for start_s in (0, 60, 120):
        deliver(
            reader, CANDLES, candle(start_s), candle(start_s, price="1.2"), candle(start_s, price="1.2", closed=True)
        )
    deliver(reader, CANDLES, candle(180))
    reader.drain()
    seen = [(int(message["data"]["t"]), message["data"]["closed"]) for message in reader.messages]
    assert seen == [(0, True), (60, True), (120, True), (180, False)]


def test_what_may_not_be_lost_comes_first_and_in_order():
    reader = Reader(Loop())
    reader.block()
    deliver(reader, EUR, *some_quotes(1))
    for number in range(MAX_QUEUED):
        reader.tell({"n": number})
    reader.drain()
    assert [message.get("n") for message in reader.messages] == [*range(MAX_QUEUED), None]
    assert reader.closed_with == []


def test_draining_stops_where_the_reader_is_full_again():
    reader = Reader(Loop())
    reader.block()
    for number in range(3):
        reader.tell({"n": number})
    deliver(reader, EUR, *some_quotes(1))
    for length in (2, 4):
        reader.drain(room=2)
        assert len(reader.messages) == length
        assert reader.pipe.blocked
    assert [message.get("n") for message in reader.messages] == [0, 1, 2, None]


def test_too_much_that_may_not_be_lost_ends_the_connection():
    reader = Reader(Loop())
    reader.block()
    for number in range(MAX_QUEUED):
        reader.tell({"n": number})
    assert reader.closed_with == []
    reader.tell({"n": "one too many"})
    assert reader.closed_with == [SLOW_CONSUMER]


def test_too_many_closed_candles_end_it_too():
    reader = Reader(Loop())
    reader.block()
    deliver(reader, CANDLES, *[candle(60 * number, closed=True) for number in range(MAX_HELD)])
    assert reader.closed_with == []
    deliver(reader, CANDLES, candle(60 * MAX_HELD, closed=True))
    assert reader.closed_with == [SLOW_CONSUMER]


def test_what_is_held_of_a_topic_that_was_left_is_dropped():
    reader = Reader(Loop())
    reader.block()
    deliver(reader, EUR, *some_quotes(1))
    deliver(reader, CANDLES, candle(0, closed=True), candle(60))
    reader.sink.forget(CANDLES)
    reader.drain()
    assert serials(reader) == [1]


def test_nothing_is_written_once_it_is_closed():
    reader = Reader(Loop())
    reader.block()
    reader.tell({"n": 1})
    deliver(reader, EUR, *some_quotes(1))
    reader.sink.closed = True
    reader.drain()
    reader.tell({"n": 2})
    deliver(reader, EUR, *some_quotes(2))
    assert reader.messages == []


def test_messages_that_may_not_be_lost_leave_in_one_write():
    reader = Reader(Loop())
    reader.sink.send(*[text_frame(b'{"n":%d}' % number) for number in range(3)])
    reader.sink.send()
    assert [message["n"] for message in reader.messages] == [0, 1, 2]
    assert reader.pipe.writes == 1


def test_who_waits_for_room_is_called_once_and_behind_all_that_waited_longer():
    reader, called = Reader(Loop()), []
    reader.block()
    reader.tell({"n": 1})
    deliver(reader, EUR, *some_quotes(1))

    def when_free():
        called.append(len(reader.messages))

    for _ in range(2):
        reader.sink.when_free(when_free)
    reader.drain(room=1)
    assert called == []
    reader.drain()
    assert called == [2]
    reader.drain()
    assert called == [2]


def test_who_waits_for_room_goes_on_waiting_when_another_has_taken_it():
    reader, called = Reader(Loop()), []

    def first():
        called.append("first")
        reader.tell({"n": 1})

    reader.block()
    reader.sink.when_free(first)
    reader.sink.when_free(lambda: called.append("second"))
    reader.drain(room=1)
    assert called == ["first"]
    reader.drain()
    assert called == ["first", "second"]
