"""How far has a client read? Asked of the kernel when somebody looks: writing to the socket counts nothing."""

import array
import fcntl
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

_TIOCOUTQ = 0x5411
"""Linux: how many bytes the peer has not acknowledged."""

_BYTES_ACKED_AT = 120
"""Where `struct tcp_info` has them (linux/tcp.h); older kernels' is shorter."""

_TCP_INFO_BYTES = 192


@dataclass(frozen=True, slots=True)
class Traffic:
    """`sent_bytes` have arrived at the client (None: this system does not tell), `waiting_bytes` have not."""

    sent_bytes: int | None
    waiting_bytes: int | None


UNKNOWN = Traffic(None, None)


def traffic_of(transport: Any) -> Traffic:
    """Return the figures of a Twisted transport; `UNKNOWN` when it is gone, or on another system than Linux."""
    peer = getattr(transport, "socket", None)
    if peer is None or not sys.platform.startswith("linux"):
        return UNKNOWN
    try:
        queued = array.array("i", [0])
        fcntl.ioctl(peer.fileno(), _TIOCOUTQ, queued)
        info = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except (OSError, ValueError):  # closed: its number is -1
        return UNKNOWN
    if len(info) < _BYTES_ACKED_AT + 8:
        return UNKNOWN
    (sent,) = struct.unpack_from("=Q", info, _BYTES_ACKED_AT)
    return Traffic(sent, queued[0] + len(transport.dataBuffer) + transport._tempDataLen)
