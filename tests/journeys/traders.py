"""Traders for the journeys: accounts made in one go, signed REST calls, event streams, prices that are the test's own.

exchange = Exchange(server)
exchange.prices("1.26630", "1.26635")
ann = exchange.trader()
with ann.stream() as stream:
    order = stream.trade("new", **MARKET)
"""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.journeys.clients import Client, tick_client
from tests.journeys.cluster import Cluster
from tests.journeys.harness import RELAXED, Key, Server, eventually

MARKET = {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "300", "amount": 1000000}
"""The document's order: 1000 BTC at leverage 300, a margin of 3.33333333."""

PENDING = {**MARKET, "type": "pending", "price": "1.25000", "amount": 1000}
"""A buy limit below the document's price, with a margin of 0.00333333."""

BID, ASK = "1.26630", "1.26635"
"""The document's prices: it buys at 1.26635."""

DEMO = ("trading:orders_demo", "trading:positions_demo", "trading:balances_demo")
LIVE = ("trading:orders", "trading:positions", "trading:balances")

SETTINGS = {**RELAXED, "STALE_AFTER_S": "600"}
"""Prices stay fresh: a test moves the market when it wants to."""

ACCOUNTS = 80
"""Made at once: what costs is the start of Django, not the key."""

ALL = ("--scope", "market", "--scope", "read", "--scope", "trade")
HOLDERS = {
    "publisher": ("--scope", "market", "--scope", "feed"),
    "reader": ("--scope", "market", "--scope", "read"),
    "demo-only": ("--scope", "read", "--scope", "trade", "--env", "demo"),
    "admin": ALL,
}
"""Users with keys of their own kind."""

PASSWORD = "correct horse battery"
_ISSUE = """
from django.core.management import call_command
from accounts.models import User
for command in {commands}:
    call_command("issue_key", *command)
admin = User.objects.get(username="admin")
admin.set_password({password!r})
admin.save()
"""

_stamps = itertools.count(1)
_lock = threading.Lock()
_last_ms = 0

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Answer:
    """A REST answer: its status, its headers, and its text as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The error's code; `""` for what is no error."""
        return str(self.data["code"]) if self.status >= 400 else ""


@dataclass(frozen=True, slots=True)
class Trader:
    """Somebody with a key: REST calls (signed) and streams, on the demo account unless told otherwise."""

    server: Server
    name: str
    key: Key
    demo: bool = True

    def at(self, server: Server) -> "Trader":
        """Return the same trader at another web process."""
        return Trader(server, self.name, self.key, self.demo)

    def live(self) -> "Trader":
        """Return the same trader's live account."""
        return Trader(self.server, self.name, self.key, demo=False)

    # ---- REST

    def get(self, path: str, **query: Any) -> Answer:
        return self.call("GET", path, query)

    def post(self, action: str, **body: Any) -> Answer:
        return self.call("POST", f"/trading/trade/{action}", {}, body)

    def call(self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any] | None = None) -> Answer:
        """Make a signed call, as the vendor's client signs it: without the leading /trading."""
        full = {**query, "demo": "true"} if self.demo else dict(query)
        target = f"{path}?{urlencode(full)}" if full else path
        content = b"" if body is None else json.dumps(body).encode()
        stamp_ms = unique_ms()
        headers = {
            "T8-APIKEY": self.key.id,
            "T8-TIMESTAMP": str(stamp_ms),
            "T8-SIG": signed(self.key.secret, stamp_ms, method, target.removeprefix("/trading"), content),
            **({"Content-Type": "application/json"} if content else {}),
        }
        return called(self.server, method, target, content, headers)

    def done(self, action: str, **body: Any) -> dict[str, Any]:
        """Make a trade call that has to be accepted, and return its result."""
        answer = self.post(action, **body)
        assert answer.status == 200, answer
        result: dict[str, Any] = answer.data
        return result

    def balance(self) -> str:
        found: str = self.get("/trading/balances").data["BTC"]
        return found

    # ---- sockets

    def stream(self, *channels: str, **fields: Any) -> "Stream":
        """Return an event stream with these private channels, or with all of the account."""
        stream = Stream(self.server.ws_url + "/ws/events", demo=self.demo)
        stream.subscribed = stream.ask(
            {"type": "subscribe", "channels": channels or (DEMO if self.demo else LIVE), "auth": self.auth(), **fields}
        )
        assert stream.subscribed["type"] == "subscribed", stream.subscribed
        return stream

    def auth(self) -> dict[str, Any]:
        stamp_ms = unique_ms()
        return {"key": self.key.id, "sig": signed(self.key.secret, stamp_ms, "GET", "/ws-auth"), "timestamp": stamp_ms}


