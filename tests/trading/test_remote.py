"""The engine in another process, over the in-memory layer and a real Valkey: asked together, answered each, bounded."""

import asyncio
import itertools
import uuid
from contextlib import AsyncExitStack, ExitStack
from decimal import Decimal

import pytest
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from accounts.errors import Code, Refused
from engine.board import Board
from engine.commands import CancelOrder, Command, Deposit
from engine.values import AccountId
from streaming.bus import Bus
from streaming.lines import LayerLine, line_to
from tests.accounts.callers import refused_with
from tests.plugins.services import start_valkey
from trading import remote
from trading.live import Answer
from trading.remote import MAX_IN_FLIGHT, EngineDoor, RemoteEngine

ANN = AccountId("demo", 7)


@pytest.fixture(scope="module")
def valkey():
    with ExitStack() as resources:
        yield start_valkey(resources)


@pytest.fixture(params=["memory", "valkey"])
def lines(request):
    """Give a function that returns a line for one more process."""
    if request.param == "memory":
        shared = InMemoryChannelLayer(capacity=10_000)
        return lambda: LayerLine(shared)
    url = request.getfixturevalue("valkey").connection_url
    hosts = [{"address": url, "socket_timeout": None}]
    prefix = f"test-{uuid.uuid4().hex}-"
    return lambda: line_to(RedisPubSubChannelLayer(hosts=hosts, prefix=prefix), url)


class Clerk:
    """An engine that answers with what it was asked, when it is let; `refusal`: with that."""

    def __init__(self):
        self.fence = 0
        self.asked: list[Command] = []
        self.told = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.refusal: Refused | None = None

    async def submit(self, command):
        self.asked.append(command)
        await self.open.wait()
        if self.refusal is not None:
            raise self.refusal
        return Answer(f'{{"asked":"{getattr(command, "id", "")}"}}')

    def inbox_changed(self):
        self.told.set()


class Process:
    """One process's bus, running; `kinds` are the types of the messages that it has been sent."""

    def __init__(self, line):
        self.bus = Bus(line, Board())

    async def __aenter__(self):
        await self.bus.open()
        works = (self.bus.send_forever, self.bus.keep_groups_forever, self.bus.receive_forever)
        self._tasks = [asyncio.create_task(work()) for work in works]
        return self

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bus.close()


class Asking(Process):
    """A process that asks."""

    def __init__(self, line):
        super().__init__(line)
        self.now_s = 0.0
        self.engine = RemoteEngine(self.bus, now_s=lambda: self.now_s)

    async def knows(self, fence):
        async with asyncio.timeout(10):
            while self.engine.fence != fence:
                await asyncio.sleep(0.005)


class Answering(Process):
    """A process with an engine, whose doings are the test's."""

    def __init__(self, line):
        super().__init__(line)
        self.clerk = Clerk()
        self.door = EngineDoor(self.bus, self.clerk)  # type: ignore[arg-type]  # what the door needs of a runner
        self.messages = 0
        self._handle = self.bus._handlers["engine.commands"]
        self.bus.on("engine.commands", self._count)

    def _count(self, message):
        self.messages += 1
        self._handle(message)

    async def works(self, fence):
        self.clerk.fence = fence
        self.door.open(fence)
        await self.bus.settled()
        self.door.tell()


@pytest.fixture
async def start(lines):
    """Give a function that starts a process of a kind."""
    async with AsyncExitStack() as stack:

        async def started(kind):
            process = await stack.enter_async_context(kind(lines()))
            await process.bus.settled()
            return process

        yield started


_ids = itertools.count(1)


def cancel(name=None):
    return CancelOrder(account=ANN, id=name or f"order-{next(_ids)}")


async def test_a_command_is_done_elsewhere_and_its_answer_comes_back(start):
    web, engine = await start(Asking), await start(Answering)
    await engine.works(7)
    await web.knows(7)
    command = cancel("a1")
    assert await web.engine.submit(command) == Answer('{"asked":"a1"}')
    assert engine.clerk.asked == [command]


