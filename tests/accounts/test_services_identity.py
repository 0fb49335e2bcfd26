"""Who a token, a signature or a browser session is, and each way to be refused."""

import base64
import uuid
from datetime import UTC, datetime

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.errors import Code
from accounts.models import ApiKey, UsedSignature
from accounts.services import (
    api_key_revoke,
    identity_for_session,
    identity_of_browser,
    recovery_codes_left,
    second_factor_remove,
    second_factor_use,
)
from accounts.signing import WINDOW_MS
from tests.accounts.callers import (
    ADDRESS,
    NOW_MS,
    all_at_once,
    by_signature,
    by_token,
    given_key,
    refused_with,
    signature,
)

pytestmark = pytest.mark.django_db


def moment(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, UTC)


# ---- a token


def test_a_token_proves_its_keys_rights(ann):
    issued = given_key(ann, scopes=["trade", "market"], environments=["demo"])
    identity = by_token(issued.secret)
    assert (identity.user_id, identity.username, identity.key_id) == (ann.pk, "ann", issued.id)
    assert (identity.scopes, identity.environments) == ({"market", "trade"}, {"demo"})
    assert identity.session == ""


@pytest.mark.parametrize("junk", ["", "tk_live_a1b2c3d4e5f6", "x" * 57, "tk_live_" + "é" * 49, "tk_live_" + "a" * 49])
def test_junk_is_refused_without_a_query(django_assert_num_queries, junk):
    with django_assert_num_queries(0), refused_with(Code.INVALID_KEY):
        by_token(junk)


def test_one_wrong_character_is_refused_without_a_query(ann, django_assert_num_queries):
    secret = given_key(ann).secret
    flipped = secret[:20] + ("A" if secret[20] != "A" else "B") + secret[21:]
    with django_assert_num_queries(0), refused_with(Code.INVALID_KEY):
        by_token(flipped)


def test_a_well_formed_secret_of_nobody_is_an_invalid_key(ann, settings):
    issued = given_key(ann)
    issued.key.delete()
    with refused_with(Code.INVALID_KEY):
        by_token(issued.secret)


def test_a_secret_that_was_not_derived_is_refused_even_if_its_digest_is_stored(ann):
    """Somebody who can write to the database, but has no server key, makes no keys."""
    own, other = given_key(ann), given_key(ann)
    own.key.generations.update(key=other.key, number=2)
    with refused_with(Code.INVALID_KEY):
        by_token(own.secret)


def test_a_key_expires_on_the_millisecond(ann):
    secret = given_key(ann, expires_at=moment(NOW_MS)).secret
    assert by_token(secret, now_ms=NOW_MS - 1).user_id == ann.pk
    with refused_with(Code.KEY_EXPIRED):
        by_token(secret, now_ms=NOW_MS)


def test_a_revoked_key_is_refused_both_ways(ann):
    issued = given_key(ann)
    api_key_revoke(issued.key)
    with refused_with(Code.KEY_REVOKED):
        by_token(issued.secret)
    with refused_with(Code.KEY_REVOKED):
        by_signature(issued.id, issued.secret)


def test_the_keys_of_a_disabled_user_are_revoked(ann):
    issued = given_key(ann)
    ann.is_active = False
    ann.save()
    with refused_with(Code.KEY_REVOKED):
        by_token(issued.secret)


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("2001:db8::/32", "192.0.2.7", False),
        ("192.0.2.0/24 2001:db8::/32", "2001:db8::1", True),
        ("192.0.2.0/24, 10.0.0.0/8", "10.9.9.9", True),
        ("", "203.0.113.9", True),
    ],
)
def test_a_key_may_be_used_from_its_networks_only(ann, networks, address, allowed):
    issued = given_key(ann, networks=networks)
    if allowed:
        assert by_token(issued.secret, address=address) == by_signature(issued.id, issued.secret, address=address)
    else:
        with refused_with(Code.ADDRESS_NOT_ALLOWED):
            by_token(issued.secret, address=address)
        with refused_with(Code.ADDRESS_NOT_ALLOWED):
            by_signature(issued.id, issued.secret, address=address)


# ---- a signature


