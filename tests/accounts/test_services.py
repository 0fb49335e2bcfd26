"""What happens to keys: what is stored, rotation, server keys, and how the end of an access is told."""

import base64
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts import access_changes, signing
from accounts.access_changes import access_changes_after, newest_access_change
from accounts.errors import Code
from accounts.models import AccessChange, ApiKey, ApiKeyGeneration
from accounts.services import (
    api_key_revoke,
    api_key_rotate,
    identity_known,
)
from tests.accounts.callers import (
    ADDRESS,
    NOW_MS,
    Issued,
    all_at_once,
    by_signature,
    by_token,
    given_key,
    refused_with,
)

pytestmark = pytest.mark.django_db


def moment(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def dump():
    """Return every column of every table as one text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            texts += [str(row) for row in cursor.fetchall()]
    return "\n".join(texts)


# ---- what is stored


def test_no_column_of_any_table_holds_the_secret(ann):
    issued = given_key(ann, label="canary")
    rotated = api_key_rotate(issued.key)
    by_token(rotated)
    by_signature(issued.id, rotated)
    stored = dump()
    assert "canary" in stored
    for secret in (issued.secret, rotated):
        body = secret.removeprefix("tk_live_")
        for form in (body, body.encode().hex(), base64.b64encode(body.encode()).decode()):
            assert form not in stored


def test_a_secret_tells_what_the_key_is_for(ann):
    assert given_key(ann).secret.startswith("tk_live_")
    assert given_key(ann, environments=["demo"]).secret.startswith("tk_demo_")
    assert given_key(ann, environments=["demo", "demo"]).secret.startswith("tk_demo_")


def test_scopes_and_environments_are_stored_once_and_in_order(ann):
    key = given_key(ann, scopes=["trade", "read", "trade"], environments=["demo", "live", "demo"]).key
    assert (key.scopes, key.environments) == (["read", "trade"], ["live", "demo"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["market", "admin"]},
        {"scopes": []},
        {"environments": ["paper"]},
        {"environments": []},
        {"networks": "10.0.0.1/8"},
        {"label": "x" * 65},
    ],
)
def test_a_key_that_cannot_be_is_not_issued(ann, wrong):
    with pytest.raises(ValidationError):
        given_key(ann, **wrong)
    assert not ApiKey.objects.exists()


# ---- rotation


def test_for_the_overlap_both_secrets_work_both_ways(ann):
    issued = given_key(ann)
    renewed = api_key_rotate(issued.key)
    end_ms = round(issued.key.generations.get(number=1).valid_until.timestamp() * 1000)
    assert abs(end_ms - datetime.now(UTC).timestamp() * 1000 - 24 * 3_600_000) < 60_000
    for secret in (issued.secret, renewed):
        assert by_token(secret, now_ms=end_ms - 1).key_id == issued.id
        assert by_signature(issued.id, secret, timestamp_ms=end_ms - 1, now_ms=end_ms - 1).key_id == issued.id
    with refused_with(Code.KEY_EXPIRED):
        by_token(issued.secret, now_ms=end_ms + 1)
    with refused_with(Code.INVALID_SIGNATURE):
        by_signature(issued.id, issued.secret, timestamp_ms=end_ms + 1, now_ms=end_ms + 1)
    assert by_token(renewed, now_ms=end_ms + 1).key_id == issued.id
    assert by_signature(issued.id, renewed, timestamp_ms=end_ms + 1, now_ms=end_ms + 1).key_id == issued.id


def test_a_third_generation_ends_the_first_at_once(ann):
    issued = given_key(ann)
    second = api_key_rotate(issued.key)
    third = api_key_rotate(issued.key)
    now_ms = round(issued.key.generations.get(number=1).valid_until.timestamp() * 1000) + 1
    with refused_with(Code.KEY_EXPIRED):
        by_token(issued.secret, now_ms=now_ms)
    for number, secret in enumerate((second, third)):
        assert by_token(secret, now_ms=now_ms)
        assert by_signature(issued.id, secret, timestamp_ms=now_ms + number, now_ms=now_ms)


def test_a_signature_is_tried_against_two_generations_at_most(ann, monkeypatch):
    issued = given_key(ann)
    for _ in range(3):
        api_key_rotate(issued.key)
    issued.key.generations.update(valid_until=None)
    tried: list[str] = []
    matches = signing.matches

    def counted(secret, *rest, **request):
        tried.append(secret)
        return matches(secret, *rest, **request)

    monkeypatch.setattr(signing, "matches", counted)
    with refused_with(Code.INVALID_SIGNATURE):
        by_signature(issued.id, issued.secret)
    assert len([secret for secret in tried if secret]) == 2


def test_a_revoked_key_is_not_rotated(ann):
    issued = given_key(ann)
    stale = ApiKey.objects.get(pk=issued.key.pk)
    api_key_revoke(issued.key)
    with refused_with(Code.KEY_REVOKED):
        api_key_rotate(stale)
    assert ApiKeyGeneration.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_rotations_at_once_follow_one_another(ann):
    issued = given_key(ann)
    secrets = all_at_once(3, lambda: api_key_rotate(ApiKey.objects.get(pk=issued.key.pk)))
    assert all(isinstance(secret, str) for secret in secrets), secrets
    assert sorted(issued.key.generations.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert issued.key.generations.filter(valid_until=None).count() == 1


def test_a_rotated_secret_ends_its_own_sockets_at_the_end_of_the_overlap(ann):
    issued = given_key(ann)
    cursor = newest_access_change()
    api_key_rotate(issued.key)
    assert not access_changes_after(cursor)
    end = issued.key.generations.get(number=1).valid_until
    assert AccessChange.objects.get().at == end
    AccessChange.objects.update(at=timezone.now())
    told = [(change.key_id, change.generation) for change in access_changes_after(cursor)]
    assert told == [(issued.id, 1)]
    # Many others may have come since: it was written a day ago.
    assert access_changes_after(cursor + 1_000) == access_changes_after(cursor)


def test_a_secret_that_ends_early_ends_its_sockets_at_once(ann):
    issued = given_key(ann)
    for _ in range(2):
        api_key_rotate(issued.key)
    assert [(change.key_id, change.generation) for change in access_changes_after(0)] == [(issued.id, 1)]


def test_a_key_that_was_just_used_is_known_without_a_query_until_it_ends(ann, django_assert_num_queries):
    issued = given_key(ann)
    by_token(issued.secret)
    by_signature(issued.id, issued.secret, single_use=False)
    with django_assert_num_queries(0):
        assert by_token(issued.secret) == by_signature(issued.id, issued.secret, single_use=False)
    api_key_revoke(issued.key)
    for ask in (lambda: by_token(issued.secret), lambda: by_signature(issued.id, issued.secret, single_use=False)):
        with refused_with(Code.KEY_REVOKED):
            ask()


def test_who_is_known_without_a_query_is_whom_a_query_would_find(ann, django_assert_num_queries):
    issued = given_key(ann, networks=f"{ADDRESS}/32")
    asked = {"token": issued.secret, "address": ADDRESS, "now_ms": NOW_MS}
    with django_assert_num_queries(0):
        assert identity_known(**asked) is None
        assert identity_known(**{**asked, "token": "no secret"}) is None
    found = by_token(issued.secret)
    with django_assert_num_queries(0):
        assert identity_known(**asked) == found
        with refused_with(Code.ADDRESS_NOT_ALLOWED):
            identity_known(**{**asked, "address": "192.0.2.1"})
        # A minute later its use has to be noted again.
        assert identity_known(**{**asked, "now_ms": NOW_MS + 60_000}) is None
    api_key_revoke(issued.key)
    assert identity_known(**asked) is None


def test_a_new_secret_counts_at_once_also_where_nobody_has_heard_of_it(ann, monkeypatch):
    issued = given_key(ann)
    by_signature(issued.id, issued.secret, single_use=False)
    with monkeypatch.context() as patched:
        patched.setattr(access_changes, "forget_keys", lambda: None)  # another process rotates it
        renewed = api_key_rotate(issued.key)
    assert by_token(renewed).generation == by_signature(issued.id, renewed).generation == 2


def test_an_identity_says_until_when_it_holds(ann):
    issued = given_key(ann)
    assert by_token(issued.secret).expires_ms is None
    renewed = api_key_rotate(issued.key)
    end_ms = issued.key.generations.get(number=1).valid_until.timestamp() * 1000
    for old, new in (
        (by_token(issued.secret), by_token(renewed)),
        (by_signature(issued.id, issued.secret), by_signature(issued.id, renewed)),
    ):
        assert (old.generation, new.generation) == (1, 2)
        assert 0 <= end_ms - old.expires_ms < 1
        assert new.expires_ms is None
    issued.key.expires_at = moment(NOW_MS + 5)
    issued.key.save()
    assert by_token(issued.secret).expires_ms == by_token(renewed).expires_ms == NOW_MS + 5


# ---- server keys


def test_old_keys_work_while_their_server_key_is_listed_and_no_longer(ann, settings):
    settings.KEY_SECRETS = ["old server key"]
    old = given_key(ann)
    settings.KEY_SECRETS = ["new server key", "old server key"]
    new = Issued(old.key, api_key_rotate(old.key))
    assert by_token(old.secret).key_id == by_token(new.secret).key_id == old.id
    assert by_signature(old.id, old.secret).key_id == by_signature(old.id, new.secret).key_id
    settings.KEY_SECRETS = ["new server key"]
    assert by_token(new.secret).key_id == by_signature(old.id, new.secret, single_use=False).key_id
    with refused_with(Code.INVALID_KEY):
        by_token(old.secret)
    with refused_with(Code.INVALID_SIGNATURE):
        by_signature(old.id, old.secret, timestamp_ms=NOW_MS + 1)


@pytest.mark.parametrize("guess", ["unknown", "", "None"])
def test_without_its_server_key_no_word_signs_for_a_key(ann, settings, guess):
    issued = given_key(ann)
    settings.KEY_SECRETS = ["another server key"]
    with refused_with(Code.INVALID_SIGNATURE):
        by_signature(issued.id, guess)
