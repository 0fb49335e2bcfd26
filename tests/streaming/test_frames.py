"""Are ready-made frames what RFC 6455 says, at every length and for every number?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.frames import MAX_KEPT, Batch, Numbered, payloads, text_frame, whole_text

LENGTHS = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 100_000]


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_the_header_is_the_shortest_that_holds_the_length(length, header):
    frame = text_frame(b"x" * length)
    assert frame.hex().startswith(header)
    assert len(frame) == len(header) // 2 + length


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_is_read_back(length):
    assert list(payloads(text_frame(b"a" * length))) == ["a" * length]


@given(st.lists(st.text(max_size=300)))
def test_frames_in_a_row_are_read_back_in_order(texts):
    assert list(payloads(b"".join(text_frame(text.encode()) for text in texts))) == texts


@pytest.mark.parametrize("length", [length for length in LENGTHS if length > 12])
def test_a_number_of_any_length_may_move_the_frame_into_the_next_header(length):
    head, tail = b'{"n":', b"}"
    event = Numbered(head, b" " * (length - len(head) - 2) + tail)
    for sequence in (1, 9, 10, 99, 100, 999_999, 10**12):
        assert event.frame(sequence) == text_frame(head + b"%d" % sequence + b" " * (length - len(head) - 2) + tail)


@given(st.binary(max_size=200), st.binary(max_size=70_000), st.lists(st.integers(0, 10**20), min_size=1, max_size=5))
def test_numbers_in_any_order_give_the_frame_of_the_whole_text(head, tail, sequences):
    event = Numbered(head, tail)
    for sequence in sequences:
        assert event.frame(sequence) == text_frame(head + str(sequence).encode() + tail)


def client_frame(payload: bytes, *, first: int = 0x81, mask: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    """Return a frame as a client sends it."""
    header = bytearray(text_frame(payload)[: len(text_frame(payload)) - len(payload)])
    header[0] = first
    header[1] |= 0x80
    return bytes(header) + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


LIMIT = 65_536


@given(st.text(max_size=400), st.binary(min_size=4, max_size=4), st.binary(max_size=20))
def test_a_clients_text_in_one_frame_is_read_and_what_follows_is_left(text, mask, rest):
    frame = client_frame(text.encode(), mask=mask)
    assert whole_text(frame + rest, LIMIT) == (text, len(frame))


@pytest.mark.parametrize("length", [0, 125, 126, 127, 65_535])
def test_a_clients_text_of_any_short_length_is_read(length):
    assert whole_text(client_frame(b"a" * length), LIMIT) == ("a" * length, len(client_frame(b"a" * length)))


@given(st.text(max_size=200), st.data())
def test_a_part_of_a_frame_is_left_where_it_is(text, data):
    frame = client_frame(text.encode())
    assert whole_text(frame[: data.draw(st.integers(0, len(frame) - 1))], LIMIT) is None


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(client_frame(b"{}", first=0x82), id="binary"),
        pytest.param(client_frame(b"{}", first=0x01), id="first of several"),
        pytest.param(client_frame(b"{}", first=0x80), id="last of several"),
        pytest.param(client_frame(b"{}", first=0xC1), id="compressed"),
        pytest.param(client_frame(b"{}", first=0x89), id="ping"),
        pytest.param(client_frame(b"", first=0x88), id="close"),
        pytest.param(text_frame(b"{}"), id="not masked"),
        pytest.param(client_frame(b"\xff"), id="no UTF-8"),
        pytest.param(client_frame("é".encode()[:1]), id="ends within a character"),
        pytest.param(client_frame(b"\xed\xa0\x80"), id="a surrogate"),
        pytest.param(bytes.fromhex("81fe0002000000007b7d"), id="longer header than needed"),
        pytest.param(client_frame(b"a" * 65_536), id="64-bit length"),
        pytest.param(client_frame(b"a" * 101), id="over the limit"),
    ],
)
def test_whatever_is_not_a_whole_plain_text_is_left_to_somebody_else(frame):
    assert whole_text(frame, 100) is None


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_a_batch_is_its_frames_one_after_the_other_whoever_asks_first(numbered, sequences):
    encoded = [Numbered(b'{"n":', b"}") if counts else text_frame(b"{}") for counts in numbered]
    batch = Batch(encoded)
    assert batch.numbered == sum(numbered)
    for sequence in [*sequences, *sequences]:
        number, frames = sequence, b""
        for ready in encoded:
            if isinstance(ready, Numbered):
                number += 1
                frames += ready.frame(number)
            else:
                frames += ready
        assert batch.after(sequence) == (frames, number)


def test_readers_at_the_same_number_share_their_bytes_and_those_at_too_many_others_do_not():
    batch = Batch([Numbered(b'{"n":', b"}")])
    assert batch.after(7) is batch.after(7)
    for sequence in range(100, 100 + MAX_KEPT):
        batch.after(sequence)
    assert batch.after(99 + MAX_KEPT) is not batch.after(99 + MAX_KEPT)
    assert batch.after(7) is batch.after(7)
