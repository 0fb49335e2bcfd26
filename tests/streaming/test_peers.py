"""Processes that hear and ask one another, over one channel layer."""

import asyncio

import pytest
from channels.layers import InMemoryChannelLayer

from engine.board import Board
from streaming import peers
from streaming.bus import Bus
from streaming.lines import LayerLine
from streaming.peers import HEARD_S, Peers
from tests.streaming.nodes import until
from tests.streaming.test_figures import figures


@pytest.fixture
async def start():
    """Give a function that starts a process's peers; their clock is `now_s[0]`."""
    layer, now_s = InMemoryChannelLayer(capacity=1_000), [100.0]
    tasks: list[asyncio.Task[None]] = []

    async def started(name):
        bus = Bus(LayerLine(layer), Board())
        await bus.open()
        one = Peers(bus, name, now_s=lambda: now_s[0])
        loop = asyncio.get_running_loop()
        works = (bus.send_forever, bus.keep_groups_forever, bus.receive_forever)
        tasks.extend(loop.create_task(work()) for work in works)
        await bus.settled()
        return one

    started.now_s = now_s  # type: ignore[attr-defined]
    yield started
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def echo(fields):
    return {"heard": fields["word"]}


async def silence(fields):
    await asyncio.sleep(60)


@pytest.fixture
async def three(start):
    """Three processes that know of each other."""
    every = [await start(name) for name in ("a:1", "b:2", "c:3")]
    for one in every:
        one.tell(figures(one.process))
    await until(lambda: all(len(one.heard()) == 2 for one in every))
    return every


async def test_figures_are_heard_by_the_others_until_they_are_old(start, three):
    first, *_ = three
    assert [one.process for one in first.heard()] == ["b:2", "c:3"]
    start.now_s[0] += HEARD_S + 0.1
    assert first.heard() == []


async def test_every_process_answers_a_question_this_one_first(three):
    for one in three:
        one.answer("echo", echo)
    answers = await three[1].ask("echo", word="hello")
    assert answers.given == {name: {"heard": "hello"} for name in ("b:2", "a:1", "c:3")}
    assert next(iter(answers.given)) == "b:2"
    assert answers.silent == []


async def test_who_cannot_answer_says_so_and_who_does_not_is_named(three, monkeypatch):
    monkeypatch.setattr(peers, "ANSWER_S", 0.2)
    first, second, third = three
    first.answer("echo", echo)
    third.answer("echo", silence)
    answers = await first.ask("echo", word="hello")
    assert answers.given == {"a:1": {"heard": "hello"}, "b:2": None}
    assert answers.silent == ["c:3"]
    assert second.process not in answers.silent


async def test_an_answerer_that_breaks_is_like_silence(three, monkeypatch, caplog):
    monkeypatch.setattr(peers, "ANSWER_S", 0.2)
    first, second, third = three
    for one in (first, third):
        one.answer("echo", echo)

    async def broken(fields):
        raise ValueError

    second.answer("echo", broken)
    assert (await first.ask("echo", word="hello")).silent == ["b:2"]
    assert "was not answered: ValueError" in caplog.text


async def test_alone_a_process_asks_itself_and_waits_for_nobody(start):
    one = await start("a:1")
    one.answer("echo", echo)
    answers = await asyncio.wait_for(one.ask("echo", word="hello"), 0.5)
    assert (answers.given, answers.silent) == ({"a:1": {"heard": "hello"}}, [])


async def test_processes_of_one_name_are_told_apart(start):
    every = [await start("host:1") for _ in range(3)]
    for number, one in enumerate(every):
        one.tell(figures("host:1", delivered=number))
        one.answer("echo", echo)
    await until(lambda: all(len(one.heard()) == 2 for one in every))
    answers = await every[0].ask("echo", word="hello")
    assert len(answers.given) == 3
    assert all(name.startswith("host:1") for name in answers.given)
    assert answers.silent == []


async def test_figures_that_are_none_are_not_believed(three, caplog):
    first, second, _ = three
    second._post("process.figures", figures={"process": "x", "delivered": "many"})
    second.tell(figures("b:2", delivered=5))
    await until(lambda: first.heard()[0].delivered == 5)
    assert [one.process for one in first.heard()] == ["b:2", "c:3"]
    assert "could not be read" in caplog.text
