"""What do all processes of this house say? Questions that every process answers, over the channel layer.

For pages of administrators only: an answer that does not come within a second is left out, and that is said.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from streaming import topics
from streaming.bus import Bus
from streaming.figures import Figures

logger = logging.getLogger(__name__)

HEARD_S = 3.5
"""How long a process counts that has said nothing: three of its words were lost, or it is gone."""

ANSWER_S = 1.0

Answerer = Callable[[dict[str, Any]], Awaitable[Any]]


@dataclass(slots=True)
class Answers:
    """`given`: process -> its answer, this one's first; `silent`: processes of which none came in time."""

    given: dict[str, Any] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    """Processes are told apart by their origins: in containers several may have one name and number."""

    expected: dict[str, str]
    """origin -> the process's name"""
    answers: dict[str, Any] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def result(self, process: str, own: Any) -> Answers:
        """Return what has been answered, this process's own first; who shares a name is told apart."""
        answers = Answers({process: own})
        for origin, name in sorted(self.expected.items(), key=lambda entry: entry[::-1]):
            shown = f"{name} {origin[:4]}" if name in answers.given else name
            if origin in self.answers:
                answers.given[shown] = self.answers[origin]
            else:
                answers.silent.append(shown)
        return answers


class Peers:
    """The other processes, as this one hears them."""

    def __init__(self, bus: Bus, process: str, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self.process = process
        self._bus = bus
        self._now_s = now_s
        self._heard: dict[str, tuple[float, Figures]] = {}
        self._answerers: dict[str, Answerer] = {}
        self._calls: dict[str, _Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        bus.on("process.figures", self._figures)
        bus.on("process.asked", self._asked)
        bus.on("process.answered", self._answered)
        bus.want(topics.PROCESSES, True)

    # ---- figures

    def tell(self, figures: Figures) -> None:
        """Say this process's figures to the others, and forget those that are gone."""
        self._forget_silent()
        self._post("process.figures", figures=msgspec.to_builtins(figures))

    def heard(self) -> list[Figures]:
        """Return the newest figures of every other process that lives, by name."""
        self._forget_silent()
        return sorted((figures for _, figures in self._heard.values()), key=lambda figures: figures.process)

    def _forget_silent(self) -> None:
        since_s = self._now_s() - HEARD_S
        self._heard = {name: entry for name, entry in self._heard.items() if entry[0] >= since_s}

    def _figures(self, message: dict[str, Any]) -> None:
        figures = msgspec.convert(message["figures"], Figures)
        self._heard[message["origin"]] = self._now_s(), figures

    # ---- questions

    def answer(self, what: str, answerer: Answerer) -> None:
        """Answer a question with what this coroutine function returns of its fields: only what JSON has."""
        self._answerers[what] = answerer

    async def ask(self, what: str, **fields: Any) -> Answers:
        """Ask every process, this one too."""
        self._forget_silent()
        call = _Call({origin: figures.process for origin, (_, figures) in self._heard.items()})
        number = uuid.uuid4().hex
        self._calls[number] = call
        if call.expected:
            self._post("process.asked", call=number, reply=self._bus.channel, what=what, fields=fields)
        try:
            own = await self._answer_to(what, fields)
            if call.expected:
                await asyncio.wait_for(call.complete.wait(), ANSWER_S)
        except TimeoutError:
            pass
        finally:
            del self._calls[number]
        return call.result(self.process, own)

    def _asked(self, message: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._reply(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, message: dict[str, Any]) -> None:
        try:
            answer = await self._answer_to(message["what"], message["fields"])
            told = {"type": "process.answered", "call": message["call"], "answer": answer}
            await self._bus.answer(message["reply"], {**told, "origin": self._bus.origin})
        except Exception as error:
            logger.warning("A question of another process was not answered: %s", type(error).__name__)

    async def _answer_to(self, what: str, fields: dict[str, Any]) -> Any:
        answerer = self._answerers.get(what)
        return None if answerer is None else await answerer(fields)

    def _answered(self, message: dict[str, Any]) -> None:
        call = self._calls.get(message["call"])
        if call is None:
            return
        call.answers[message["origin"]] = message["answer"]
        if call.answers.keys() >= call.expected.keys():
            call.complete.set()

    def _post(self, kind: str, **fields: Any) -> None:
        self._bus.post(topics.PROCESSES, {"type": kind, "origin": self._bus.origin, **fields})
