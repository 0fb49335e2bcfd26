"""A server process for tests of the server itself: our hardened Daphne in front of an application that echoes.

python -m tests.journeys.echo_server PORT
"""

import asyncio
import gc
import sys
from typing import Any

from streaming.direct import EXTENSION
from streaming.server import Server, listen

SLEEP_S = 10
"""Longer than a client needs to be ahead; no longer, because a server that is to end waits for it."""


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    scope["extensions"][EXTENSION].writer()
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text", "").startswith("close "):
            _, code, reason = message["text"].split()
            await send({"type": "websocket.close", "code": int(code), "reason": reason})
        elif message.get("text") == "collect":
            await send({"type": "websocket.send", "text": str(gc.collect())})
        elif message.get("text") == "sleep":
            await asyncio.sleep(SLEEP_S)
        else:
            await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def nothing() -> None:
    pass


if __name__ == "__main__":
    Server(echo, on_stop=nothing).run(listen("127.0.0.1", int(sys.argv[1])), nothing)
