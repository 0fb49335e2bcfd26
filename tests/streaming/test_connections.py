"""What an administrator sees of connections, and how one is found."""

import pytest

from streaming.connections import MAX_FOUND, MAX_NAMED, Found, Query, first_of, matches, sorted_views, together, view_of
from streaming.messages import Channel
from streaming.sink import Sink
from streaming.traffic import UNKNOWN, Traffic
from tests.streaming.readers import Loop, Pipe
from tests.streaming.sessions import EVENTS, PAGE, Client, identity, subscribe


def view(client, number=1, traffic=UNKNOWN, **fields):
    sink = Sink(Pipe(Loop()), lambda close: None)
    shown = view_of(
        client.session, sink, traffic, member=f"id{number}", stream="event_stream", address="192.0.2.7", since_ms=1_000
    )
    for name, value in fields.items():
        setattr(shown, name, value)
    return shown


@pytest.fixture
def ann():
    client = Client(EVENTS, who=identity("market", "read", key_id="8b6b"))
    client.say(subscribe("trading:quotes:EUR-USD@250ms", "trading:orders_demo"))
    return view(client, traffic=Traffic(512, 20))


def test_who_it_is_and_what_they_hear(ann):
    assert (ann.user, ann.user_id, ann.key_id, ann.address) == ("ann", 7, "8b6b", "192.0.2.7")
    assert (ann.subscriptions, ann.channels) == (2, ["trading:quotes:EUR-USD@250ms", "trading:orders_demo"])
    assert (ann.sent_bytes, ann.waiting_bytes, ann.held, ann.conflated, ann.events) == (512, 20, 0, 0, 0)


def test_nobody_in_particular_has_neither_name_nor_key():
    shown = view(Client(EVENTS))
    assert (shown.user, shown.user_id, shown.key_id, shown.subscriptions) == ("", 0, "", 0)


def test_a_browser_has_a_name_and_no_key():
    shown = view(Client(PAGE, who=identity(session="s1")))
    assert (shown.user, shown.key_id) == ("ann", "")


def test_of_many_subscriptions_some_are_named():
    client = Client(EVENTS)
    client.session.channels = {Channel("quotes", f"P{number}"): 0 for number in range(MAX_NAMED + 5)}
    shown = view(client)
    assert (shown.subscriptions, len(shown.channels)) == (MAX_NAMED + 5, MAX_NAMED)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], True),
        ([["ann"]], True),
        ([["an"], ["192.0.2"]], True),
        ([["orders_demo"]], True),
        ([["8b6b"]], True),
        ([["a7f3", "8b6b"]], True),
        ([["bob"]], False),
        ([["ann"], ["bob"]], False),
    ],
)
def test_each_word_has_to_be_found_in_one_of_its_spellings(ann, words, found):
    assert matches(ann, Query(words=words)) is found


def test_only_one_stream_is_listed_when_one_is_asked_for(ann):
    assert matches(ann, Query(stream="event_stream"))
    assert not matches(ann, Query(stream="pages"))


def test_the_slowest_reader_is_first_unless_another_order_is_asked_for():
    client = Client(EVENTS)
    slow, held, late, busy = (
        view(client, 1, waiting_bytes=900, since_ms=1),
        view(client, 2, held=3, since_ms=2),
        view(client, 3, since_ms=3),
        view(client, 4, events=9, conflated=8, sent_bytes=7, since_ms=0),
    )
    views = [busy, late, slow, held]
    assert sorted_views(views, "waiting") == [held, slow, late, busy]
    assert sorted_views(views, "since") == [late, held, slow, busy]
    assert sorted_views(views, "no such order") == sorted_views(views, "waiting")
    for order in ("events", "conflated", "sent"):
        assert sorted_views(views, order)[0] is busy


def test_a_process_tells_of_so_many_and_all_processes_together_too():
    client = Client(EVENTS)
    here = first_of([view(client, number, since_ms=number) for number in range(MAX_FOUND + 1)], Query(order="since"))
    assert (here.count, len(here.views), here.views[0].since_ms) == (MAX_FOUND + 1, MAX_FOUND, MAX_FOUND)
    there = Found(1, [view(client, 999, since_ms=999)])
    both = together([here, there], "since")
    assert (both.count, len(both.views), both.views[0].id) == (MAX_FOUND + 2, MAX_FOUND, "id999")
