"""The registry of codes: complete, unambiguous, and the one that the page in docs is printed from."""

import re

import pytest

from accounts import errors
from accounts.errors import CLOSES, ERRORS, Close, Code, Refused
from engine.refusals import RefusalCode
from tools import docs_errors

RFC_CLOSES = {1000, 1001, 1008, 1009, 1011, 1012}
STATUSES = {400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503}


def test_every_code_has_a_meaning_and_every_meaning_its_code():
    assert list(ERRORS) == list(Code)


@pytest.mark.parametrize("code", Code)
def test_a_code_is_spelled_as_its_name_and_has_a_status_and_words(code):
    assert code == code.name.lower()
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    assert ERRORS[code].http_status in STATUSES
    assert re.fullmatch(r"[A-Z].*[^.]", ERRORS[code].message)


def test_the_page_in_docs_is_what_the_registry_prints():
    text = docs_errors.PAGE.read_text()
    assert text == docs_errors.page(), "run: make docs-errors"
    assert all(f"| `{code}` |" in text for code in Code)


def test_close_codes_are_unique_and_of_the_ranges_that_may_be_sent():
    codes = [close.code for close in CLOSES]
    assert len(set(codes)) == len({close.reason for close in CLOSES}) == len(codes)
    assert all(code in RFC_CLOSES or 4000 <= code <= 4999 for code in codes)


def test_every_close_of_the_module_is_in_the_table():
    named = {value for value in vars(errors).values() if isinstance(value, Close)}
    assert named == set(CLOSES)


@pytest.mark.parametrize("close", CLOSES, ids=lambda close: close.reason)
def test_a_reason_fits_into_a_close_frame_and_its_error_is_of_the_same_name(close):
    assert len(close.reason.encode()) <= 123
    assert close.error is None or close.error == close.reason


def test_coming_back_helps_against_what_passes_and_not_against_what_stays():
    back = {close.reason for close in CLOSES if close.reconnect}
    assert back >= {"going_away", "restart", "slow_consumer", "too_many_connections"}
    assert not back & {"normal", "login_required", "authentication_failed", "access_revoked"}


def test_a_refusal_has_the_codes_words_unless_told_others():
    assert Refused(Code.LATE).message == ERRORS[Code.LATE].message
    refused = Refused(Code.RATE_LIMITED, "Slowly", retry_after_ms=5)
    assert (refused.message, refused.details, str(refused)) == ("Slowly", {"retry_after_ms": 5}, "rate_limited")


@pytest.mark.parametrize("refusal", RefusalCode)
def test_every_refusal_of_the_engine_is_a_code_of_the_registry(refusal):
    assert Code[refusal.name] == refusal
