"""A key for the servers that are not Tickwire: looked up as a hash, as anybody would."""

import hashlib

KEY = "bench_live_0123456789abcdef"
_HASHES = {hashlib.sha256(KEY.encode()).hexdigest()}


def known(key: str) -> bool:
    return hashlib.sha256(key.encode()).hexdigest() in _HASHES
