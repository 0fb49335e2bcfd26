"""The event stream's request signature."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.signing import WINDOW_MS, canonical, matches, sign, well_formed, within_window

SECRET = "tk_live_a1b2c3d4e5f6"
GET: dict[str, Any] = {"timestamp_ms": 1_511_027_890_939, "method": "GET", "path": "/ws-auth"}
POST: dict[str, Any] = {
    "timestamp_ms": 1_511_027_890_939, "method": "POST", "path": "/trade/close?demo=true",
    "body": b'{"id":"bf2b704c-010a-48ca-93fb-d0193f24420a"}',
}  # fmt: skip

requests = st.fixed_dictionaries(
    {
        "timestamp_ms": st.integers(0, 10**13),
        "method": st.sampled_from(["GET", "POST"]),
        "path": st.text(max_size=40).map(lambda text: "/" + text).filter(lambda text: text.isprintable()),
        "body": st.binary(max_size=40),
    }
)


def signed_text(request_):
    return f"{request_['timestamp_ms']}{request_['method']}{request_['path']}".encode() + request_["body"]


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        # openssl dgst -sha256 -hmac "$SECRET" -binary | base64
        (GET, "zOmVnbATAdgmYyYELPcApMOyLXj8jJAdyIG7RPsn2Xo="),
        (POST, "DjOw9x3l9SFrCWmW/MYMa6aPtjW/ok+58zLstfA8xak="),
    ],
    ids=["GET", "POST"],
)
def test_the_vectors(request_, signature):
    assert sign(SECRET, **request_) == signature
    assert matches(SECRET, signature, **request_)
    assert matches(SECRET, base64.b64decode(signature).hex(), **request_)


@given(st.text(min_size=1), requests)
def test_it_is_the_hmac_over_timestamp_method_path_and_body(secret, request_):
    expected = hmac.new(secret.encode(), signed_text(request_), hashlib.sha256).digest()
    assert base64.b64decode(sign(secret, **request_)) == expected


@given(requests)
def test_base64_and_hex_in_either_case_are_the_same_signature(request_):
    text = sign(SECRET, **request_)
    hexadecimal = base64.b64decode(text).hex()
    for form in (text, hexadecimal, hexadecimal.upper()):
        assert well_formed(form)
        assert matches(SECRET, form, **request_)
        assert canonical(form) == canonical(text)


@given(requests, requests)
def test_a_signature_is_of_one_request(one, other):
    text = sign(SECRET, **one)
    assert matches(SECRET, text, **other) == (signed_text(one) == signed_text(other))
    assert not matches(SECRET + "x", text, **one)


@pytest.mark.parametrize("junk", ["", "x", "é" * 44, "A" * 44, "zz" * 32, "A" * 63 + "=", "=" * 44, "\n" * 64])
def test_what_is_no_signature_matches_nothing(junk):
    assert not well_formed(junk)
    assert not matches(SECRET, junk, **GET)


@given(st.text())
def test_no_text_breaks_it(text):
    assert not matches(SECRET, text, **GET)


@given(st.integers(-WINDOW_MS - 2, WINDOW_MS + 2))
def test_the_window_is_thirty_seconds_to_either_side(drift_ms):
    now_ms = GET["timestamp_ms"]
    assert within_window(now_ms + drift_ms, now_ms) == (-30_000 <= drift_ms <= 30_000)