@pytest.mark.parametrize("drift_ms", [-WINDOW_MS, 0, WINDOW_MS])
def test_a_signature_inside_the_window_proves_the_same_as_the_token(ann, drift_ms):
    issued = given_key(ann)
    signed = by_signature(issued.id, issued.secret, timestamp_ms=NOW_MS + drift_ms)
    assert signed == by_token(issued.secret)


@pytest.mark.parametrize("drift_ms", [-WINDOW_MS - 1, WINDOW_MS + 1])
def test_a_timestamp_outside_the_window_names_the_clock_and_the_drift(ann, drift_ms, django_assert_num_queries):
    issued = given_key(ann)
    with django_assert_num_queries(0), refused_with(Code.TIMESTAMP_OUT_OF_WINDOW) as caught:
        by_signature(issued.id, issued.secret, timestamp_ms=NOW_MS + drift_ms)
    assert caught.value.details == {"server_time": NOW_MS, "drift_ms": drift_ms}


def test_a_wrong_secret_and_an_unknown_key_are_the_same_refusal(ann):
    issued = given_key(ann)
    refusals = []
    for key_id, secret in ((issued.id, "x"), (str(uuid.uuid4()), issued.secret)):
        with refused_with(Code.INVALID_SIGNATURE) as caught:
            by_signature(key_id, secret)
        refusals.append((caught.value.message, caught.value.details))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("junk", ["", "x", "zz" * 32, "A" * 44, "é" * 64, "ab" * 31, "=" * 44])
def test_what_is_no_signature_is_refused_without_a_query(ann, django_assert_num_queries, junk):
    issued = given_key(ann)
    with django_assert_num_queries(0), refused_with(Code.INVALID_SIGNATURE):
        by_signature(issued.id, issued.secret, sig=junk)


@pytest.mark.parametrize("junk", ["", "key", "8b6bcdc6", "0" * 33, "\0" * 32])
def test_what_is_no_key_id_is_refused_without_a_query(django_assert_num_queries, junk):
    with django_assert_num_queries(0), refused_with(Code.INVALID_SIGNATURE):
        by_signature(junk, "secret")


def test_a_signature_is_accepted_once_in_whichever_form(ann):
    issued = given_key(ann)
    text = signature(issued.secret, NOW_MS)
    by_signature(issued.id, issued.secret, sig=text)
    hexadecimal = base64.b64decode(text).hex()
    for again in (text, hexadecimal, hexadecimal.upper()):
        with refused_with(Code.SIGNATURE_REUSED):
            by_signature(issued.id, issued.secret, sig=again)


def test_a_hex_signature_is_as_good(ann):
    issued = given_key(ann)
    assert by_signature(issued.id, issued.secret, sig=base64.b64decode(signature(issued.secret, NOW_MS)).hex())


def test_what_need_not_be_single_may_repeat(ann):
    issued = given_key(ann)
    for _ in range(2):
        assert by_signature(issued.id, issued.secret, single_use=False).key_id == issued.id


def test_a_used_signature_is_remembered_longer_than_any_clock_accepts_it(ann):
    issued = given_key(ann)
    sig = signature(issued.secret, NOW_MS + WINDOW_MS)
    by_signature(issued.id, issued.secret, sig=sig, timestamp_ms=NOW_MS + WINDOW_MS)
    # Another host, whose clock is half a minute ahead, tidies up; ours still takes the timestamp.
    by_signature(issued.id, issued.secret, timestamp_ms=NOW_MS + 90_000, now_ms=NOW_MS + 90_000)
    with refused_with(Code.SIGNATURE_REUSED):
        by_signature(issued.id, issued.secret, sig=sig, timestamp_ms=NOW_MS + WINDOW_MS, now_ms=NOW_MS + 2 * WINDOW_MS)


def test_used_signatures_are_forgotten_in_the_end(ann):
    issued = given_key(ann)
    for minute in range(4):
        at_ms = NOW_MS + minute * 10 * WINDOW_MS
        by_signature(issued.id, issued.secret, timestamp_ms=at_ms, now_ms=at_ms)
    assert UsedSignature.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_signature_used_at_once_the_database_accepts_one(ann):
    issued = given_key(ann)
    outcomes = all_at_once(4, lambda: by_signature(issued.id, issued.secret).key_id)
    assert outcomes.count(issued.id) == 1
    assert [outcome.code for outcome in outcomes if outcome != issued.id] == [Code.SIGNATURE_REUSED] * 3


