"""An API key's secret: how it is made, written and recognised (pure).

`tk_live_` or `tk_demo_`, then 43 base62 characters (256 bits, derived from a server key and the generation's identity)
and 6 of checksum, so that junk is refused without a query. Only the SHA-256 of the whole text is stored.
"""

import hashlib
import hmac
import re
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY_LENGTH = 43
CHECKSUM_LENGTH = 6
LIVE_PREFIX = "tk_live_"
DEMO_PREFIX = "tk_demo_"

_FORM = re.compile(r"(tk_(?:live|demo)_[0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII)


def derive_secret(server_key: bytes, *, key_id: str, generation: int, demo_only: bool) -> str:
    """Return the secret of one generation of a key; the same arguments always give the same secret.

    >>> derive_secret(b"server", key_id="8b6bcdc6", generation=1, demo_only=True)[:8]
    'tk_demo_'
    """
    digest = hmac.new(server_key, f"api-key:{key_id}:{generation}".encode(), hashlib.sha256).digest()
    start = (DEMO_PREFIX if demo_only else LIVE_PREFIX) + _base62(int.from_bytes(digest), BODY_LENGTH)
    return start + _checksum(start)


def digest(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256, in hex. (It has 256 random bits, so a slow hash adds nothing.)"""
    return hashlib.sha256(secret.encode()).hexdigest()


def well_formed(secret: str) -> bool:
    """Tell whether a text has a secret's form and checksum.

    >>> well_formed("tk_live_a1b2c3d4e5f6")
    False
    """
    match = _FORM.fullmatch(secret)
    return match is not None and hmac.compare_digest(_checksum(match[1]), match[2])


def fingerprint(server_key: bytes) -> str:
    """Return which server key a generation was derived from, without telling anything about it."""
    return hmac.new(server_key, b"fingerprint", hashlib.sha256).hexdigest()[:16]


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        characters.append(ALPHABET[rest])
    return "".join(reversed(characters))
