"""Budgets and occupancy: one suite, in this process's memory and on a real Valkey."""

import asyncio
import logging
import socket
import sys
import threading
import time
import uuid
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import limits
from accounts.limits import MEMBER_EXPIRES_S, Budgets, Occupancy
from tests.plugins.services import free_port, start_valkey


@pytest.fixture(scope="module")
def valkey_url():
    with ExitStack() as resources:
        yield start_valkey(resources).connection_url


@pytest.fixture(scope="module", params=["memory", "valkey"])
def url(request):
    return "" if request.param == "memory" else request.getfixturevalue("valkey_url")


class Clock:
    """Milliseconds, as the test says."""

    def __init__(self):
        self.now_ms = 1_709_742_000_000

    def __call__(self):
        return self.now_ms


@pytest.fixture
def clock():
    return Clock()


def somebody():
    return uuid.uuid4().hex


# ---- so many per time


@given(
    gaps_ms=st.lists(st.integers(0, 1_500), min_size=1, max_size=25),
    count=st.integers(1, 4),
    window_s=st.sampled_from([1, 2, 0.5]),
)
def test_no_window_has_more_than_its_count_and_nobody_waits_longer_than_needed(url, gaps_ms, count, window_s):
    clock, subject = Clock(), somebody()
    accepted: list[int] = []
    budgets, window_ms = Budgets(url, now_ms=clock), window_s * 1000
    for gap_ms in gaps_ms:
        clock.now_ms += gap_ms
        inside = [at_ms for at_ms in accepted if at_ms > clock.now_ms - window_ms]
        wait_ms = budgets.take_sync("law", subject, count=count, per_s=window_s)
        if len(inside) < count:
            assert wait_ms == 0
            accepted.append(clock.now_ms)
        else:
            assert wait_ms == inside[-count] + window_ms - clock.now_ms > 0


async def test_what_is_refused_consumes_nothing(url, clock):
    budgets, subject = Budgets(url, now_ms=clock), somebody()

    async def take():
        return await budgets.take("t", subject, count=1, per_s=5)

    assert await take() == 0
    for _ in range(5):
        clock.now_ms += 900
        assert await take() > 0
    clock.now_ms += 500
    assert await take() == 0


async def test_what_is_given_back_can_be_spent_again(url, clock):
    budgets, subject = Budgets(url, now_ms=clock), somebody()
    budget = {"name": "t", "subject": subject, "count": 2, "per_s": 5}
    assert [await budgets.take(**budget) for _ in range(3)] == [0, 0, 5_000]
    await budgets.give_back(**budget)
    assert [await budgets.take(**budget) for _ in range(2)] == [0, 5_000]


async def test_giving_back_what_nobody_took_gives_nothing(url, clock):
    budgets = Budgets(url, now_ms=clock)
    budget = {"name": "t", "subject": somebody(), "count": 1, "per_s": 5}
    await budgets.give_back(**budget)
    assert [await budgets.take(**budget) > 0 for _ in range(2)] == [False, True]


async def test_names_and_subjects_have_budgets_of_their_own(url, clock):
    budgets, subject = Budgets(url, now_ms=clock), somebody()
    places = [("a", subject), ("b", subject), ("a", somebody())]
    assert [await budgets.take(name, who, count=1, per_s=5) for name, who in places] == [0, 0, 0]


async def test_the_two_ways_in_spend_the_same_budget(url, clock):
    budgets, subject = Budgets(url, now_ms=clock), somebody()
    assert await budgets.take("t", subject, count=1, per_s=5) == 0
    assert await asyncio.to_thread(budgets.take_sync, "t", subject, count=1, per_s=5) == 5_000


async def test_processes_share_a_budget_on_valkey(valkey_url):
    one, other = Budgets(valkey_url), Budgets(valkey_url)
    subject = somebody()
    assert await one.take("t", subject, count=1, per_s=60) == 0
    assert 59_000 < await other.take("t", subject, count=1, per_s=60) <= 60_000


def test_valkeys_clock_counts_and_not_the_hosts(valkey_url, monkeypatch):
    subject = somebody()
    assert Budgets(valkey_url).take_sync("t", subject, count=1, per_s=60) == 0
    monkeypatch.setattr(time, "time_ns", lambda: 10**19)  # a host whose clock is centuries ahead
    assert Budgets(valkey_url).take_sync("t", subject, count=1, per_s=60) > 0


def test_a_clock_that_is_set_back_locks_nobody_out(valkey_url, clock):
    budgets, subject = Budgets(valkey_url, now_ms=clock), somebody()
    assert budgets.take_sync("t", subject, count=1, per_s=60) == 0
    clock.now_ms -= 3_600_000
    assert budgets.take_sync("t", subject, count=1, per_s=60) == 0


