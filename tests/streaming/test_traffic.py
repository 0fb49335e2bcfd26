"""What the kernel knows of a socket, asked of real ones."""

import socket
from contextlib import suppress

import pytest

from streaming.traffic import UNKNOWN, Traffic, traffic_of
from tests.journeys.harness import eventually


class Transport:
    """As much of Twisted's as is looked at."""

    def __init__(self, peer, buffered=b"", later=0):
        self.socket = peer
        self.dataBuffer = buffered
        self._tempDataLen = later


@pytest.fixture
def pair():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
        yield server, client
        client.close()
        server.close()


def test_what_has_arrived_is_sent_and_nothing_waits(pair):
    server, client = pair
    server.sendall(b"x" * 1_000)
    assert len(client.recv(2_000)) == 1_000
    eventually(lambda: traffic_of(Transport(server)) == Traffic(1_000, 0))


def test_what_a_client_does_not_read_waits_in_the_kernel_and_in_our_buffers(pair):
    server, client = pair
    server.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    written = 0
    with suppress(BlockingIOError):
        while True:
            written += server.send(b"x" * 65_536)
    traffic = traffic_of(Transport(server, b"y" * 10, 5))
    assert traffic.waiting_bytes is not None
    assert traffic.sent_bytes is not None
    assert traffic.sent_bytes + traffic.waiting_bytes == written + 15
    assert traffic.waiting_bytes > 15


def test_of_a_socket_that_is_gone_nothing_is_known(pair):
    server, _ = pair
    server.close()
    assert traffic_of(Transport(server)) == UNKNOWN
    assert traffic_of(object()) == UNKNOWN
