"""Where the server listens; all else of it: tests/journeys."""

import pytest

from streaming.server import listen


def test_a_taken_port_is_an_error_unless_it_is_shared():
    first = listen("127.0.0.1", 0, shared=True)
    port = first.getsockname()[1]
    second = listen("127.0.0.1", port, shared=True)
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port)
    first.close()
    second.close()