def test_threads_at_once_do_not_spend_more_than_there_is(url):
    """Many rounds with as many thread switches as can be had: REST answers in threads."""
    budgets, before = Budgets(url), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            subject, together = somebody(), threading.Barrier(4)
            taken: list[bool] = []

            def spend(subject=subject, together=together, taken=taken):
                together.wait()
                taken.extend(budgets.take_sync("t", subject, count=100, per_s=60) == 0 for _ in range(150))

            threads = [threading.Thread(target=spend) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sum(taken) == 100
    finally:
        sys.setswitchinterval(before)


def test_memory_is_bounded_and_forgets_the_longest_unused(monkeypatch, clock):
    monkeypatch.setattr(limits, "MAX_SUBJECTS", 2)
    budgets = Budgets("", now_ms=clock)
    assert [budgets.take_sync("t", who, count=1, per_s=60) for who in "abac"] == [0, 0, 60_000, 0]
    assert budgets.take_sync("t", "a", count=1, per_s=60) == 60_000
    assert budgets.take_sync("t", "b", count=1, per_s=60) == 0


# ---- so many open


async def enter(occupancy, member, subject, *, limit=2):
    return await occupancy.enter("key", subject, member, limit=limit)


async def test_one_too_many_is_refused_and_the_older_ones_stay(url, clock):
    occupancy, subject = Occupancy(url, now_ms=clock), somebody()
    assert [await enter(occupancy, member, subject) for member in "aabc"] == [True, True, True, False]
    await occupancy.leave("key", subject, "a")
    assert [await enter(occupancy, member, subject) for member in "cd"] == [True, False]


async def test_a_refused_one_that_leaves_makes_no_room(url, clock):
    occupancy, subject = Occupancy(url, now_ms=clock), somebody()
    assert [await enter(occupancy, member, subject) for member in "abc"] == [True, True, False]
    await occupancy.leave("key", subject, "c")
    assert not await enter(occupancy, "d", subject)


async def test_zero_is_no_limit(url, clock):
    occupancy, subject = Occupancy(url, now_ms=clock), somebody()
    assert all([await enter(occupancy, member, subject, limit=0) for member in "abcdefgh"])


async def test_kinds_and_subjects_are_counted_apart(url, clock):
    occupancy, subject = Occupancy(url, now_ms=clock), somebody()
    places = [("key", subject), ("address", subject), ("key", somebody())]
    assert [await occupancy.enter(kind, who, "a", limit=1) for kind, who in places] == [True] * 3


@pytest.fixture
def two_processes(valkey_url, clock):
    return Occupancy(valkey_url, now_ms=clock), Occupancy(valkey_url, now_ms=clock)


async def test_processes_count_together(two_processes):
    one, other = two_processes
    subject = somebody()
    assert await enter(one, "a", subject)
    assert await enter(other, "b", subject)
    assert not await enter(one, "c", subject)
    assert not await enter(other, "d", subject)
    await one.leave("key", subject, "a")
    assert await enter(other, "d", subject)


async def test_a_killed_processs_connections_stop_counting_after_their_time(two_processes, clock):
    killed, living = two_processes
    subject = somebody()
    assert await enter(killed, "a", subject)
    assert await enter(living, "b", subject)
    clock.now_ms += MEMBER_EXPIRES_S * 1000 - 1
    await living.refresh()
    assert not await enter(living, "c", subject)
    clock.now_ms += 1
    assert await enter(living, "c", subject)
    assert not await enter(living, "d", subject)


async def test_a_process_that_ends_in_order_takes_its_connections_with_it(two_processes):
    ending, living = two_processes
    subject = somebody()
    assert all([await enter(ending, member, subject) for member in "ab"])
    await ending.close()
    assert all([await enter(living, member, subject) for member in "cd"])


async def test_a_valkey_that_forgot_everything_is_told_again(two_processes, valkey_url):
    import redis

    one, other = two_processes
    subject = somebody()
    assert all([await enter(one, member, subject) for member in "ab"])
    redis.Redis.from_url(valkey_url).flushall()
    await one.refresh()
    assert not await enter(other, "c", subject)


# ---- Valkey is away


async def test_without_valkey_this_process_counts_alone(clock, caplog):
    url = f"redis://127.0.0.1:{free_port()}"
    budgets, occupancy, subject = Budgets(url, now_ms=clock), Occupancy(url, now_ms=clock), somebody()
    budget = {"name": "t", "subject": subject, "count": 1, "per_s": 5}
    assert await budgets.take(**budget) == 0
    assert budgets.take_sync(**budget) == 5_000
    await budgets.give_back(**budget)
    assert await budgets.take(**budget) == 0
    assert [await enter(occupancy, member, subject) for member in "abc"] == [True, True, False]
    await occupancy.refresh()
    await occupancy.leave("key", subject, "a")
    assert await enter(occupancy, "c", subject)
    assert "Valkey does not answer" in caplog.text


def test_a_valkey_that_hangs_holds_up_one_call_and_is_named_once(caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent, caplog.at_level(logging.WARNING):
        budgets, began_s = Budgets(f"redis://127.0.0.1:{silent.getsockname()[1]}"), time.monotonic()
        waits = [budgets.take_sync("t", "a", count=1, per_s=60) for _ in range(10)]
        assert time.monotonic() - began_s < 3 * limits.TIMEOUT_S
    assert [wait_ms > 0 for wait_ms in waits] == [False] + [True] * 9
    assert len(caplog.records) == 1


def test_a_valkey_that_is_back_counts_again(monkeypatch, clock):
    port = free_port()
    budgets, subject = Budgets(f"redis://127.0.0.1:{port}", now_ms=clock), somebody()
    monkeypatch.setattr(limits, "AWAY_S", 0)
    assert budgets.take_sync("t", subject, count=1, per_s=60) == 0
    with ExitStack() as resources:
        start_valkey(resources, port=port)
        assert budgets.take_sync("t", subject, count=1, per_s=60) == 0
        assert Budgets(f"redis://127.0.0.1:{port}", now_ms=clock).take_sync("t", subject, count=1, per_s=60) > 0
