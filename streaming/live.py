"""The way from a page to this process's watch; the composition root puts the real one here."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from accounts.errors import Code, Refused
from streaming.figures import Figures
from streaming.peers import Answers


class Ask(Protocol):
    def __call__(self, what: str, **fields: Any) -> Awaitable[Answers]: ...


async def _nobody(what: str, **fields: Any) -> Answers:
    raise Refused(Code.UNAVAILABLE)


def _nothing() -> list[Figures]:
    return []


ask: Ask = _nobody
"""Ask every process; call it on this process's loop. Raises `Refused` (UNAVAILABLE) where nothing is served."""

processes: Callable[[], list[Figures]] = _nothing
"""Return the newest figures of all processes."""
