"""Who follows which log: that is read where an announcement does not do, and only then."""

import asyncio
import logging

import pytest

from accounts.errors import RESTART, SLOW_CONSUMER, Refused
from engine.values import AccountId
from streaming import private
from streaming.frames import text_frame
from streaming.messages import Resume, Standing
from streaming.private import GRACE_S, PAGE, POLL_S, READS, PrivateLogs
from streaming.sink import MAX_QUEUED
from tests.streaming.books import DEMO, EPOCH, LIVE, ORDER, Book, about, unavailable
from tests.streaming.nodes import FixedCatalogue, until
from tests.streaming.readers import Loop, Reader

ALL = frozenset({"orders", "positions", "balances"})


class Room:
    """A process's logs on a book, and what it said of accounts that are followed."""

    def __init__(self):
        self.book = Book()
        self.said: list[tuple[AccountId, bool]] = []
        self.logs = PrivateLogs(self.book, FixedCatalogue(), on_followed=lambda *said: self.said.append(said))

    def commit(self, *events, account=DEMO):
        """Commit and announce."""
        news = self.book.commit(account, *events)
        self.logs.committed(news)
        return news

    async def follower(self, *, account=DEMO, kinds=ALL, resume=None, snapshot=False, reader=None, holds=None):
        """Return a reader that follows an account."""
        reader = reader or Reader(Loop())
        holds = holds or {"live": {}, "demo": {}}
        standings = await self.logs.open(reader.sink, holds, {account: resume}, snapshot=snapshot)
        reader.tell({"standing": str(standings[account])})
        self.logs.follow(reader.sink, account, kinds)
        reader.standing = standings[account]
        return reader

    async def poll(self):
        self.logs.read_up_to(await self.logs.heads())
        await turns()


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


def offsets(reader):
    return [message["offset"] for message in reader.messages if "offset" in message]


@pytest.fixture
def room():
    return Room()


# ---- what was announced


async def test_an_event_is_written_in_the_turn_in_which_it_was_committed_and_nothing_is_read(room):
    reader = await room.follower()
    room.commit("order:new", "order:activate", "position:new", "balance")
    assert offsets(reader) == [1, 2, 3, 4]
    assert not room.book.asked("page")


async def test_an_accounts_events_reach_its_own_followers_only(room):
    demo, live = await room.follower(), await room.follower(account=LIVE)
    other = await room.follower(account=AccountId("demo", 8))
    room.logs.committed([*room.book.commit(DEMO, "order:new"), *room.book.commit(LIVE, "balance", "balance")])
    assert (offsets(demo), offsets(live), offsets(other)) == ([1], [1, 2], [])


async def test_two_connections_of_an_account_see_each_its_own_kinds(room):
    orders, balances = await room.follower(kinds={"orders"}), await room.follower(kinds={"balances"})
    room.commit("order:new", "position:new", "balance")
    assert (offsets(orders), offsets(balances)) == ([1], [3])


async def test_what_was_lost_between_two_announcements_is_read(room):
    reader = await room.follower()
    room.book.commit(DEMO, "order:new", "balance")
    room.commit("order:cancel", "balance")
    assert offsets(reader) == []
    await turns()
    assert offsets(reader) == [1, 2, 3, 4]
    room.commit("balance")
    assert offsets(reader) == [1, 2, 3, 4, 5]
    assert room.book.asked("page") == [(DEMO, 0)]


async def test_an_announcement_that_never_came_is_found_by_the_poll(room):
    reader = await room.follower()
    room.book.commit(DEMO, "order:new", "balance")
    await room.poll()
    assert offsets(reader) == [1, 2]
    await room.poll()
    assert len(room.book.asked("page")) == 1


async def test_one_query_asks_for_all_accounts(room):
    for user_id in range(5):
        await room.follower(account=AccountId("demo", user_id))
    room.logs.watch(Reader(Loop()).sink, [LIVE, DEMO])
    room.book.calls.clear()
    await room.logs.heads()
    assert room.book.calls == [("head", *(AccountId("demo", user_id) for user_id in range(5)), LIVE, DEMO)]


async def test_nobody_to_ask_for_is_no_query(room):
    await room.logs.heads()
    assert not room.book.calls


async def test_what_the_poll_sees_before_its_announcement_is_not_read(room):
    """Under load every poll does: reading it would double the work."""
    reader = await room.follower()
    news = room.book.commit(DEMO, "order:new", "balance")
    heads = await room.logs.heads()
    room.logs.committed(news)
    room.logs.read_up_to(heads)
    await turns()
    assert offsets(reader) == [1, 2]
    assert not room.book.asked("page")


