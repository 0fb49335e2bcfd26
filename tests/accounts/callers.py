"""Who calls in the tests of accounts, and how a call is signed or a code made: apart from the server's own code."""

import base64
import hashlib
import hmac
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import close_old_connections, connections

from accounts.errors import Refused
from accounts.models import ApiKey
from accounts.services import api_key_create, identity_for_signature, identity_for_token

NOW_MS = 1_709_742_000_000
ADDRESS = "192.0.2.7"
PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and what its holder was shown."""

    key: ApiKey
    secret: str

    @property
    def id(self):
        return str(self.key.public_id)


def given_key(user, **rights):
    """Issue a key: market and read, both environments, unless told otherwise."""
    return Issued(*api_key_create(user=user, **rights))


def signature(secret, timestamp_ms, method="GET", path="/ws-auth", body=b""):
    """Sign as the event stream's document says."""
    payload = f"{timestamp_ms}{method}{path}".encode() + body
    return base64.b64encode(hmac.new(secret.encode(), payload, hashlib.sha256).digest()).decode()


def totp(secret, *, steps=0):
    """Return what an authenticator app shows (RFC 6238: SHA-1, 30 s, 6 digits), `steps` later than now."""
    counter = int(time.time() // 30 + steps).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def by_token(secret, *, address=ADDRESS, now_ms=NOW_MS):
    return identity_for_token(token=secret, address=address, now_ms=now_ms)


def by_signature(key_id, secret, *, sig=None, timestamp_ms=NOW_MS, now_ms=NOW_MS, address=ADDRESS, single_use=True):
    """Sign `GET /ws-auth` and return who that is."""
    return identity_for_signature(
        key_id=key_id,
        signature=signature(secret, timestamp_ms) if sig is None else sig,
        timestamp_ms=timestamp_ms,
        method="GET",
        path="/ws-auth",
        body=b"",
        address=address,
        now_ms=now_ms,
        single_use=single_use,
    )


@contextmanager
def refused_with(code):
    """Expect a refusal with this code; yields what pytest caught."""
    with pytest.raises(Refused) as caught:
        yield caught
    assert caught.value.code is code


def all_at_once(count, call):
    """Run `call` in so many threads that start together, each with its own connection; return what came of each."""
    together, outcomes = threading.Barrier(count), []

    def run():
        together.wait()
        try:
            outcomes.append(call())
        except Exception as error:
            outcomes.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    return outcomes
