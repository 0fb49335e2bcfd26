"""No secret in any log, whoever logs it and however."""

import io
import json
import logging
import sys

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from accounts.keys import derive_secret
from accounts.logs import MaskSecrets, OneLine, RefusalsInOneLine, masked
from tests.accounts.callers import NOW_MS, signature

KEY = derive_secret(b"server", key_id="8b6bcdc6", generation=1, demo_only=False)
SIG = signature(KEY, NOW_MS)
SESSION = "q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"refused {KEY}", KEY),
        (f"Authorization: Bearer {KEY}", KEY),
        (json.dumps({"type": "auth", "apiKey": KEY}), KEY),
        (json.dumps({"type": "auth", "apiKey": "not-of-our-form"}), "of-our-form"),
        (json.dumps({"auth": {"key": "8b6bcdc6", "sig": SIG, "timestamp": NOW_MS}}), SIG),
        (json.dumps({"auth": {"sig": SIG}}, separators=(",", ":")), SIG),
        (json.dumps(json.dumps({"auth": {"sig": SIG}})), SIG),
        (repr({"sig": SIG}), SIG),
        (repr([(b"t8-sig", SIG.encode())]), SIG),
        (repr([(b"wcx-sig", SIG.encode())]), SIG),
        (f"T8-SIG: {SIG}", SIG),
        (f"Cookie: csrftoken=1; sessionid={SESSION}", SESSION),
        (f"GET /time?apiKey={KEY}&x=1", KEY),
        (f"GET /time?sig={SIG.encode().hex()}", SIG.encode().hex()),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(text, secret):
    assert secret in text
    assert secret not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    ["", "EUR-USD 1.12439", "GET /trading/quotes/EUR-USD 200", "key 8b6bcdc6-58fb is revoked", "signal: mid"],
)
def test_what_is_no_secret_stays(text):
    assert masked(text) == text


@given(st.text(), st.text(), st.integers(1, 10**6), st.booleans())
def test_no_text_around_it_saves_a_secret(before, after, generation, demo_only):
    secret = derive_secret(b"server", key_id="8b6bcdc6", generation=generation, demo_only=demo_only)
    assert secret not in masked(before + secret + after)


@pytest.fixture
def log():
    """Return a logger as the settings make one, and what it has written."""
    written, logger = io.StringIO(), logging.Logger("somebody")
    handler = logging.StreamHandler(written)
    handler.addFilter(MaskSecrets())
    logger.addHandler(handler)
    return logger, written


def failing():
    raise ValueError(f"no such key: {KEY}")


def test_message_arguments_and_traceback_are_masked(log):
    logger, written = log
    try:
        failing()
    except ValueError:
        logger.exception("refused %s", KEY)
    text = written.getvalue()
    assert KEY not in text
    assert text.count("tk_live_***") == 2
    assert "in failing" in text


def test_a_traceback_that_another_handler_has_written_already_is_masked_too(log):
    logger, written = log
    first = logging.StreamHandler(io.StringIO())
    logger.handlers.insert(0, first)
    try:
        failing()
    except ValueError:
        logger.exception("refused", stack_info=True)
    assert KEY not in written.getvalue()
    assert "Stack (most recent call last)" in written.getvalue()


@pytest.mark.parametrize("arguments", [(KEY,), (KEY, "more"), ({"key": KEY},)])
def test_a_wrong_log_call_of_somebody_breaks_nobody(log, arguments):
    logger, written = log
    logger.info("%d of %s %s", *arguments)
    assert KEY not in written.getvalue()
    assert "%d of %s" in written.getvalue()


def test_the_settings_mask_what_goes_to_the_console(settings):
    console = settings.LOGGING["handlers"]["console"]
    filters = [settings.LOGGING["filters"][name]["()"] for name in console["filters"]]
    assert filters == ["accounts.logs.MaskSecrets"]
    assert set(settings.LOGGING["handlers"]) == {"console"}


def test_a_librarys_traceback_is_shortened_to_its_name(log):
    logger, written = log
    logger.addFilter(OneLine())
    try:
        failing()
    except ValueError:
        logger.error("Lost connection", exc_info=sys.exc_info())
    logger.error("Without one")
    assert written.getvalue() == "Lost connection ValueError\nWithout one\n"


def test_a_page_that_may_not_be_opened_has_no_traceback_and_an_error_has(log):
    logger, written = log
    logger.addFilter(RefusalsInOneLine())
    try:
        raise PermissionDenied
    except PermissionDenied:
        logger.warning("Forbidden: /admin/", exc_info=sys.exc_info())
    assert written.getvalue() == "Forbidden: /admin/\n"
    try:
        failing()
    except ValueError:
        logger.error("Internal Server Error", exc_info=sys.exc_info())
    assert "in failing" in written.getvalue()
