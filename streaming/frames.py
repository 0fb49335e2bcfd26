"""Ready-made WebSocket frames: an event is encoded once, its sequence number spliced in per reader (pure).

Server frames are unmasked text frames in one piece (RFC 6455, 5.2): a header of 2, 4 or 10 bytes, then the payload.
"""

from collections.abc import Iterator

_TEXT = 0x81
_LENGTH_16 = 126
_LENGTH_64 = 127


def text_frame(payload: bytes) -> bytes:
    """Return the frame that carries a text message.

    >>> text_frame(b"{}")
    b'\\x81\\x02{}'
    """
    return _header(len(payload)) + payload


class Numbered:
    """An event as head and tail around its sequence number; its header depends only on how many digits that has."""

    __slots__ = ("_head", "_starts", "_tail")

    def __init__(self, head: bytes, tail: bytes) -> None:
        self._head = head
        self._tail = tail
        # number of digits -> header + head
        self._starts: dict[int, bytes] = {}

    def frame(self, sequence: int) -> bytes:
        """Return the frame with this sequence number in it.

        >>> Numbered(b'{"sequence":', b"}").frame(7)
        b'\\x81\\x0e{"sequence":7}'
        """
        number = b"%d" % sequence
        digits = len(number)
        start = self._starts.get(digits)
        if start is None:
            start = _header(len(self._head) + digits + len(self._tail)) + self._head
            self._starts[digits] = start
        return start + number + self._tail


Encoded = bytes | Numbered
"""An event ready for a dialect's readers: a whole frame, or one that still lacks its reader's sequence number."""


def payloads(frames: bytes) -> Iterator[str]:
    """Read the text messages out of frames that this module made (for servers that take messages, not frames).

    >>> list(payloads(text_frame(b"a") + text_frame(b"b" * 200)))[0]
    'a'
    """
    at = 0
    while at < len(frames):
        length = frames[at + 1]
        at += 2
        if length == _LENGTH_16:
            length = int.from_bytes(frames[at : at + 2])
            at += 2
        elif length == _LENGTH_64:
            length = int.from_bytes(frames[at : at + 8])
            at += 8
        yield frames[at : at + length].decode()
        at += length


def _header(length: int) -> bytes:
    if length < _LENGTH_16:
        return bytes((_TEXT, length))
    if length < 1 << 16:
        return bytes((_TEXT, _LENGTH_16)) + length.to_bytes(2)
    return bytes((_TEXT, _LENGTH_64)) + length.to_bytes(8)
