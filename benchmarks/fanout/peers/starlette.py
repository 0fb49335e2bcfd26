"""Starlette on uvicorn with uvloop: a set of subscribers per product, a tick encoded once, sent to one by one."""

import asyncio
import json
import sys
from collections import defaultdict
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.fanout.peers.keys import known
from benchmarks.fanout.peers.publisher import Publisher, tick

subscribers: dict[str, set[WebSocket]] = defaultdict(set)


async def endpoint(socket: WebSocket) -> None:
    await socket.accept()
    mine: list[str] = []
    try:
        while True:
            message = await socket.receive_json()
            if message["type"] == "auth" and known(message["apiKey"]):
                await socket.send_json({"type": "auth", "success": True})
            elif message["type"] == "subscribe":
                mine += message["symbols"]
                for product in message["symbols"]:
                    subscribers[product].add(socket)
                await socket.send_json({"type": "subscribed", "symbols": message["symbols"]})
    except WebSocketDisconnect:
        for product in mine:
            subscribers[product].discard(socket)


async def put(product: int, bid: int) -> None:
    text = json.dumps(tick(product, bid), separators=(",", ":"))
    for socket in list(subscribers[f"S{product:02d}"]):
        try:
            await socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            subscribers[f"S{product:02d}"].discard(socket)


@asynccontextmanager
async def lifespan(_app: Starlette):
    asyncio.get_running_loop().call_later(0.2, Publisher(put).listen)  # behind uvicorn's own start
    yield


app = Starlette(routes=[WebSocketRoute("/{path:path}", endpoint)], lifespan=lifespan)

if __name__ == "__main__":
    uvicorn.run(
        app, port=int(sys.argv[1]), loop="uvloop", ws="websockets-sansio", ws_per_message_deflate=False,
        log_level="warning", backlog=4096,
    )  # fmt: skip