async def test_an_announcement_of_what_is_not_in_the_log_changes_nothing(room):
    reader = await room.follower()
    forged = room.book.commit(DEMO, "balance", "balance", "balance")
    room.book.logs[DEMO].clear()
    room.logs.committed(forged[2:])
    await turns()
    assert len(room.book.asked("page")) == 1
    room.commit("order:new")
    assert offsets(reader) == [1]


# ---- the poll of a running process


def test_a_lost_announcement_costs_less_than_a_quarter_of_a_second():
    assert POLL_S + GRACE_S < 0.25


async def test_a_poll_that_fails_is_made_again_and_said_once(room, caplog, monkeypatch):
    monkeypatch.setattr(private, "POLL_S", 0)
    monkeypatch.setattr(private, "GRACE_S", 0)
    reader = await room.follower()
    room.book.commit(DEMO, "balance")
    room.book.fail(OSError(), OSError(), unavailable(), OSError())
    poll = asyncio.create_task(room.logs.poll_forever())
    await until(lambda: offsets(reader) == [1])
    poll.cancel()
    assert [record.message for record in caplog.records] == ["The accounts' events cannot be read: OSError"]


async def test_a_process_without_accounts_says_nothing_about_it(room, caplog):
    caplog.set_level(logging.DEBUG)
    room.logs.watch(Reader(Loop()).sink, [DEMO])
    room.book.fail(unavailable())
    with pytest.raises(Refused):
        await room.logs.heads()
    assert not caplog.records


async def test_a_page_that_cannot_be_read_is_read_at_the_next_poll(room):
    reader = await room.follower()
    room.book.commit(DEMO, "order:new")
    room.book.fail(OSError())
    room.commit("balance")
    await turns()
    assert offsets(reader) == []
    await room.poll()
    assert offsets(reader) == [1, 2]


# ---- slow readers


async def test_the_log_is_read_as_the_socket_drains(room):
    room.book.commit(DEMO, *["balance"] * (3 * PAGE))
    reader = Reader(Loop())
    reader.pipe.room = 2
    await room.follower(reader=reader, resume=Resume(EPOCH, 0))
    await turns()
    assert offsets(reader) == list(range(1, PAGE + 1))
    assert len(room.book.asked("page")) == 1
    reader.drain(room=1)
    await turns()
    assert offsets(reader) == list(range(1, 2 * PAGE + 1))
    reader.drain()
    await turns()
    assert offsets(reader) == list(range(1, 3 * PAGE + 1))
    assert reader.closed_with == []


async def test_live_events_wait_for_a_slow_reader_within_a_bound(room):
    reader = await room.follower()
    reader.block()
    room.commit(*["balance"] * MAX_QUEUED)
    assert reader.closed_with == []
    room.commit("balance")
    assert reader.closed_with == [SLOW_CONSUMER]


async def test_pages_are_read_a_few_at_a_time(room):
    room.book.hold_up("page")
    for user_id in range(READS + 2):
        account = AccountId("demo", user_id)
        room.book.commit(account, "balance")
        await room.follower(account=account, resume=Resume(EPOCH, 0))
    await turns()
    assert len(room.book.asked("page")) == len(room.book.waiting) == READS
    room.book.let_go()
    await turns()
    assert len(room.book.asked("page")) == READS + 1


# ---- where a follower begins


async def test_without_a_wish_it_begins_with_what_happens_now(room):
    room.book.commit(DEMO, "order:new", "balance")
    reader = await room.follower()
    assert reader.standing == Standing(EPOCH, 2)
    room.commit("order:cancel")
    assert offsets(reader) == [3]


async def test_what_was_missed_comes_once_and_in_order_and_then_what_happens(room):
    room.book.commit(DEMO, *["order:new", "position:new", "balance"] * 4)
    reader = await room.follower(kinds={"orders", "balances"}, resume=Resume(EPOCH, 5))
    assert reader.standing == Standing(EPOCH, 12, recovered=True)
    room.commit("order:new", "position:new", "balance")
    await turns()
    assert offsets(reader) == [6, 7, 9, 10, 12, 13, 15]


async def test_nothing_missed_is_recovered_too(room):
    room.book.commit(DEMO, "balance")
    reader = await room.follower(resume=Resume(EPOCH, 1))
    assert reader.standing == Standing(EPOCH, 1, recovered=True)
    room.commit("balance")
    assert offsets(reader) == [2]
    assert not room.book.asked("page")


@pytest.mark.parametrize("resume", [Resume("another", 2), Resume(EPOCH, 0), Resume(EPOCH, 4), Resume("", 0)], ids=str)
async def test_what_cannot_be_recovered_begins_with_a_snapshot(room, resume):
    room.book.commit(DEMO, "order:new", "balance", "balance")
    room.book.pruned[DEMO] = 1
    reader = await room.follower(resume=resume)
    room.commit("order:cancel")
    assert reader.standing == Standing(EPOCH, 3, recovered=False)
    assert [(message.get("event"), message.get("offset")) for message in reader.messages] == [
        (None, None), ("snapshot_demo", 3), ("order_demo:cancel", 4),
    ]  # fmt: skip


