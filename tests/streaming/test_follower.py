"""One connection's place in a log: what it passes on, what it holds back, and where it stops."""

import pytest

from engine.events import WIRE_NAMES
from streaming.follower import MAX_DEFERRED, Follower, Item, subject_of
from streaming.messages import PrivateEvent, Snapshot
from tests.engine import documents
from tests.engine.documents import line
from tests.streaming.books import DEMO, ORDER, Book, about, snapshot_data
from tests.streaming.nodes import FixedCatalogue
from tests.streaming.readers import Loop, Reader

OTHER = "0c9c7a0e-7d7c-4a39-8a4f-5d5d3d6f3c11"
ALL = ("orders", "positions", "balances")


class Place:
    """A follower with its reader, its log, and what its connection waits for."""

    def __init__(self, *kinds, start=0):
        self.book = Book()
        self.reader = Reader(Loop())
        self.holds: dict[str, int] = {}
        self.follower = Follower(self.reader.sink, DEMO, self.holds)
        self.follower.plan(start, None)
        self.follower.begin(kinds or ALL)

    def commit(self, *events):
        return [Item(event, FixedCatalogue()) for event in self.book.commit(DEMO, *events)]

    def take(self, *events):
        return self.follower.take(self.commit(*events))

    def release(self, *ids):
        for trade_id in ids:
            del self.holds[trade_id]
        self.reader.sink.send(*self.follower.released())

    @property
    def seen(self):
        return [(message["event"], message["offset"]) for message in self.reader.messages]


def snapshot(offset):
    return Item(Snapshot("demo", offset, snapshot_data(offset)), FixedCatalogue())


def order(name, trade_id=ORDER):
    return name, about(trade_id)


def test_events_of_the_kinds_wanted_are_written_and_the_others_passed_over():
    place = Place("orders", "balances")
    assert place.take("order:new", "position:new", "balance", "position:close")
    assert place.seen == [("order_demo:new", 1), ("balance_demo", 3)]
    assert (place.follower.cursor, place.follower.position) == (4, 4)


def test_what_is_taken_together_leaves_in_one_write():
    place = Place()
    place.take("order:new", "order:activate", "position:new", "balance")
    assert place.reader.pipe.writes == 1
    assert len(place.reader.messages) == 4


def test_what_was_taken_already_is_not_written_again():
    place = Place()
    items = place.commit("order:new", "order:cancel", "balance")
    for taken in (items[:2], items[1:], items):
        assert place.follower.take(taken)
    assert [offset for _, offset in place.seen] == [1, 2, 3]


def test_it_stops_before_a_gap():
    place = Place()
    items = place.commit("order:new", "order:cancel", "balance", "balance")
    assert not place.follower.take([items[0], items[2]])
    assert not place.follower.take(items[3:])
    assert place.follower.cursor == 1
    assert place.follower.take(items[1:])
    assert [offset for _, offset in place.seen] == [1, 2, 3, 4]


def test_a_kind_that_is_added_later_begins_where_it_was_planned():
    place = Place("orders")
    place.follower.plan(3, None)
    place.follower.begin(("orders", "balances"))
    place.take("balance", "order:new", "balance", "balance")
    assert place.seen == [("order_demo:new", 2), ("balance_demo", 4)]


def test_a_kind_that_is_left_is_not_written_even_if_it_was_held_back():
    place = Place()
    place.holds[ORDER] = 1
    place.take(order("order:new"), "balance")
    place.follower.keep(("orders",))
    place.release(ORDER)
    place.take("balance", "order:new")
    assert place.seen == [("order_demo:new", 1), ("order_demo:new", 4)]


# ---- what waits for a result


def test_everything_waits_from_the_first_event_of_an_order_without_a_result():
    place = Place()
    place.holds[ORDER] = 1
    place.take("balance", order("order:new"), order("order:cancel", OTHER), "balance")
    assert [offset for _, offset in place.seen] == [1]
    assert (place.follower.cursor, place.follower.position) == (4, 1)
    place.release(ORDER)
    assert [offset for _, offset in place.seen] == [1, 2, 3, 4]
    assert place.follower.position == 4