class Stream(Client):
    """An event stream of somebody who trades. `text` is the last message as it came, `subscribed` the first reply."""

    def __init__(self, url: str, *, demo: bool) -> None:
        super().__init__(url)
        self.demo = demo
        self.text = ""
        self.subscribed: dict[str, Any] = {}
        self.early: list[str] = []
        """Events that came while a reply was waited for, as they came."""

    def next(self, within_s: float = 10) -> dict[str, Any]:
        self.ws.settimeout(within_s)
        self.text = str(self.ws.recv())
        message: dict[str, Any] = json.loads(self.text)
        return message

    def ask(self, message: dict[str, Any] | str, **wanted: Any) -> dict[str, Any]:
        self.send(message)
        return self.reply(**wanted)

    def reply(self, **wanted: Any) -> dict[str, Any]:
        """Return the next reply that has these fields; events on the way are kept in `early`."""
        while True:
            message = self.next()
            if "event" in message:
                self.early.append(self.text)
            elif wanted.items() <= message.items():
                return message

    def send_trade(self, action: str, **params: Any) -> int:
        """Send a trade and return its message id."""
        number = next(_stamps)
        self.send({"type": "trade", "id": number, "action": action, "demo": self.demo, "params": params})
        return number

    def trade(self, action: str, **params: Any) -> dict[str, Any]:
        """Have a trade done and return its result's data; `text` is the whole reply."""
        reply = self.reply(id=self.send_trade(action, **params))
        assert reply["type"] == "result", reply
        data: dict[str, Any] = reply["data"]
        return data

    def refused(self, action: str, **params: Any) -> str:
        """Return the code with which a trade is refused."""
        reply = self.reply(id=self.send_trade(action, **params))
        assert reply["type"] == "error", reply
        return str(reply["code"])

    def event(self, within_s: float = 10) -> dict[str, Any]:
        """Return the next private event, or snapshot; `text` is as it came."""
        deadline_s = time.monotonic() + within_s
        while True:
            if self.early:
                self.text = self.early.pop(0)
                message = json.loads(self.text)
            else:
                # A connection that only beats has nothing to tell.
                message = self.next(max(0.01, deadline_s - time.monotonic()))
            if "event" in message and message["event"] != "heartbeat":
                return message  # type: ignore[no-any-return]  # JSON

    def events(self, count: int) -> list[dict[str, Any]]:
        return [self.event() for _ in range(count)]

    def texts(self, count: int) -> list[str]:
        """Return the next private events as they came, without what differs each time (`plain`)."""
        return [plain(self.text) for _ in range(count) if self.event()]

    def quiet(self) -> None:
        """Assert that there is nothing more to be told: what follows a ping is its pong."""
        self.send({"type": "ping"})
        message = self.next()
        while message.get("event") == "heartbeat":
            message = self.next()
        assert message["type"] == "pong", message

    def cut(self) -> None:
        """End the connection without a word, as a cable that is pulled out does."""
        # Nothing is to be sent any more: the kernel answers with a reset.
        assert self.ws.sock is not None
        self.ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.ws.shutdown()