async def test_a_snapshot_may_be_asked_for_without_a_word_about_recovery(room):
    room.book.commit(DEMO, "order:new")
    reader = await room.follower(snapshot=True)
    assert reader.standing == Standing(EPOCH, 1)
    assert reader.messages[1] == {
        "event": "snapshot_demo", "sequence": 1, "offset": 1,
        "data": {"orders": [], "positions": [], "balances": {"BTC": "1.00000000"}},
    }  # fmt: skip


async def test_a_snapshot_asked_for_with_a_resume_comes_behind_what_was_missed(room):
    room.book.commit(DEMO, "order:new", "balance", "balance")
    reader = await room.follower(resume=Resume(EPOCH, 1), snapshot=True)
    await turns()
    assert reader.standing.recovered is True
    assert [message["event"] for message in reader.messages[1:]] == ["balance_demo", "balance_demo", "snapshot_demo"]


async def test_nothing_older_than_a_snapshot_follows_it_whatever_happens_while_it_is_read(room):
    reader = await room.follower()
    room.book.hold_up()
    asking = asyncio.create_task(room.follower(reader=reader, snapshot=True))
    await turns()
    room.commit("order:new")
    room.book.let_go()  # the heads
    await turns()
    room.commit("order:cancel")
    room.book.let_go()  # the snapshot
    await asking
    room.commit("balance")
    room.book.go_on()
    await turns()
    events = [(message["event"], message["offset"]) for message in reader.messages if "event" in message]
    assert events == [("order_demo:new", 1), ("order_demo:cancel", 2), ("snapshot_demo", 2), ("balance_demo", 3)]


async def test_a_channel_that_is_added_begins_at_the_offset_of_its_own_answer(room):
    reader = await room.follower(kinds={"orders"})
    room.commit("order:new", "balance")
    await room.follower(reader=reader, kinds={"orders", "balances"})
    assert reader.standing == Standing(EPOCH, 2)
    room.commit("balance", "order:cancel")
    assert offsets(reader) == [1, 3, 4]


async def test_what_is_committed_while_the_answer_is_on_its_way_follows_it(room):
    room.book.hold_up()
    asking = asyncio.create_task(room.follower(snapshot=True))
    await turns()
    room.book.let_go()
    await turns()
    room.book.let_go()
    room.commit("order:new")  # behind the snapshot's moment or in it: its offset says
    reader = await asking
    room.book.go_on()
    await turns()
    while room.book.waiting:
        room.book.let_go()
        await turns()
    seen = [(message["event"], message["offset"]) for message in reader.messages if "event" in message]
    assert seen in ([("snapshot_demo", 1)], [("snapshot_demo", 0), ("order_demo:new", 1)])


@pytest.mark.parametrize("error", [OSError(), unavailable()], ids=["broken", "refused"])
@pytest.mark.parametrize("kind", ["head", "resumable", "snapshot"])
async def test_a_subscribe_that_fails_leaves_everything_as_it_was(room, error, kind):
    reader, stranger = await room.follower(kinds={"orders"}), Reader(Loop())
    room.commit("order:new")
    for asking in (reader, stranger):
        room.book.fail(error, kind=kind)
        with pytest.raises(Refused, match="unavailable"):
            await room.follower(reader=asking, resume=Resume(EPOCH, 9), snapshot=True)
    room.commit("order:cancel", "balance")
    await turns()
    assert offsets(reader) == [1, 2]
    assert stranger.messages == []


async def test_two_accounts_are_opened_together_or_not_at_all(room):
    reader, wishes = Reader(Loop()), {LIVE: None, DEMO: Resume("another", 1)}
    holds: dict[str, dict[str, int]] = {"live": {}, "demo": {}}
    room.book.fail(OSError(), kind="snapshot")
    with pytest.raises(Refused):
        await room.logs.open(reader.sink, holds, wishes, snapshot=False)
    assert room.said == [(LIVE, True), (DEMO, True), (LIVE, False), (DEMO, False)]
    room.book.commit(LIVE, "balance")
    standings = await room.logs.open(reader.sink, holds, wishes, snapshot=False)
    assert standings == {LIVE: Standing(EPOCH, 1), DEMO: Standing(EPOCH, 0, recovered=False)}


# ---- leaving


async def test_kinds_that_are_left_are_quiet_and_the_last_one_ends_it(room):
    reader = await room.follower()
    room.logs.follow(reader.sink, DEMO, frozenset({"balances"}))
    room.commit("order:new", "balance")
    room.logs.follow(reader.sink, DEMO, frozenset())
    room.commit("order:new", "balance")
    assert offsets(reader) == [2]
    assert room.said == [(DEMO, True), (DEMO, False)]


