"""The tick document's clients against a real server."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import websocket

from tests.journeys.clients import Client, tick_client
from tests.journeys.conftest import services_env
from tests.journeys.harness import RELAXED, Server
from tests.plugins.services import ROOT
from tools.setup import node_command

DOCUMENT_SAMPLE = """\
import websocket, json

API_KEY = "tk_live_a1b2c3d4e5f6"
WS_URL = "ws://127.0.0.1:8080"

ws = websocket.create_connection(WS_URL)
print(ws.recv()) # Welcome message

# Authenticate
ws.send(json.dumps({"type": "auth", "apiKey": API_KEY}))
auth = json.loads(ws.recv())
print(f"Auth: {auth['message']}")

# Subscribe to symbols
ws.send(json.dumps({
 "type": "subscribe",
 "symbols": ["EURUSD", "GBPUSD", "XAUUSD"]
}))
print(ws.recv()) # Subscription confirmation

# Stream ticks
while True:
 msg = json.loads(ws.recv())
 if msg["type"] == "tick":
  print(f"{msg['symbol']:>8} {msg['bid']:.5f} / {msg['ask']:.5f}")
"""
"""The document's Python sample to the letter; a run replaces the key and the port."""

NODE_SAMPLE = """\
const WebSocket = require("ws");
const ws = new WebSocket("URL");
ws.on("message", (data) => {
  const msg = JSON.parse(data);
  console.log(msg.type);
  if (msg.type === "welcome") ws.send(JSON.stringify({ type: "auth", apiKey: "KEY" }));
  if (msg.type === "auth") ws.send(JSON.stringify({ type: "subscribe", symbols: ["EURUSD", "GBPUSD"] }));
});
"""


@pytest.fixture(scope="module", autouse=True)
def silent(server):
    """What becomes of a client that says nothing: half a minute, in which the other tests of this file run."""
    client = Client(server.ws_url)

    def wait():
        window_s, started_s = client.next()["authWindow"], time.monotonic()
        code = client.next(within_s=35)["code"]
        return window_s, code, time.monotonic() - started_s, client.closed()

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(wait)
        yield waiting
        if not waiting.done():  # the test that asks for it is in one of the two runs only
            client.ws.abort()


def printed(command, *, cwd, enough, within_s=20):
    """Run a program that never ends until its output satisfies `enough`; return its lines."""
    log = cwd / "printed.txt"
    with log.open("wb") as output:
        child = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        deadline_s = time.monotonic() + within_s
        while not enough(log.read_text()) and time.monotonic() < deadline_s and child.poll() is None:
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()
    return log.read_text().splitlines()


def test_the_documents_python_sample_prints_ticks(server, tmp_path):
    code = DOCUMENT_SAMPLE.replace("tk_live_a1b2c3d4e5f6", server.issue_key().secret)
    code = code.replace(":8080", f":{server.port}")
    lines = printed([sys.executable, "-u", "-c", code], cwd=tmp_path, enough=lambda text: text.count(" / ") >= 5)
    assert lines[0].startswith('{"type":"welcome"')
    assert lines[1] == "Auth: Authenticated successfully"
    assert lines[2] == '{"type":"subscribed","symbols":["EURUSD","GBPUSD","XAUUSD"],"totalSubscriptions":3}'
    assert len(lines) >= 8
    assert all(re.fullmatch(r" *(EURUSD|GBPUSD|XAUUSD) \d+\.\d{5} / \d+\.\d{5}", line) for line in lines[3:])


def test_the_same_in_node_with_ws(server, tmp_path):
    code = NODE_SAMPLE.replace("URL", server.ws_url).replace("KEY", server.issue_key().secret)
    (tmp_path / "sample.cjs").write_text(code)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    lines = printed([*node_command(), "sample.cjs"], cwd=tmp_path, enough=lambda text: text.count("tick") >= 3)
    assert lines[:3] == ["welcome", "auth", "subscribed"]
    assert "tick" in lines[3:]


