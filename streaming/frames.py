"""Ready-made WebSocket frames: an event is encoded once, its sequence number spliced in per reader (pure).

Server frames are unmasked text frames in one piece (RFC 6455, 5.2): a header of 2, 4 or 10 bytes, then the payload.
"""

from collections.abc import Iterator, Sequence

_TEXT = 0x81
_LENGTH_16 = 126
_LENGTH_64 = 127
_MASKED = 0x80
_MASK_BYTES = 4


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


MAX_KEPT = 64
"""Different numberings of a batch that are kept: readers of the same topics stand at few different numbers."""


class Batch:
    """Events of one loop turn, ready for all readers of a dialect. `numbered` of them take a number each.

    Where none does, they are the same bytes for everybody: `plain`. `known`: what `after` has returned, by its number.
    """

    __slots__ = ("encoded", "known", "numbered", "plain")

    def __init__(self, encoded: Sequence[Encoded]) -> None:
        self.encoded = encoded
        self.numbered = sum(isinstance(ready, Numbered) for ready in encoded)
        self.plain = b"" if self.numbered else b"".join(encoded)  # type: ignore[arg-type]  # all of them are bytes
        self.known: dict[int, tuple[bytes, int]] = {}

    def after(self, sequence: int) -> tuple[bytes, int]:
        """Return the frames for a reader whose last event had this number, and the number of the last of them.

        Who stands there, too, gets the same bytes and the same number: objects of its own would be out of the cache.

        >>> Batch([Numbered(b"<", b">"), Numbered(b"(", b")")]).after(8)
        (b'\\x81\\x03<9>\\x81\\x04(10)', 10)
        """
        after = self.known.get(sequence)
        if after is None:
            after = self._numbered_from(sequence) if self.numbered else (self.plain, sequence)
            if len(self.known) < MAX_KEPT:
                self.known[sequence] = after
        return after

    def _numbered_from(self, sequence: int) -> tuple[bytes, int]:
        frames = []
        for ready in self.encoded:
            if isinstance(ready, Numbered):
                sequence += 1
                frames.append(ready.frame(sequence))
            else:
                frames.append(ready)
        return b"".join(frames), sequence


def whole_text(received: bytes, limit: int) -> tuple[str, int] | None:
    """Read a client's text message that came in one frame, and where it ends in what was received.

    None for whatever else may be there: a part of a frame or message, another kind, more than `limit` bytes, a fault.

    >>> whole_text(bytes.fromhex("8185 37fa213d 7f9f4d5158") + b"...", 100)
    ('Hello', 11)
    """
    if len(received) < 2 or received[0] != _TEXT or not received[1] & _MASKED:
        return None
    start, length = 2, received[1] - _MASKED
    if length == _LENGTH_16:
        start, length = 4, int.from_bytes(received[2:4])
        if length < _LENGTH_16:
            return None
    start += _MASK_BYTES
    end = start + length
    if length > limit or received[1] == _MASKED | _LENGTH_64 or len(received) < end:
        return None
    try:
        return _unmasked(received[start:end], received[start - _MASK_BYTES : start]).decode(), end
    except UnicodeDecodeError:
        return None


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    """Apply the mask (RFC 6455, 5.3) to all bytes at once, as one long number."""
    length = len(payload)
    repeated = (mask * (length // _MASK_BYTES + 1))[:length]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(length)


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
