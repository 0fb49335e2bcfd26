"""Where do the ids of new orders and positions come from? Random UUIDs (version 4), drawn from the system by the dozen.

Each draw from the system is a moment in which another thread may take over and hold the loop up: the journal's, just
when there are many orders. One draw for 64 ids makes that rare.
"""

import os

IDS_A_DRAW = 64
_BYTES = 16

_drawn: list[str] = []


def fresh_id() -> str:
    """Return an id that nobody has."""
    while True:
        try:
            return _drawn.pop()
        except IndexError:  # empty; asking first could meet another thread that takes the last one
            drawn = os.urandom(_BYTES * IDS_A_DRAW)
            _drawn.extend([uuid_text(drawn[at : at + _BYTES]) for at in range(0, len(drawn), _BYTES)])


def uuid_text(random: bytes) -> str:
    """Return the version 4 UUID that 16 random bytes make.

    >>> uuid_text(bytes(16)), uuid_text(b"\\xff" * 16)
    ('00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff')
    """
    digits = random.hex()
    variant = "89ab"[random[8] >> 4 & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
