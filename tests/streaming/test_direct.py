"""The direct writer's order and blocking, against a transport that is a test's."""

import pytest
from daphne.ws_protocol import WebSocketProtocol

from streaming.direct import DirectWriter
from streaming.server import Protocol


class Socket:
    """Takes as many bytes as there is room for."""

    def __init__(self):
        self.room = 10**9
        self.sent = b""
        self.gone = False

    def send(self, data):
        if self.gone:
            raise ConnectionResetError
        if self.room == 0:
            raise BlockingIOError
        taken, self.room = data[: self.room], max(0, self.room - len(data))
        self.sent += taken
        return len(taken)


class Transport:
    """Twisted's transport, as far as the writer uses it: a buffer, and a pull producer, asked when that is empty."""

    def __init__(self):
        self.socket = Socket()
        self.dataBuffer = b""
        self._tempDataBuffer = []
        self.producer = None

    def write(self, data):
        self._tempDataBuffer.append(data)

    def registerProducer(self, producer, streaming):
        assert self.producer is None
        assert not streaming
        self.producer = producer
        producer.resumeProducing()

    def unregisterProducer(self):
        self.producer = None

    def drain(self):
        """Do what the reactor does when the socket has room."""
        self.socket.room = 10**9
        self.socket.sent += b"".join(self._tempDataBuffer)
        self._tempDataBuffer = []
        if self.producer is not None:
            self.producer.resumeProducing()


class Connection:
    state = WebSocketProtocol.STATE_OPEN

    def __init__(self):
        self.transport = Transport()


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def writer(connection):
    return DirectWriter(connection)


@pytest.mark.parametrize("connected", [True, False])
def test_a_client_that_has_gone_before_it_is_answered_has_no_direct_way(connection, connected):
    """Twisted has taken its socket away by then."""
    connection.transport.TLS = False
    connection.transport.connected = connected
    if not connected:
        del connection.transport.socket
    protocol = Protocol.__new__(Protocol)
    protocol._perMessageCompress = None
    protocol.transport = connection.transport
    assert (protocol.direct_writer() is not None) == connected


def test_frames_go_to_the_socket_at_once(connection, writer):
    writer.write(b"one")
    writer.write(b"two")
    assert connection.transport.socket.sent == b"onetwo"
    assert not writer.blocked


def test_what_the_socket_does_not_take_keeps_its_order_and_blocks(connection, writer):
    drained = []
    writer.on_drained(lambda: drained.append(True))
    connection.transport.socket.room = 4
    writer.write(b"abcdef")
    assert writer.blocked
    writer.write(b"ghi")
    assert drained == []
    connection.transport.drain()
    assert connection.transport.socket.sent == b"abcdefghi"
    assert not writer.blocked
    assert drained == [True]


def test_it_stays_behind_what_the_server_itself_has_to_say(connection, writer):
    for number in (b"1", b"2"):
        writer.look_again()
        connection.transport.write(b"<pong>")
        writer.write(b"frame" + number)
        connection.transport.drain()
        writer.write(b"more" + number)
    assert connection.transport.socket.sent == b"<pong>frame1more1<pong>frame2more2"


def test_it_can_block_again_while_it_reports_that_it_has_drained(connection, writer):
    def refill():
        connection.transport.socket.room = 0
        writer.write(b"more")

    writer.on_drained(refill)
    connection.transport.socket.room = 0
    writer.write(b"first")
    connection.transport.drain()
    assert writer.blocked
    writer.on_drained(lambda: None)
    connection.transport.drain()
    assert connection.transport.socket.sent == b"firstmore"
    assert not writer.blocked


def test_nothing_is_written_to_a_connection_that_closes_or_is_gone(connection, writer):
    connection.transport.socket.gone = True
    writer.write(b"lost")
    connection.transport.socket.gone = False
    writer.look_again()
    connection.state = WebSocketProtocol.STATE_CLOSING
    writer.write(b"late")
    assert connection.transport.socket.sent == b""
    assert not writer.blocked