async def test_every_digit_arrives(start):
    web, engine = await start(Asking), await start(Answering)
    await engine.works(1)
    await web.knows(1)
    await web.engine.submit(Deposit(account=ANN, amount=Decimal("0.10000000")))
    (asked,) = engine.clerk.asked
    assert repr(asked.amount) == "Decimal('0.10000000')"


async def test_commands_of_one_moment_travel_together_and_each_gets_its_own_answer(start):
    web, engine = await start(Asking), await start(Answering)
    await engine.works(1)
    await web.knows(1)
    answers = await asyncio.gather(*(web.engine.submit(cancel(f"order-{number}")) for number in range(200)))
    assert [answer.text for answer in answers] == [f'{{"asked":"order-{number}"}}' for number in range(200)]
    assert engine.messages == 1


async def test_each_process_gets_the_answers_to_what_it_has_asked(start):
    webs = [await start(Asking) for _ in range(3)]
    engine = await start(Answering)
    await engine.works(1)
    for web in webs:
        await web.knows(1)
    answers = await asyncio.gather(*(web.engine.submit(cancel(f"of-{number}")) for number, web in enumerate(webs)))
    assert [answer.text for answer in answers] == [f'{{"asked":"of-{number}"}}' for number in range(3)]


async def test_a_refusal_comes_back_as_one(start):
    web, engine = await start(Asking), await start(Answering)
    engine.clerk.refusal = Refused(Code.UNAVAILABLE, "Not now")
    await engine.works(1)
    await web.knows(1)
    assert await web.engine.submit(cancel()) == Answer(code="unavailable", message="Not now")


async def test_a_process_that_starts_later_hears_which_engine_there_is(start):
    engine = await start(Answering)
    await engine.works(4)
    web = await start(Asking)
    engine.door.tell()
    await web.knows(4)
    assert (await web.engine.submit(cancel("late"))).text == '{"asked":"late"}'


async def test_the_inbox_is_told_of(start):
    web, engine = await start(Asking), await start(Answering)
    await engine.works(1)
    web.engine.tell_inbox()
    await asyncio.wait_for(engine.clerk.told.wait(), 10)


# ---- nobody there


async def test_without_an_engine_it_is_unavailable_at_once(start):
    web = await start(Asking)
    with refused_with(Code.UNAVAILABLE) as caught:
        await web.engine.submit(cancel())
    assert caught.value.details == {"retry_after_ms": 1_000}


async def test_an_engine_that_does_not_answer_is_not_waited_for_for_ever(start, monkeypatch):
    monkeypatch.setattr(remote, "ANSWER_S", 0.1)
    web, engine = await start(Asking), await start(Answering)
    engine.clerk.open.clear()
    await engine.works(1)
    await web.knows(1)
    with refused_with(Code.UNAVAILABLE):
        await web.engine.submit(cancel())
    engine.clerk.open.set()
    assert (await web.engine.submit(cancel("next"))).text == '{"asked":"next"}'


async def test_an_engine_that_has_fallen_silent_is_not_asked(start):
    """Then nothing has happened, and nobody has to wait to hear it."""
    web, engine = await start(Asking), await start(Answering)
    await engine.works(1)
    await web.knows(1)
    await asyncio.sleep(0.1)  # it is told twice
    web.now_s += remote.SILENT_S
    assert (await web.engine.submit(cancel("in time"))).text == '{"asked":"in time"}'
    web.now_s += 0.001
    with refused_with(Code.UNAVAILABLE):
        await web.engine.submit(cancel("too late"))
    assert [asked.id for asked in engine.clerk.asked] == ["in time"]
    engine.door.tell()
    async with asyncio.timeout(10):
        while web.engine.silent:
            await asyncio.sleep(0.005)
    assert (await web.engine.submit(cancel("again"))).text == '{"asked":"again"}'


