"""This process's board of what is last known, for REST and the streams alike; and the way in for ticks."""

from collections.abc import Awaitable, Callable, Sequence

from accounts.errors import Code, Refused
from engine.board import Board
from engine.values import Tick

board = Board()


async def _no_feed(_ticks: Sequence[Tick], _source: str) -> Sequence[tuple[int, str]]:
    raise Refused(Code.UNAVAILABLE)


submit_ticks: Callable[[Sequence[Tick], str], Awaitable[Sequence[tuple[int, str]]]] = _no_feed
"""Hands ticks to the feed, wherever it runs; the composition root puts the real way here."""
