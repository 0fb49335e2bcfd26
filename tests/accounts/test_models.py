"""What the tables hold, and what they refuse."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import (
    MAX_NETWORKS,
    ApiKey,
    ApiKeyGeneration,
    UsedSignature,
    validate_environments,
    validate_networks,
    validate_scopes,
)
from tests.accounts.callers import given_key


def test_a_key_is_active_until_it_expires_or_is_revoked():
    now = timezone.now()
    assert ApiKey().state == "active"
    assert ApiKey(expires_at=now + timedelta(minutes=1)).state == "active"
    assert ApiKey(expires_at=now - timedelta(minutes=1)).state == "expired"
    assert ApiKey(expires_at=now - timedelta(minutes=1), revoked_at=now).state == "revoked"


@pytest.mark.parametrize("validate", [validate_scopes, validate_environments])
@pytest.mark.parametrize("wrong", [[], None, "market", ["admin"], {"market": 1}])
def test_a_choice_is_a_list_of_what_there_is(validate, wrong):
    with pytest.raises(ValidationError):
        validate(wrong)


def test_a_list_of_networks_is_bounded():
    networks = [f"10.0.{number}.0/24" for number in range(MAX_NETWORKS + 1)]
    validate_networks(" ".join(networks[:-1]))
    with pytest.raises(ValidationError, match=f"At most {MAX_NETWORKS} networks"):
        validate_networks(" ".join(networks))


def test_what_is_written_into_logs_names_no_secret(ann):
    issued = given_key(ann, label="till-7")
    generation = issued.key.generations.get()
    for text in (str(issued.key), str(generation), repr(generation), str(UsedSignature(digest="d" * 64))):
        assert issued.secret not in text
        assert generation.digest not in text
        assert "d" * 64 not in text
    assert str(issued.key) == f"till-7 {issued.id[:8]}…"


@pytest.mark.parametrize("same", [{"number": 1, "digest": "other"}, {"number": 2}])
def test_a_generation_and_a_digest_exist_once(ann, same):
    generation = given_key(ann).key.generations.get()
    fields = {"digest": generation.digest, "server_key": "", "last_four": "", **same}
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKeyGeneration.objects.create(key=generation.key, **fields)
    assert ApiKeyGeneration.objects.count() == 1


def test_a_digest_of_a_signature_exists_once(db):
    UsedSignature.objects.create(digest="d" * 64, expires_ms=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        UsedSignature.objects.create(digest="d" * 64, expires_ms=2)


def test_keys_are_listed_newest_first_and_so_are_their_generations(ann):
    keys = [given_key(ann).key for _ in range(3)]
    assert list(ApiKey.objects.all()) == keys[::-1]
    ApiKeyGeneration.objects.create(key=keys[0], number=2, digest="d" * 64, server_key="", last_four="")
    assert [generation.number for generation in keys[0].generations.all()] == [2, 1]
