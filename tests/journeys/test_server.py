"""The hardened Daphne alone, in front of an application that echoes. Each of these fails on stock Daphne."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

from streaming.server import HEADER_DEADLINE_S, MAX_BODY_BYTES, MAX_MESSAGE_BYTES, MAX_UNREAD_MESSAGES
from tests.plugins.services import ROOT, free_port

pytestmark = pytest.mark.once  # there is no database behind it


class Echo:
    """The echo server's process."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self.url = f"ws://127.0.0.1:{port}/"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
        command = [sys.executable, "-m", "tests.journeys.echo_server", str(port)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)

    def connect(self) -> websocket.WebSocket:
        return websocket.create_connection(self.url, timeout=15)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    server = Echo(free_port(), tmp_path_factory.mktemp("echo") / "log")
    for _ in range(200):
        try:
            server.raw().close()
            break
        except OSError:
            time.sleep(0.05)
    yield server
    server.process.terminate()
    assert server.process.wait(15) == 0
    assert "Traceback" not in server.log.read_text()


def close_frame(ws: websocket.WebSocket) -> tuple[int, str]:
    """Read up to the close frame; return its code and reason."""
    while True:
        opcode, data = ws.recv_data(control_frame=True)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2]), data[2:].decode()


def test_it_passes_every_case_of_the_websocket_conformance_suite(echo, tmp_path):
    command = [str(Path(sys.executable).parent / "kosoku"), "-m", "fuzzingclient", "-o", str(tmp_path)]
    excluded = ["-x", "9.*", "-x", "12.*", "-x", "13.*"]  # performance cases, and compression, which we do not offer
    subprocess.run([*command, *excluded, f"127.0.0.1:{echo.port}"], check=False, capture_output=True, timeout=120)
    (cases,) = json.loads((tmp_path / "index.json").read_text()).values()
    failed = [name for name, case in cases.items() if case["behavior"] not in ("OK", "NON-STRICT", "INFORMATIONAL")]
    assert len(cases) == 247
    assert failed == []


def test_a_connection_that_has_ended_leaves_nothing_for_the_garbage_collector(echo):
    asking = echo.connect()
    asking.send("collect")
    asking.recv()
    for _ in range(20):
        ws = echo.connect()
        ws.send("hello")
        ws.recv()
        ws.close()
    time.sleep(1.5)  # once a second the server lets go of applications that have ended
    asking.send("collect")
    assert int(asking.recv()) < 20


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1009, 1011, 1012, 4001, 4999])
def test_it_closes_with_any_code_and_its_reason(echo, code):
    ws = echo.connect()
    ws.send(f"close {code} because")
    assert close_frame(ws) == (code, "because")


def test_it_closes_on_a_message_that_is_too_large_with_1009(echo):
    ws = echo.connect()
    ws.send("x" * MAX_MESSAGE_BYTES)
    assert len(ws.recv()) == MAX_MESSAGE_BYTES
    ws.send("x" * (MAX_MESSAGE_BYTES + 1))
    assert close_frame(ws) == (1009, "message_too_large")


def test_it_stops_reading_from_a_client_that_is_ahead_of_the_application(echo):
    ws = echo.connect()
    ws.send("sleep")
    ws.sock.settimeout(1)
    before_kib = _resident_kib(echo.process.pid)
    sent = _send_until(websocket.WebSocketTimeoutException, lambda: ws.send("x" * 60_000), times=2_000)
    grown_kib = _resident_kib(echo.process.pid) - before_kib
    # What the kernels of both ends hold is beside the point; the process holds the unread messages only.
    assert sent < 400
    assert grown_kib < 2 * MAX_UNREAD_MESSAGES * 60 + 4_096


def test_it_cuts_a_connection_whose_headers_never_end(echo):
    slow = echo.raw()
    slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
    started_s = time.monotonic()

    def one_more_byte():
        time.sleep(0.5)
        slow.sendall(b"a")

    assert _send_until(OSError, one_more_byte, times=2 * (HEADER_DEADLINE_S + 5)) < 2 * (HEADER_DEADLINE_S + 3)
    assert time.monotonic() - started_s > HEADER_DEADLINE_S - 1


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_it_refuses_a_body_that_is_too_large_without_taking_it_in(echo, framing):
    client = echo.raw()
    if framing == "length":
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (200 * MAX_BODY_BYTES))
    else:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
        _send_until(OSError, lambda: client.sendall(chunk), times=2 * MAX_BODY_BYTES // 65_536)
    assert client.recv(12) == b"HTTP/1.1 413"


def test_five_hundred_connects_at_once_lose_no_syn(echo):
    clients = [socket.socket() for _ in range(500)]
    waiting = select.poll()
    started_s = time.monotonic()
    for client in clients:
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", echo.port))
        waiting.register(client, select.POLLOUT)
    connected: set[int] = set()
    while len(connected) < len(clients) and time.monotonic() < started_s + 10:
        for descriptor, _ in waiting.poll(100):
            connected.add(descriptor)
            waiting.unregister(descriptor)
    # The kernel alone answers SYNs, whatever the application does; a lost one is sent again after a second.
    assert len(connected) == len(clients)
    assert time.monotonic() - started_s < 0.9
    for client in clients:
        client.close()


def _send_until(error, send, *, times):
    """Send again and again until that error; return how often it went well."""
    for sent in range(times):
        try:
            send()
        except error:
            return sent
    return times


def _resident_kib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
