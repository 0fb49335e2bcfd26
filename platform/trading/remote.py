"""The engine in another process: commands of one loop turn gathered into one message, answers likewise.

The channel layer carries them, so any of them may be lost: a command without an answer is an unknown outcome, which the
same `client_order_id`, or a look-up by it, resolves.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from typing import Any

from accounts.errors import Code, Refused
from engine.commands import Command, Input
from streaming import topics
from streaming.bus import Bus
from trading.entries import entry_read, entry_text
from trading.live import Answer
from trading.runner import Runner

logger = logging.getLogger(__name__)

MAX_IN_FLIGHT = 1_000
"""Commands of one process without an answer yet; beyond it the asker is told to come back."""

ANSWER_S = 5.0
"""How long an answer is waited for: a standby has taken over by then."""

SILENT_S = 3.0
"""An engine says every second that it works. One that has been silent for longer is not asked at all: it is certain
then that nothing has happened, and nobody waits to hear it."""

RETRY_AFTER_MS = 1_000


class RemoteEngine:
    """The asking side. The fence that an engine tells goes with every command: who has been deposed does not answer."""

    def __init__(self, bus: Bus, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self.fence = 0
        self._older_fence = 0
        self._bus = bus
        self._now_s = now_s
        self._heard_s = now_s()
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Answer]] = {}
        self._outbox: list[tuple[int, str]] = []
        bus.on("engine.here", self._here)
        bus.on("engine.answers", self._answered)
        bus.want(topics.ENGINE_NEWS, True)

    @property
    def silent(self) -> bool:
        """Tell whether the engine has not been heard of for too long."""
        return self._now_s() - self._heard_s > SILENT_S

    async def submit(self, command: Command) -> Answer:
        """Return the engine's answer to a command; raises `Refused` (UNAVAILABLE)."""
        if not self.fence or self.silent or len(self._calls) >= MAX_IN_FLIGHT:
            raise Refused(Code.UNAVAILABLE, "The engine is not ready", retry_after_ms=RETRY_AFTER_MS)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        number = next(self._numbers)
        self._calls[number] = answer
        if not self._outbox:
            loop.call_soon(self._send)
        self._outbox.append((number, entry_text(Input(command, 0))))
        # Not wait_for: it costs a task, and a turn of the loop between the answer and who waits for it.
        timer = loop.call_later(ANSWER_S, self._give_up, number)
        try:
            return await answer
        finally:
            timer.cancel()
            self._calls.pop(number, None)

    def tell_inbox(self) -> None:
        self._bus.post(topics.ENGINE, {"type": "engine.inbox", "origin": self._bus.origin})

    def _send(self) -> None:
        calls, self._outbox = self._outbox, []
        message = {"type": "engine.commands", "fence": self.fence, "reply": self._bus.channel, "calls": calls}
        self._bus.post(topics.ENGINE, {**message, "origin": self._bus.origin})

    def _here(self, message: dict[str, Any]) -> None:
        fence = int(message["fence"])
        if fence < self.fence:
            self._passed_over(fence)
            return
        self._heard_s = self._now_s()
        if fence == self.fence:
            return
        self.fence = fence
        for number in list(self._calls):
            # Asked of an engine that is gone: its answer may be lost, and nobody has to wait to hear that.
            self._give_up(number)

    def _passed_over(self, fence: int) -> None:
        """Say once that an engine is not believed: it was frozen, and has not noticed yet that another one works."""
        if fence != self._older_fence:
            self._older_fence = fence
            logger.warning(
                "An engine with fence %d is not asked, for one with %d has worked: it was deposed, or a backup was "
                "restored without `manage.py new_epoch`", fence, self.fence,
            )  # fmt: skip

    def _answered(self, message: dict[str, Any]) -> None:
        for number, text, code, words in message["answers"]:
            answer = self._calls.get(number)
            if answer is not None and not answer.done():
                answer.set_result(Answer(text, code, words))

    def _give_up(self, number: int) -> None:
        answer = self._calls.get(number)
        if answer is not None and not answer.done():
            answer.set_exception(
                Refused(
                    Code.UNAVAILABLE, "The engine has not answered; look the order up", retry_after_ms=RETRY_AFTER_MS
                )
            )


class EngineDoor:
    """The engine's side: what other processes ask, and where the answers go."""

    def __init__(self, bus: Bus, runner: Runner) -> None:
        self._bus = bus
        self._runner = runner
        self._outbox: dict[str, list[list[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        bus.on("engine.commands", self._commands)
        bus.on("engine.inbox", lambda _: runner.inbox_changed())

    def open(self, fence: int) -> None:
        """Listen with this fence, or (0) no more; the askers are told."""
        self._bus.want(topics.ENGINE, bool(fence))
        self.tell()

    def tell(self) -> None:
        """Say who may be asked; a process that starts later hears it within a second."""
        if self._runner.fence:
            message = {"type": "engine.here", "fence": self._runner.fence, "origin": self._bus.origin}
            self._bus.post(topics.ENGINE_NEWS, message)

    def _commands(self, message: dict[str, Any]) -> None:
        # Meant for another engine, which was deposed or has deposed us: only who holds the lease may answer.
        if message["fence"] != self._runner.fence:
            return
        for number, text in message["calls"]:
            task = asyncio.get_running_loop().create_task(self._do(message["reply"], number, text))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _do(self, reply: str, number: int, text: str) -> None:
        try:
            answer = await self._runner.submit(entry_read(text).command)
        except Refused as refused:
            answer = Answer(code=str(refused.code), message=refused.message)
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._send)
        self._outbox.setdefault(reply, []).append([number, answer.text, answer.code, answer.message])

    def _send(self) -> None:
        outbox, self._outbox = self._outbox, {}
        for reply, answers in outbox.items():
            task = asyncio.get_running_loop().create_task(
                self._bus.answer(reply, {"type": "engine.answers", "answers": answers})
            )
            self._tasks.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the layer is away: the outcome is unknown to the asker, who looks it up
