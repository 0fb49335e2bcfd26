"""Starting and ending the server, as somebody at a terminal does."""

import signal
import socket
import time

import pytest

from tests.journeys.harness import RELAXED, Server, ServerFailed, eventually
from tests.journeys.prepared import prepared_env

FIRST_START_MAX_S = 20
LATER_START_MAX_S = 10
"""Seconds of a processor: what a clock says beside other tests is about those."""


def started_in_s(server):
    server.start(server.answers)
    return server.processor_s


@pytest.fixture
def alone(tmp_path):
    """A server that the test starts and ends itself (SQLite, one process)."""
    server = Server(tmp_path, env=RELAXED)
    yield server
    server.kill_or_stop()


@pytest.fixture
def again(tmp_path, alone):
    """The same on a folder in which somebody has started one before."""
    with prepared_env(tmp_path, history=True):
        yield alone


@pytest.mark.once
def test_it_starts_answers_and_ends_cleanly_with_ctrl_c(again):
    assert started_in_s(again) < LATER_START_MAX_S
    assert abs(again.get("/time")["timestamp"] - time.time() * 1000) < 2000
    assert again.stop(signal.SIGINT) == 0
    assert "Traceback" not in again.log()


@pytest.mark.once
def test_it_ends_cleanly_when_a_service_manager_asks(again):
    again.start(again.answers)
    assert again.stop(signal.SIGTERM) == 0
    assert "Traceback" not in again.log()


@pytest.mark.once
def test_the_first_start_shows_a_login_and_a_key_and_the_second_keeps_them(alone):
    assert started_in_s(alone) < FIRST_START_MAX_S
    first = alone.log()
    password = alone.shown_once("password")
    key = alone.shown_once("demo API key")
    assert key.startswith("tk_demo_")
    assert f"http://127.0.0.1:{alone.port}/" in first
    newest = alone.get("/trading/candles/EUR-USD/1?limit=150")
    assert alone.stop() == 0

    assert started_in_s(alone) < LATER_START_MAX_S
    second = alone.log()[len(first) :]
    assert password not in second
    assert key not in second
    assert "changepassword admin" in second
    kept = {row[0]: row for row in alone.get("/trading/candles/EUR-USD/1?limit=150")}
    closed = newest[1:-10]  # the newest was still open, and the window has moved on
    assert closed
    assert all(kept[row[0]] == row for row in closed)


@pytest.mark.once
def test_a_taken_port_is_one_sentence_with_the_way_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(tmp_path, port=port)
        with pytest.raises(ServerFailed):
            server.start(lambda: False)
        log = server.log()
        assert server.wait() == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in log
    assert "--port" in log
    assert "Traceback" not in log


@pytest.mark.once
def test_a_killed_server_starts_again_on_the_same_data(again):
    again.start(again.answers)
    again.kill()
    again.start(again.answers)
    assert again.get("/trading/candles/EUR-USD/1?limit=150")
    assert again.stop() == 0


def test_the_server_of_this_run_answers(own_server):
    """On SQLite one process, on PostgreSQL and Valkey several."""
    assert own_server.get("/time")["timestamp"] > 0
    eventually(lambda: "EUR-USD" in own_server.get("/trading/quotes/EUR-USD"))
    assert own_server.stop() == 0
    assert "Traceback" not in own_server.log()
