"""One process's end of the line to the others: the channel layer, or where that is Valkey, Valkey itself.

On Valkey both write and read the same: the layer's names of groups and its messages. A consumer of somebody else's that
joins a group of the layer hears what is said here. The layer's own way takes a message at a time, there and back, which
ends at some 200 ticks a second; here a read, and a write, is as many as there are.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from streaming.valkey import Connection, connect

logger = logging.getLogger(__name__)

Message = dict[str, Any]


class Line(Protocol):
    """`name` is this process's own address. Every call may raise whatever says that the line is cut."""

    name: str

    async def open(self) -> None: ...

    async def join(self, group: str) -> None: ...

    async def leave(self, group: str) -> None: ...

    async def say(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Send messages to groups, in order; an error loses what is not sent yet."""

    def say_at_once(self, group: str, message: Message) -> bool:
        """Send a message to a group without waiting for anything; False where it cannot leave before this returns."""

    async def answer(self, name: str, message: Message) -> None:
        """Send a message to one process."""

    async def listen(self, heard: Callable[[Message], None]) -> None:
        """Hand over every message that comes, until the line is cut."""

    def alone(self, group: str) -> bool:
        """Tell whether nobody but this process can be in the group."""

    async def close(self) -> None: ...


def line_to(layer: Any, redis_url: str) -> Line:
    """Return the way to the other processes; `redis_url` is the layer's, empty where that is in memory."""
    return ValkeyLine(layer, redis_url) if redis_url else LayerLine(layer)


class LayerLine:
    """Any channel layer, by its own calls."""

    def __init__(self, layer: Any) -> None:
        self.name = ""
        self._layer = layer

    async def open(self) -> None:
        self.name = await self._layer.new_channel()

    async def join(self, group: str) -> None:
        await self._layer.group_add(group, self.name)

    async def leave(self, group: str) -> None:
        await self._layer.group_discard(group, self.name)

    async def say(self, messages: Sequence[tuple[str, Message]]) -> None:
        for group, message in messages:
            await self._layer.group_send(group, message)

    def say_at_once(self, group: str, message: Message) -> bool:
        return False

    async def answer(self, name: str, message: Message) -> None:
        await self._layer.send(name, message)

    async def listen(self, heard: Callable[[Message], None]) -> None:
        while True:
            heard(await self._layer.receive(self.name))

    def alone(self, group: str) -> bool:
        if not isinstance(self._layer, InMemoryChannelLayer):
            return False
        members = self._layer.groups.get(group)
        return not members or members.keys() <= {self.name}

    async def close(self) -> None:
        """The layer is Django's."""


class ValkeyLine:
    """Two connections to Valkey: one that listens, one that speaks."""

    def __init__(self, layer: RedisPubSubChannelLayer, url: str) -> None:
        self.name = ""
        self._layer = layer
        self._url = url
        self._channels: dict[str, None] = {}
        self._ears: Connection | None = None
        self._mouth: Connection | None = None
        self._opening = asyncio.Lock()
        self._heard: Callable[[Message], None] = lambda _: None

    async def open(self) -> None:
        self.name = f"{self._layer.prefix}specific.{uuid.uuid4().hex}"
        self._channels[self.name] = None
        await self._listening()

    async def join(self, group: str) -> None:
        channel = self._channel(group)
        ears = await self._listening()
        await ears.ask(b"SUBSCRIBE", channel.encode())
        self._channels[channel] = None

    async def leave(self, group: str) -> None:
        channel = self._channel(group)
        ears = await self._listening()
        self._channels.pop(channel, None)
        await ears.ask(b"UNSUBSCRIBE", channel.encode())

    async def say(self, messages: Sequence[tuple[str, Message]]) -> None:
        await self._publish([(self._channel(group), message) for group, message in messages])

    def say_at_once(self, group: str, message: Message) -> bool:
        mouth = self._mouth
        if mouth is None or not mouth.has_room:
            return False
        mouth.write(b"PUBLISH", self._channel(group).encode(), self._layer.serialize(message))
        return True

    async def answer(self, name: str, message: Message) -> None:
        await self._publish([(name, message)])

    async def listen(self, heard: Callable[[Message], None]) -> None:
        self._heard = heard
        ears = await self._listening()
        await ears.ended()

    async def close(self) -> None:
        for connection in (self._ears, self._mouth):
            if connection is not None:
                connection.close()

    def alone(self, group: str) -> bool:
        return False

    def _channel(self, group: str) -> str:
        return f"{self._layer.prefix}__group__{group}"

    async def _publish(self, messages: Sequence[tuple[str, Message]]) -> None:
        async with self._opening:
            if self._mouth is None or self._mouth.is_cut:
                self._mouth = await self._speaking()
        mouth = self._mouth
        for channel, message in messages:
            mouth.write(b"PUBLISH", channel.encode(), self._layer.serialize(message))
        await mouth.drained()

    async def _speaking(self) -> Connection:
        """Return a connection that is told nothing back: an answer to every message would wake this process for it.

        So whether it may publish at all is asked at once.
        """
        mouth = await connect(self._url, lambda _: None)
        await mouth.ask(b"PUBLISH", self._channel("nobody").encode(), b"")
        mouth.write(b"CLIENT", b"REPLY", b"OFF")
        return mouth

    async def _listening(self) -> Connection:
        """Return the connection that listens; a new one listens to everything that was joined."""
        async with self._opening:
            if self._ears is None or self._ears.is_cut:
                ears = await connect(self._url, self._pushed)
                for channel in self._channels:
                    await ears.ask(b"SUBSCRIBE", channel.encode())
                self._ears = ears
            return self._ears

    def _pushed(self, packed: bytes) -> None:
        try:
            message = self._layer.deserialize(packed)
        except Exception:
            logger.exception("A message of the channel layer could not be read")
            return
        self._heard(message)
