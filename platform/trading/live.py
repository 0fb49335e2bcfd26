"""The way to the engine, wherever it runs; the composition root puts the real way here."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from accounts.errors import Code, Refused
from engine.commands import Command


class Answer(NamedTuple):
    """What the engine says to a command: the result's JSON text, or (`code`) why it refuses."""

    text: str = ""
    code: str = ""
    message: str = ""

    @property
    def words(self) -> str:
        """What is kept of it beside the code."""
        return self.message if self.code else self.text


async def _no_engine(_command: Command) -> Answer:
    raise Refused(Code.UNAVAILABLE)


def _no_inbox() -> None:
    """The engine looks by itself every 250 ms."""


tell_inbox: Callable[[], None] = _no_inbox
"""Tell the engine that an administrator's command waits for it; call this on the event loop."""

submit: Callable[[Command], Awaitable[Answer]] = _no_engine
"""Hand a command to the engine and return its answer, which is given only after the commit.

Raises `Refused` (UNAVAILABLE) where the outcome is not known; the same `client_order_id` or a look-up resolves it.
"""
