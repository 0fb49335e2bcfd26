"""Clients that come back when all is over: with what they know, or with what cannot be."""

import uuid
from typing import Any

from tests.crashes.account import Account, Event
from tests.crashes.wire import next_message, open_stream, spelled, subscribe

CHANNELS = ["trading:orders_demo", "trading:positions_demo", "trading:balances_demo"]


async def whole_log(port: int, account: Account, epoch: str, length: int) -> tuple[Any, list[Event]]:
    """Resume from the very beginning; return whether it was recovered, and that many events."""
    async with await open_stream(port) as stream:
        reply = await subscribe(stream, account.key, CHANNELS, resume={"demo": {"epoch": epoch, "offset": 0}})
        log: list[Event] = []
        while len(log) < length:
            message = await next_message(stream)
            if "offset" in message:
                log.append(Event(message["offset"], message["event"], spelled(message["data"])))
        return reply["accounts"]["demo"]["recovered"], log


async def impossible(port: int, account: Account, epoch: str, length: int) -> list[tuple[Any, dict[str, Any]]]:
    """Resume in another history, and ahead of this one; return what was said of each, and the first event after it."""
    said = []
    for resume in ({"epoch": str(uuid.uuid4()), "offset": length}, {"epoch": epoch, "offset": length + 1}):
        async with await open_stream(port) as stream:
            reply = await subscribe(stream, account.key, CHANNELS, resume={"demo": resume})
            said.append((reply["accounts"]["demo"]["recovered"], await next_message(stream)))
    return said
