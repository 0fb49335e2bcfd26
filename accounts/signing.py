"""The event stream's request signature: Base64 (or hex) HMAC-SHA256 over timestamp, method, path and body (pure).

Source: protocols, sections 3 and 6.
"""

import base64
import binascii
import hashlib
import hmac

WINDOW_MS = 30_000
"""How far a signature's timestamp may be from the server's clock."""


def sign(secret: str, *, timestamp_ms: int, method: str, path: str, body: bytes = b"") -> str:
    """Return the signature in Base64; `path` with its query string exactly as sent.

    >>> sign("secret", timestamp_ms=1511027890939, method="GET", path="/ws-auth")
    'wVR8FM56sZTBScAYV5vFylLmIg8ffb7qnsbegKaQw8g='
    """
    return base64.b64encode(_mac(secret, timestamp_ms, method, path, body)).decode()


def matches(secret: str, signature: str, *, timestamp_ms: int, method: str, path: str, body: bytes = b"") -> bool:
    """Tell, in constant time, whether a signature in Base64 or hex is this request's."""
    return hmac.compare_digest(_decoded(signature), _mac(secret, timestamp_ms, method, path, body))


def well_formed(signature: str) -> bool:
    """Tell whether a text can be anybody's signature: 32 bytes in Base64 or hex."""
    return len(_decoded(signature)) == hashlib.sha256().digest_size


def within_window(timestamp_ms: int, now_ms: int) -> bool:
    return abs(timestamp_ms - now_ms) <= WINDOW_MS


def canonical(signature: str) -> bytes:
    """Return a signature's bytes, so that hex and Base64 of the same one count as the same."""
    return _decoded(signature)


def _mac(secret: str, timestamp_ms: int, method: str, path: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), f"{timestamp_ms}{method}{path}".encode() + body, hashlib.sha256).digest()


def _decoded(signature: str) -> bytes:
    try:
        raw = signature.encode("ascii")
        return binascii.unhexlify(raw) if len(raw) == 64 else base64.b64decode(raw, validate=True)
    except ValueError:
        return b""
