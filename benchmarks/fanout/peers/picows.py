"""picows with uvloop, the fastest WebSocket server that Python has: a set per product, a tick encoded once."""

import asyncio
import json
import sys
from collections import defaultdict

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from benchmarks.fanout.peers.keys import known
from benchmarks.fanout.peers.publisher import Publisher, tick

subscribers: dict[str, set[WSTransport]] = defaultdict(set)


class Client(WSListener):
    def __init__(self) -> None:
        self.products: list[str] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            self.answer(transport, json.loads(frame.get_payload_as_bytes()))

    def answer(self, transport: WSTransport, message) -> None:
        if message["type"] == "auth" and known(message["apiKey"]):
            transport.send(WSMsgType.TEXT, b'{"type":"auth","success":true}')
        elif message["type"] == "subscribe":
            self.products += message["symbols"]
            for product in message["symbols"]:
                subscribers[product].add(transport)
            transport.send(WSMsgType.TEXT, b'{"type":"subscribed"}')

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        for product in self.products:
            subscribers[product].discard(transport)


async def put(product: int, bid: int) -> None:
    payload = json.dumps(tick(product, bid), separators=(",", ":")).encode()
    for transport in subscribers[f"S{product:02d}"]:
        transport.send(WSMsgType.TEXT, payload)


def accept(_request: WSUpgradeRequest) -> Client:
    return Client()


async def main(port: int) -> None:
    server = await ws_create_server(accept, "127.0.0.1", port, backlog=4096)
    Publisher(put).listen()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