def test_it_waits_also_where_the_event_itself_is_not_wanted():
    place = Place("balances")
    place.holds[ORDER] = 1
    place.take(order("order:new"), "balance")
    assert place.seen == []
    place.release(ORDER)
    assert place.seen == [("balance_demo", 2)]


def test_a_release_goes_as_far_as_the_next_order_without_a_result():
    place = Place()
    place.holds.update({ORDER: 1, OTHER: 1})
    place.take(order("order:new"), order("order:new", OTHER), order("order:cancel"))
    place.release(ORDER)
    assert [offset for _, offset in place.seen] == [1]
    place.release(OTHER)
    assert [offset for _, offset in place.seen] == [1, 2, 3]


def test_what_is_held_back_is_bounded_and_goes_on_from_there():
    place = Place()
    place.holds[ORDER] = 1
    items = place.commit(*[order("order:update")] * (MAX_DEFERRED + 10))
    assert not place.follower.full
    assert not place.follower.take(items)
    assert (place.follower.cursor, place.follower.full) == (MAX_DEFERRED, True)
    place.release(ORDER)
    assert not place.follower.full
    assert place.follower.take(items)
    assert [offset for _, offset in place.seen] == list(range(1, MAX_DEFERRED + 11))


def test_a_writer_that_is_blocked_has_no_room_for_a_page():
    place = Place()
    place.reader.block()
    assert place.follower.full


# ---- snapshots


def test_a_snapshot_is_written_at_once_where_nothing_comes_before_it():
    place = Place()
    place.follower.plan(0, snapshot(0))
    place.follower.begin(ALL)
    assert place.seen == [("snapshot_demo", 0)]


def test_a_snapshot_comes_behind_everything_up_to_it_and_before_the_rest():
    place = Place()
    place.follower.plan(2, snapshot(2))
    place.follower.begin(ALL)
    place.take("order:new", "order:cancel", "balance")
    assert place.seen == [("order_demo:new", 1), ("order_demo:cancel", 2), ("snapshot_demo", 2), ("balance_demo", 3)]


def test_a_snapshot_waits_with_what_comes_before_it():
    place = Place()
    place.holds[ORDER] = 1
    place.follower.plan(1, snapshot(1))
    place.follower.begin(ALL)
    place.take(order("order:new"), "balance")
    assert place.seen == []
    place.release(ORDER)
    assert place.seen == [("order_demo:new", 1), ("snapshot_demo", 1), ("balance_demo", 2)]


def test_a_newer_snapshot_takes_the_place_of_one_that_still_waits():
    place = Place()
    for offset in (2, 3):
        place.follower.plan(offset, snapshot(offset))
        place.follower.begin(ALL)
    place.take("balance", "balance", "balance")
    assert place.seen == [("balance_demo", 1), ("balance_demo", 2), ("balance_demo", 3), ("snapshot_demo", 3)]


# ---- what an event is about


@pytest.mark.parametrize("data", ["", "{}", "[]", '{"BTC":"1"}', '{"x":1,"id":"a"}', '{"id":7}'])
def test_what_is_about_no_trade_has_no_subject(data):
    assert subject_of(data) == ""


OBJECTS = [name for name in dir(documents) if name.startswith(("ORDER_", "POSITION_")) and not name.endswith("_MS")]


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_of_the_document_has_its_id_for_a_subject(name):
    assert subject_of(line(getattr(documents, name))) == documents.TRADE_ID


def test_a_balance_is_about_no_trade():
    assert subject_of(line(documents.BALANCE)) == ""


def test_every_event_of_an_account_has_a_channel():
    news = [PrivateEvent("demo", 7, 1, name, "{}") for name in WIRE_NAMES.values()]
    assert {Item(event, FixedCatalogue()).kind for event in news} == {"orders", "positions", "balances"}
    assert Item(PrivateEvent("demo", 7, 1, "margin:call", "{}"), FixedCatalogue()).kind == ""
