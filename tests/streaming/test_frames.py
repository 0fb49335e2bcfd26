"""Are ready-made frames what RFC 6455 says, at every length and for every number?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.frames import Numbered, payloads, text_frame

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