# ---- last use


def test_the_last_use_is_written_at_most_once_a_minute(ann):
    issued = given_key(ann)

    def use(after_ms, address):
        by_token(issued.secret, address=address, now_ms=NOW_MS + after_ms)
        issued.key.refresh_from_db()
        return issued.key.last_used_at, issued.key.last_used_address

    assert use(0, "192.0.2.1") == (moment(NOW_MS), "192.0.2.1")
    assert use(59_999, "192.0.2.2") == (moment(NOW_MS), "192.0.2.1")
    assert use(60_000, "2001:db8::1") == (moment(NOW_MS + 60_000), "2001:db8::1")


def test_a_refused_use_is_no_use(ann):
    issued = given_key(ann, networks=f"{ADDRESS}/32")
    by_signature(issued.id, issued.secret)
    ApiKey.objects.update(last_used_at=None)
    with refused_with(Code.ADDRESS_NOT_ALLOWED):
        by_token(issued.secret, address="203.0.113.9")
    with refused_with(Code.SIGNATURE_REUSED):
        by_signature(issued.id, issued.secret)
    assert ApiKey.objects.get().last_used_at is None


# ---- a browser


@pytest.fixture
def browser(ann):
    client = Client()
    client.force_login(ann)
    return client


def test_a_browser_may_everything_but_publish(ann, browser):
    identity = identity_for_session(browser.session.session_key)
    assert (identity.user_id, identity.username, identity.key_id) == (ann.pk, "ann", "")
    assert identity.scopes == {"market", "read", "trade"}
    assert identity.environments == {"live", "demo"}
    assert browser.session.session_key not in identity.session
    assert len(identity.session) == 64


@pytest.mark.parametrize("session_key", ["", "x", "a" * 32, "aaaaaaaa\0", "é" * 32])
def test_a_session_of_nobody_is_refused(db, session_key):
    with refused_with(Code.AUTHENTICATION_REQUIRED):
        identity_for_session(session_key)


def test_a_session_ends_with_its_password_its_user_or_its_time(ann, browser):
    session_key = browser.session.session_key
    ann.set_password("another one, as good")
    ann.save()
    with refused_with(Code.AUTHENTICATION_REQUIRED):
        identity_for_session(session_key)
    browser.force_login(ann)
    ann.is_active = False
    ann.save()
    with refused_with(Code.AUTHENTICATION_REQUIRED):
        identity_for_session(browser.session.session_key)
    ann.is_active = True
    ann.save()
    late = SessionStore(browser.session.session_key)
    assert identity_for_session(late.session_key or "")
    late.set_expiry(-1)
    late.save()
    with refused_with(Code.AUTHENTICATION_REQUIRED):
        identity_for_session(late.session_key or "")


# ---- where a user may trade


def test_a_key_reaches_no_further_than_its_user(ann):
    issued = given_key(ann)
    ann.environments = ["demo"]
    ann.save()
    assert by_token(issued.secret).environments == {"demo"}
    assert identity_of_browser(ann, "s1").environments == {"demo"}


def test_a_user_gets_no_key_for_what_the_user_may_not(ann):
    ann.environments = ["demo"]
    with pytest.raises(ValidationError, match="This user may use: demo"):
        given_key(ann, environments=["live"])
    assert given_key(ann).key.environments == ["demo"]


# ---- the second factor


def test_a_code_is_used_up_once_by_all_processes_together(ann):
    assert second_factor_use(ann.pk, "123456")
    assert not second_factor_use(ann.pk, "123 456")
    assert second_factor_use(ann.pk + 1, "123456")
    assert second_factor_use(ann.pk, "123457")


def test_recovery_codes_are_counted_without_opening_them(ann, settings):
    assert recovery_codes_left(ann) == 0
    codes = RecoveryCodes.activate(ann)
    assert codes.validate_code(codes.get_unused_codes()[3])
    settings.KEY_SECRETS = ["another"]
    assert recovery_codes_left(ann) == 9


def test_a_second_factor_can_be_removed(ann):
    assert not second_factor_remove(ann)
    RecoveryCodes.activate(ann)
    assert second_factor_remove(ann)
    assert not Authenticator.objects.exists()