class Exchange:
    """A server, or a cluster's web processes, where the tests publish the prices and each trades on its own account.

    The administrator's password is `PASSWORD`.
    """

    def __init__(self, server: Server, *, cluster: Cluster | None = None, accounts: int = ACCOUNTS) -> None:
        self.server = server
        self.cluster = cluster
        servers = cluster.webs if cluster is not None else [server]
        names = [f"trader-{number}" for number in range(accounts)]
        wanted = {**HOLDERS, **dict.fromkeys(names, ALL)}
        issued = zip(wanted, self._issued([[name, *options] for name, options in wanted.items()]), strict=True)
        self._traders = {name: Trader(at, name, key) for at, (name, key) in zip(itertools.cycle(servers), issued)}
        self._unused = iter(names)
        self._scout: Trader | None = None

    # ---- accounts

    def trader(self) -> Trader:
        """Return somebody with a key for everything and an account that nobody has used; at each web in turn."""
        return self._traders[next(self._unused)]

    def holder(self, name: str) -> Trader:
        """Return one of the `HOLDERS`."""
        return self._traders[name]

    def _issued(self, wanted: Sequence[Sequence[str]]) -> list[Key]:
        """Return keys, each as `issue_key` was asked for it: one start of Django for all of them."""
        commands = [[*one, "--json"] for one in wanted]
        printed = self.server.manage("shell", "-c", _ISSUE.format(commands=commands, password=PASSWORD))
        issued = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        return [Key(id=one["id"], secret=one["secret"]) for one in issued]

    # ---- prices

    def publish(self, bid: str, ask: str, symbol: str = "EURUSD") -> None:
        """Publish a tick, and go on at once."""
        # A connection of its own each time: one that is kept has to answer pings.
        with tick_client(self.server, self.holder("publisher").key.secret) as feed:
            tick = [symbol, bid, ask, int(time.time() * 1000)]
            assert feed.ask({"type": "publish", "ticks": [tick]})["refused"] == []

    def prices(self, bid: str = BID, ask: str = ASK) -> None:
        """Move EUR-USD, and wait until the engine trades there: somebody's smallest order tells."""
        self.publish(bid, ask)
        self._scout = self._scout or self.trader()
        with self._scout.stream(DEMO[0]) as scout:
            eventually(lambda: _filled_at(scout) == (ask, bid))


def _filled_at(scout: Stream) -> tuple[str, str] | None:
    """Return where the engine buys and sells EUR-USD now; None where it does neither yet."""
    reply = scout.reply(id=scout.send_trade("new", **{**MARKET, "amount": 1}))
    if reply["type"] == "error":
        return None
    closed = scout.trade("close", id=reply["data"]["id"])
    return reply["data"]["price"], closed["close_price"]


# ---- texts


def plain(text: str) -> str:
    """Return a message without what differs each time: ids, times, sequence numbers and offsets.

    >>> plain('{"event":"order:cancel","sequence":7,"data":{"id":"bf2b704c-010a-48ca-93fb-d0193f24420a"},"offset":9}')
    '{"event":"order:cancel","sequence":N,"data":{"id":"ID"},"offset":N}'
    """
    text = re.sub(r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"', '"ID"', text)
    text = re.sub(r'"(created_at|opened_at|updated_at|closed_at)":[0-9]{13}\b', r'"\1":TIME', text)
    return re.sub(r'"(sequence|offset|id)":[0-9]+', r'"\1":N', text)


# ---- plumbing


def called(
    server: Server, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Make an HTTP call of one's own, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read().decode())
    finally:
        connection.close()


def at_once(calls: Iterable[Callable[[], _Result]]) -> list[_Result]:
    """Make all calls at the same time, each in a thread; return what they came to, in order."""
    waiting = list(calls)
    gate = threading.Barrier(len(waiting))

    def wait_and(call: Callable[[], _Result]) -> _Result:
        gate.wait(30)
        return call()

    with ThreadPoolExecutor(len(waiting)) as threads:
        return list(threads.map(wait_and, waiting))


def signed(secret: str, stamp_ms: int, method: str, path: str, body: bytes = b"") -> str:
    """Sign as the vendor's client does, written apart from the server's own code."""
    message = f"{stamp_ms}{method}{path}".encode() + body
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def unique_ms() -> int:
    """Return the time, a millisecond later than the last one given: a signature is accepted once."""
    global _last_ms  # noqa: PLW0603  # one clock for all threads of the run
    with _lock:
        _last_ms = max(_last_ms + 1, int(time.time() * 1000))
        return _last_ms