async def test_a_connection_that_is_gone_is_forgotten_while_its_log_is_being_read(room):
    room.book.commit(DEMO, "balance")
    room.book.hold_up()
    asking = asyncio.create_task(room.follower(resume=Resume(EPOCH, 0)))
    for _ in range(2):
        await turns()
        room.book.let_go()
    reader = await asking
    room.logs.watch(reader.sink, [LIVE, DEMO])
    await turns()
    room.logs.leave(reader.sink)
    room.logs.leave(reader.sink)
    room.book.let_go()
    room.book.go_on()
    room.commit("balance")
    await room.poll()
    assert offsets(reader) == []
    assert room.said == [(DEMO, True), (DEMO, False)]
    assert await room.logs.heads() == {}


async def test_the_first_and_the_last_follower_of_an_account_are_told(room):
    first, second = await room.follower(), await room.follower()
    room.logs.leave(first.sink)
    assert room.said == [(DEMO, True)]
    room.logs.leave(second.sink)
    assert room.said == [(DEMO, True), (DEMO, False)]


# ---- history that is no longer true


async def test_who_follows_a_history_that_was_lost_is_sent_away(room):
    room.book.commit(DEMO, "balance", "balance")
    reader, other = await room.follower(), await room.follower(account=LIVE)
    room.book.lose(DEMO, after=1)
    await room.poll()
    assert reader.closed_with == other.closed_with == [RESTART]
    back = await room.follower(resume=Resume(EPOCH, 2))
    assert back.standing == Standing(room.book.epoch, 1, recovered=False)
    assert back.closed_with == []


async def test_who_is_behind_what_is_still_kept_is_sent_away_instead_of_getting_a_hole(room):
    room.book.commit(DEMO, "balance", "balance", "balance")
    reader = Reader(Loop())
    reader.block()
    await room.follower(reader=reader, resume=Resume(EPOCH, 0))
    room.book.pruned[DEMO] = 2
    reader.drain()
    await turns()
    assert reader.closed_with == [RESTART]
    assert offsets(reader) == []


# ---- how far a log is, for heartbeats


async def test_offsets_are_those_of_the_accounts_watched_as_soon_as_they_are_known(room):
    room.book.commit(DEMO, "balance")
    watching, other = Reader(Loop()).sink, Reader(Loop()).sink
    room.logs.watch(watching, [LIVE, DEMO])
    room.logs.watch(other, [LIVE])
    assert room.logs.offsets(watching) == {}
    await room.logs.heads()
    assert room.logs.offsets(watching) == {"live": 0, "demo": 1}
    assert room.logs.offsets(other) == {"live": 0}
    assert room.logs.offsets(Reader(Loop()).sink) == {}


async def test_the_offset_of_an_account_that_is_followed_is_what_has_been_written(room):
    reader, holds = Reader(Loop()), {"live": {}, "demo": {ORDER: 1}}
    room.logs.watch(reader.sink, [DEMO])
    await room.follower(reader=reader, holds=holds)
    room.commit("balance", ("order:new", about(ORDER)), "balance")
    assert room.logs.offsets(reader.sink) == {"demo": 1}
    del holds["demo"][ORDER]
    room.logs.answer(reader.sink, DEMO, text_frame(b"{}"))
    assert room.logs.offsets(reader.sink) == {"demo": 3}


# ---- results first


async def test_an_answer_and_what_waited_for_it_leave_in_one_write(room):
    holds = {"live": {}, "demo": {ORDER: 1}}
    reader = await room.follower(holds=holds)
    room.commit(("order:new", about(ORDER)), ("position:new", about(ORDER)), "balance")
    writes = reader.pipe.writes
    del holds["demo"][ORDER]
    room.logs.answer(reader.sink, DEMO, text_frame(b'{"type":"result"}'))
    assert reader.pipe.writes == writes + 1
    assert [message.get("event") for message in reader.messages[1:]] == [
        None, "order_demo:new", "position_demo:new", "balance_demo",
    ]  # fmt: skip


async def test_too_much_that_waits_is_read_from_the_log_afterwards(room, monkeypatch):
    monkeypatch.setattr("streaming.follower.MAX_DEFERRED", 10)
    holds = {"live": {}, "demo": {ORDER: 1}}
    reader = await room.follower(holds=holds)
    room.commit(*[("order:update", about(ORDER))] * 25)
    await turns()
    assert offsets(reader) == []
    del holds["demo"][ORDER]
    room.logs.answer(reader.sink, DEMO, text_frame(b"{}"))
    await turns()
    assert offsets(reader) == list(range(1, 26))


async def test_an_answer_without_a_follower_is_just_written(room):
    reader = Reader(Loop())
    room.logs.answer(reader.sink, DEMO, text_frame(b'{"type":"result"}'))
    assert reader.messages == [{"type": "result"}]