async def test_an_engine_that_was_deposed_does_not_speak_for_the_one_that_works(start):
    web, zombie, working = await start(Asking), await start(Answering), await start(Answering)
    await zombie.works(1)
    await working.works(2)
    await web.knows(2)
    await asyncio.sleep(0.1)  # it is told twice
    web.now_s += remote.SILENT_S + 1
    zombie.door.tell()
    await asyncio.sleep(0.1)  # heard by now
    assert web.engine.silent


async def test_an_engine_does_not_do_what_was_meant_for_another(start, monkeypatch):
    """It was deposed, or has just deposed: commands go with the fence of the engine that was heard of."""
    monkeypatch.setattr(remote, "ANSWER_S", 0.1)
    web, engine = await start(Asking), await start(Answering)
    await engine.works(2)
    await web.knows(2)
    engine.clerk.fence = 3
    with refused_with(Code.UNAVAILABLE):
        await web.engine.submit(cancel())
    assert (engine.messages, engine.clerk.asked) == (1, [])


async def test_an_engine_that_works_no_more_hears_nothing(start, monkeypatch):
    monkeypatch.setattr(remote, "ANSWER_S", 0.1)
    web, engine = await start(Asking), await start(Answering)
    await engine.works(2)
    await web.knows(2)
    await engine.works(0)
    with refused_with(Code.UNAVAILABLE):
        await web.engine.submit(cancel())
    assert engine.messages == 0


async def test_whoever_waits_for_an_engine_that_is_gone_is_told_when_there_is_another(start):
    web, gone, next_one = await start(Asking), await start(Answering), await start(Answering)
    gone.clerk.open.clear()
    await gone.works(1)
    await web.knows(1)
    waiting = asyncio.ensure_future(web.engine.submit(cancel()))
    await asyncio.sleep(0)
    await next_one.works(2)
    with refused_with(Code.UNAVAILABLE):
        await asyncio.wait_for(waiting, 3)  # sooner than an answer is given up
    assert (await web.engine.submit(cancel("again"))).text == '{"asked":"again"}'
    assert next_one.clerk.asked


async def test_an_engine_that_wakes_up_too_late_is_not_asked_again_and_the_log_says_so_once(start, caplog):
    web, zombie, working = await start(Asking), await start(Answering), await start(Answering)
    await zombie.works(1)
    await working.works(2)
    await web.knows(2)
    for _ in range(2):
        zombie.door.tell()
    await asyncio.sleep(0.1)  # heard by now
    await web.engine.submit(cancel())
    assert (web.engine.fence, zombie.clerk.asked, len(working.clerk.asked)) == (2, [], 1)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "trading.remote"]
    assert "with fence 1 is not asked, for one with 2 has worked" in said


async def test_commands_without_an_answer_are_bounded(start):
    web, engine = await start(Asking), await start(Answering)
    engine.clerk.open.clear()
    await engine.works(1)
    await web.knows(1)
    waiting = [asyncio.ensure_future(web.engine.submit(cancel())) for _ in range(MAX_IN_FLIGHT)]
    await asyncio.sleep(0)
    with refused_with(Code.UNAVAILABLE) as caught:
        await web.engine.submit(cancel())
    assert caught.value.details["retry_after_ms"] > 0
    engine.clerk.open.set()
    assert all(await asyncio.gather(*waiting))
    assert (await web.engine.submit(cancel("next"))).text == '{"asked":"next"}'


async def test_whoever_does_not_wait_any_more_takes_no_room(start, monkeypatch):
    monkeypatch.setattr(remote, "MAX_IN_FLIGHT", 5)
    web, engine = await start(Asking), await start(Answering)
    engine.clerk.open.clear()
    await engine.works(1)
    await web.knows(1)
    for _ in range(5):
        gone = asyncio.ensure_future(web.engine.submit(cancel()))
        await asyncio.sleep(0)
        gone.cancel()
    await asyncio.sleep(0)
    engine.clerk.open.set()
    assert (await web.engine.submit(cancel("next"))).text == '{"asked":"next"}'
