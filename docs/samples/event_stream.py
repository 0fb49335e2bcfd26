import asyncio, base64, hashlib, hmac, json, time

import websockets

KEY_ID = "8b6bcdc6-…"
SECRET = "tk_demo_…"
WS_URL = "ws://127.0.0.1:8080/ws/events"
CHANNELS = ["trading:quotes:EUR-USD", "trading:orders_demo", "trading:positions_demo", "trading:balances_demo"]
FINAL = (1000, 1008, 1009, 4003, 4010)  # after these, coming back is of no use


def signed():
    timestamp = int(time.time() * 1000)
    digest = hmac.new(SECRET.encode(), f"{timestamp}GET/ws-auth".encode(), hashlib.sha256).digest()
    return {"key": KEY_ID, "sig": base64.b64encode(digest).decode(), "timestamp": timestamp}


async def main():
    log = None  # how far we have read the demo account's log: after a lost connection it goes on there
    async for socket in websockets.connect(WS_URL):
        try:
            resume = {"resume": {"demo": log}} if log else {}
            await socket.send(json.dumps({"type": "subscribe", "channels": CHANNELS, "auth": signed(), **resume}))
            async for text in socket:
                message = json.loads(text)
                if "accounts" in message:
                    log = {name: message["accounts"]["demo"][name] for name in ("epoch", "offset")}
                elif "offset" in message:
                    log["offset"] = message["offset"]
                print(text)
        except websockets.ConnectionClosed:
            pass
        print("closed:", socket.close_code, socket.close_reason)
        if socket.close_code in FINAL:
            break


asyncio.run(main())
