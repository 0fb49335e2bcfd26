"""A trader's two ways to the engine: a socket that comes back whenever it is cut, and REST."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection

from tests.crashes.course import Course
from tests.crashes.places import PRODUCTS
from tests.crashes.wire import (
    AGAIN_S,
    ANSWER_S,
    GONE,
    Answer,
    NoAnswer,
    NotSent,
    answered,
    open_stream,
    query,
    rest,
    spelled,
    subscribe,
)
from tests.journeys.harness import Key

Quotes = dict[str, tuple[str, str]]
"""Product -> bid and ask, as the wire has them."""


class Way(Protocol):
    name: str

    async def ask(self, action: str, params: Mapping[str, Any]) -> Answer:
        """Have the engine do something; raises `NoAnswer`, or `NotSent` where it has certainly not happened."""


class RestWay:
    name = "REST"

    def __init__(self, course: Course, key: Key, chance: Random) -> None:
        self._course, self._key, self._chance = course, key, chance

    async def ask(self, action: str, params: Mapping[str, Any]) -> Answer:
        return await self.call("POST", query(f"/trading/trade/{action}"), params)

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        return await rest(self._course.any_port(self._chance), method, path, self._key.secret, body)


class SocketWay:
    """One connection that trades and hears quotes; run it beside who asks."""

    name = "socket"

    def __init__(self, course: Course, key: Key, chance: Random) -> None:
        self.quotes: Quotes = {}
        self._course, self._key, self._chance = course, key, chance
        self._stream: ClientConnection | None = None
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Answer]] = {}

    async def ask(self, action: str, params: Mapping[str, Any]) -> Answer:
        if self._stream is None:
            raise NotSent
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        message = {"type": "trade", "id": number, "action": action, "demo": True, "params": params}
        try:
            await self._stream.send(json.dumps(message))
            # Not wait_for: in Python 3.11 it may swallow a cancellation.
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except GONE as error:
            raise NoAnswer(type(error).__name__) from error
        finally:
            del self._asked[number]

    async def run(self) -> None:
        """Be connected, for ever."""
        while True:
            with suppress(*GONE):
                async with await open_stream(self._course.any_port(self._chance)) as stream:
                    await self._listen(stream)
            await asyncio.sleep(self._chance.uniform(*AGAIN_S))

    async def _listen(self, stream: ClientConnection) -> None:
        reply = await subscribe(stream, self._key, [f"trading:quotes:{product}@250ms" for product in PRODUCTS])
        if reply["type"] != "subscribed":
            return
        self._stream = stream
        try:
            async for text in stream:
                self._take(json.loads(text))
        finally:
            self._stream = None
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(NoAnswer("disconnected"))

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("event") == "quote":
            product, _, bid, ask, *_ = message["data"]
            self.quotes[product] = (bid, ask)
        elif message.get("id") in self._asked:
            answer = self._asked[message["id"]]
            if answer.done():
                return
            if message["type"] == "result":
                answer.set_result(Answer(spelled(message["data"])))
                return
            try:
                answer.set_result(answered(message["code"]))
            except NoAnswer as unknown:
                answer.set_exception(unknown)
