"""An API key's secret: how it is made, written and recognised."""

import hashlib
import hmac
import math
import string
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys
from accounts.keys import derive_secret, digest, fingerprint, well_formed

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET = derive_secret(b"server key", key_id="8b6bcdc6-58fb-4b2b-9f3c-0f2a4d5a7e11", generation=1, demo_only=False)

secrets = st.builds(
    derive_secret,
    st.binary(min_size=1, max_size=64),
    key_id=st.uuids().map(str),
    generation=st.integers(1, 10**6),
    demo_only=st.booleans(),
)


def base62(number, length):
    return "".join(ALPHABET[number // 62**place % 62] for place in reversed(range(length)))


def test_the_derivation_is_the_one_that_is_kept_for_ever():
    """Another derivation would make every signature key that was ever issued useless."""
    text = b"api-key:8b6bcdc6-58fb-4b2b-9f3c-0f2a4d5a7e11:1"
    body = base62(int.from_bytes(hmac.new(b"server key", text, hashlib.sha256).digest(), "big"), 43)
    checksum = base62(zlib.crc32(f"tk_live_{body}".encode()), 6)
    assert f"tk_live_{body}{checksum}" == SECRET


@given(secrets)
def test_a_secret_is_recognised_and_has_the_documented_form(secret):
    assert well_formed(secret)
    assert secret.startswith(("tk_live_", "tk_demo_"))
    assert len(secret) == 8 + 43 + 6
    assert set(secret[8:]) <= set(ALPHABET)


def test_a_secret_has_more_than_160_bits_and_holds_all_256_of_its_derivation():
    assert math.log2(62) * keys.BODY_LENGTH >= 256


@given(secrets, st.data())
def test_one_wrong_character_is_noticed(secret, data):
    place = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.sampled_from(ALPHABET + "_").filter(lambda character: character != secret[place]))
    assert not well_formed(secret[:place] + other + secret[place + 1 :])


@pytest.mark.parametrize(
    "junk",
    ["", "tk_live_a1b2c3d4e5f6", SECRET[:-1], SECRET + "0", f" {SECRET}", f"{SECRET}\n", SECRET.upper(), "٣" * 57],
)
def test_junk_is_noticed(junk):
    assert not well_formed(junk)


@given(st.text())
def test_no_text_is_a_secret_by_chance(text):
    assert not well_formed(text)


def test_everything_that_goes_in_tells_secrets_apart():
    same: dict[str, Any] = {"key_id": "8b6bcdc6", "generation": 1, "demo_only": False}
    secrets_made = {
        derive_secret(b"server", **same),
        derive_secret(b"another", **same),
        derive_secret(b"server", **{**same, "key_id": "8b6bcdc7"}),
        derive_secret(b"server", **{**same, "generation": 2}),
    }
    assert len({secret[8:51] for secret in secrets_made}) == 4


def test_what_is_stored_is_the_sha_256():
    assert digest(SECRET) == hashlib.sha256(SECRET.encode()).hexdigest()


def test_a_fingerprint_tells_server_keys_apart_and_nothing_about_them():
    assert fingerprint(b"server key") == fingerprint(b"server key") != fingerprint(b"server kez")
    assert len(fingerprint(b"server key")) == 16
    assert fingerprint(b"server key") not in hashlib.sha256(b"server key").hexdigest()