def test_subscriptions_are_counted_listed_and_dropped(server):
    with tick_client(server, server.issue_key().secret) as client:
        reply = client.ask({"type": "subscribe", "symbols": ["eur-usd", "GBPUSD"], "id": "a"})
        assert reply == {"type": "subscribed", "symbols": ["EURUSD", "GBPUSD"], "totalSubscriptions": 2, "id": "a"}
        assert client.ask({"type": "subscribe", "symbol": "EURUSD"})["totalSubscriptions"] == 2
        assert client.ask({"type": "list"}) == {
            "type": "subscriptions", "symbols": ["EURUSD", "GBPUSD"], "totalSubscriptions": 2,
        }  # fmt: skip
        assert client.ask({"type": "unsubscribe", "symbol": "EURUSD"}) == {
            "type": "unsubscribed", "symbols": ["EURUSD"], "totalSubscriptions": 1,
        }  # fmt: skip
        refused = client.ask({"type": "subscribe", "symbols": ["USDJPY", "NOSUCH"]})
        assert refused["code"] == "unknown_symbol"
        assert "NOSUCH" in refused["message"]
        assert client.ask({"type": "list"})["symbols"] == ["GBPUSD"]
        assert client.ask({"type": "unsubscribe"})["totalSubscriptions"] == 0


def test_nothing_but_auth_and_ping_is_answered_before_authentication(server):
    client = Client(server.ws_url)
    assert client.next()["type"] == "welcome"
    assert client.ask({"type": "ping"})["type"] == "pong"
    reply = client.ask({"type": "subscribe", "symbol": "EURUSD"})
    assert list(reply) == ["type", "message", "code"]
    assert reply["message"] == "Authentication required"


def test_the_third_failed_authentication_closes(server):
    client = Client(server.ws_url)
    client.next()
    for _ in range(3):
        assert client.ask({"type": "auth", "apiKey": "tk_live_a1b2c3d4e5f6"})["code"] == "invalid_key"
    assert client.closed() == (4003, "authentication_failed")


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    """A server with an auth window of 2 s: the timing is the same, the test is shorter."""
    folder = tmp_path_factory.mktemp("hurried")
    with services_env(folder) as env:
        arguments = ("--workers", "2") if env else ()
        with Server(folder, "--feed", "none", *arguments, env={**RELAXED, **env, "AUTH_WINDOW_S": "2"}) as running:
            yield running


def test_the_auth_window_ends_with_an_error_and_4001(hurried):
    client = Client(hurried.ws_url)
    assert client.next()["authWindow"] == 2
    started_s = time.monotonic()
    for _ in range(3):  # nothing but an accepted authentication ends the window
        client.ask({"type": "ping"})
        client.ask({"type": "list"})
        time.sleep(0.3)
    assert client.next()["code"] == "auth_timeout"
    assert client.closed() == (4001, "auth_timeout")
    assert time.monotonic() - started_s == pytest.approx(2, abs=0.5)


def test_authenticating_late_in_the_window_is_in_time(hurried):
    key = hurried.issue_key()
    client = Client(hurried.ws_url)
    client.next()
    time.sleep(1.6)
    assert client.ask({"type": "auth", "apiKey": key.secret})["success"] is True


@pytest.mark.once
def test_an_unauthenticated_client_is_closed_at_30_seconds(silent):
    window_s, code, after_s, closed = silent.result()
    assert window_s == 30
    assert code == "auth_timeout"
    assert 29 <= after_s <= 31
    assert closed == (4001, "auth_timeout")


def test_an_interval_gives_at_most_one_tick_per_time(server):
    """The simulator's products tick at least once a second."""
    with tick_client(server, server.issue_key().secret) as client:
        client.ask({"type": "subscribe", "symbol": "BTCUSD", "interval": 1000})
        client.until(type="tick")
        stamps = [time.monotonic()]
        deadline_s = stamps[0] + 4
        while time.monotonic() < deadline_s:
            try:
                if client.next(deadline_s - time.monotonic())["type"] == "tick":
                    stamps.append(time.monotonic())
            except websocket.WebSocketTimeoutException:
                break
        assert 2 <= len(stamps) <= 5
        assert all(later - earlier > 0.95 for earlier, later in pairwise(stamps))
