"""A trial must be able to fail: followers and verdict see what is wrong, and death comes where it was ordered."""

import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest

from tests.crashes.account import Account, Done, Event, Placed
from tests.crashes.course import Course, Failed
from tests.crashes.doom import JOURNAL, ORDER_FILE, POINTS, order_death
from tests.crashes.follower import KINDS, Follower
from tests.crashes.places import PostgresPlace, SqlitePlace
from tests.crashes.verdict import Verdict
from tests.crashes.ways import RestWay
from tests.crashes.wire import Answer
from tests.journeys.harness import Key
from tests.plugins.services import ROOT

KEY = Key("id", "secret")
ORDER = '{"id":"a7","client_order_id":"till-7"}'
BALANCE = '{"BTC":"10.00000000"}'


@pytest.fixture
def course(tmp_path):
    return Course(7, lambda: [1], tmp_path / "timeline.txt")


@pytest.fixture
def account():
    return Account("ann", KEY)


@pytest.fixture
def follower(course, account):
    return following(course, account)


def following(course, account, kinds=KINDS):
    found = Follower(course, account, kinds, Random(1))
    found._opened({"epoch": "e", "offset": 0})
    return found


def balance(offset):
    return {"event": "balance_demo", "sequence": 1, "data": {"BTC": "10.00000000"}, "offset": offset}


# ---- a follower


def test_a_follower_takes_what_is_next(follower):
    for offset in (1, 2, 3):
        follower._take(balance(offset))
    assert follower.log == [Event(offset, "balance_demo", BALANCE) for offset in (1, 2, 3)]


@pytest.mark.parametrize(("before", "then"), [((), 2), ((1,), 1), ((1,), 3), ((1, 2), 1)])
def test_a_follower_notices_what_is_lost_doubled_or_out_of_order(follower, before, then):
    for offset in before:
        follower._take(balance(offset))
    with pytest.raises(Failed, match="was told Event"):
        follower._take(balance(then))


def test_a_follower_of_some_channels_sees_holes_and_no_more(course, account):
    some = following(course, account, ("balances",))
    some._take(balance(2))
    some._take(balance(5))
    with pytest.raises(Failed):
        some._take(balance(5))


def test_a_follower_notices_a_channel_that_it_did_not_ask_for(course, account):
    with pytest.raises(Failed, match="did not ask for"):
        following(course, account, ("orders",))._take(balance(1))


@pytest.mark.parametrize("offset", [0, 2])
def test_a_follower_notices_a_heartbeat_that_does_not_fit(follower, offset):
    follower._take(balance(1))
    with pytest.raises(Failed, match="heartbeat"):
        follower._take({"event": "heartbeat", "data": {"time": 1, "offset": {"demo": offset}}})


@pytest.mark.parametrize(
    "standing",
    [
        {"epoch": "e", "offset": 1, "recovered": False},
        {"epoch": "e", "offset": 1},
        {"epoch": "another", "offset": 1, "recovered": True},
        {"epoch": "e", "offset": 0, "recovered": True},
    ],
)
def test_a_follower_notices_a_resume_that_is_none(follower, standing):
    follower._take(balance(1))
    with pytest.raises(Failed):
        follower._opened(standing)


def test_a_failure_has_the_seed_and_the_timeline_and_the_first_one_counts(course):
    course.note("kill engine")
    with pytest.raises(Failed, match=r"(?s)lost.*seed 7.*kill engine"):
        course.fail("an event was lost")
    assert str(course.failed("something that came of it")).startswith("an event was lost")


# ---- the verdict


@pytest.fixture
def verdict(course, account, follower):
    return Verdict(course, account, [follower], RestWay(course, KEY, Random(1)))


def placed(text=ORDER):
    return Placed({"client_order_id": "till-7"}, Answer(text))


def test_an_acknowledged_order_in_the_log_is_in_order(verdict, account):
    account.placed["till-7"] = placed()
    account.done.append(Done("cancel", "a7", '{"id":"a7"}'))
    log = [Event(1, "order_demo:new", ORDER), Event(2, "order_demo:cancel", '{"id":"a7","product":"EUR-USD"}')]
    verdict._compare_answers(log)


@pytest.mark.parametrize(
    ("log", "answers"),
    [
        pytest.param([], [placed()], id="an acknowledged order is missing"),
        pytest.param([Event(1, "order_demo:new", ORDER)], [], id="an order that nobody asked for"),
        pytest.param([Event(1, "order_demo:new", ORDER)], [placed('{"id":"b8"}')], id="another answer"),
        pytest.param([Event(n, "order_demo:new", ORDER) for n in (1, 2)], [placed()], id="one order twice"),
    ],
)
def test_the_verdict_notices(verdict, account, log, answers):
    account.placed = {answer.client_order_id: answer for answer in answers}
    with pytest.raises(Failed):
        verdict._compare_answers(log)


def test_the_verdict_notices_a_cancel_that_did_not_happen(verdict, account):
    account.placed["till-7"] = placed()
    account.done.append(Done("cancel", "a7", '{"id":"a7"}'))
    with pytest.raises(Failed, match="was acknowledged"):
        verdict._compare_answers([Event(1, "order_demo:new", ORDER)])


def test_the_verdict_notices_a_follower_that_was_told_something_else(verdict, follower):
    follower._take(balance(1))
    with pytest.raises(Failed, match="what ann/all was told"):
        verdict._compare_followers([Event(1, "balance_demo", '{"BTC":"9.00000000"}')])


# ---- killing


@pytest.mark.parametrize("kind", [SqlitePlace, PostgresPlace])
def test_twenty_kills_are_of_everything_at_every_point(kind, tmp_path):
    deck = Counter(kind(tmp_path).deck(20, Random(1)))
    assert {target for target, _ in deck} == {*kind.weights, JOURNAL}
    assert {point for _, point in deck} == {"", *POINTS}


def test_a_process_dies_at_the_point_and_the_time_that_were_ordered(tmp_path):
    file = tmp_path / "order"
    order_death(file, JOURNAL, "before_commit", passes=2)
    visits = "for n in range(9): print(n, flush=True); at_point('after_rows'); at_point('before_commit')"
    ended = subprocess.run(
        [sys.executable, "-c", f"from tests.crashes.doom import at_point\n{visits}"],
        cwd=ROOT, env={**os.environ, ORDER_FILE: str(file)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.stdout.split(), ended.returncode) == (["0", "1", "2"], -9)
    assert not file.exists()


def test_an_engine_dies_and_its_journal_goes_on(tmp_path):
    file = tmp_path / "order"
    order_death(file, "engine", "after_rows", passes=0)
    journal = "from tests.crashes.doom import at_point\nat_point('after_rows'); print('went on')"
    engine = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {journal!r}]); print('so did I')"
    ended = subprocess.run(
        [sys.executable, "-c", engine],
        cwd=ROOT, env={**os.environ, ORDER_FILE: str(file)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.stdout, ended.returncode) == ("went on\n", -9)
