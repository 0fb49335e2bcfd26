"""What everyone writes first: a Channels consumer, one group per product, the in-memory layer, stock Daphne."""

import sys

import daphne.server  # isort: skip  # first: it installs the asyncio reactor
import django
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from twisted.internet import reactor

from benchmarks.fanout.peers.keys import known
from benchmarks.fanout.peers.publisher import Publisher, tick

settings.configure(
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

IN_FLIGHT = 4
"""With more, nothing gets faster and everything later: its time per tick grows with what waits."""

delivered = 0
subscribed = 0


class Consumer(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content, **_):
        global subscribed  # noqa: PLW0603  # the measurement's, not the consumer's
        if content["type"] == "auth" and known(content["apiKey"]):
            await self.send_json({"type": "auth", "success": True})
        elif content["type"] == "subscribe":
            for product in content["symbols"]:
                await self.channel_layer.group_add(product, self.channel_name)
            subscribed += 1
            await self.send_json({"type": "subscribed", "symbols": content["symbols"]})

    async def tick(self, event):
        global delivered  # noqa: PLW0603
        await self.send_json(event["tick"])
        delivered += 1


async def put(product, bid):
    message = {"type": "tick", "tick": tick(product, bid)}
    await get_channel_layer().group_send(f"S{product:02d}", message)


publisher = Publisher(put, unsent=lambda: publisher.published - delivered / max(1, subscribed), in_flight=IN_FLIGHT)

if __name__ == "__main__":
    endpoint = f"tcp:port={sys.argv[1]}:interface=127.0.0.1"
    reactor.callLater(0, publisher.listen)
    daphne.server.Server(ProtocolTypeRouter({"websocket": Consumer.as_asgi()}), endpoints=[endpoint], verbosity=0).run()
