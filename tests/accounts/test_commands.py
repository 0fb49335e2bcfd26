"""Keys from the shell: `manage.py issue_key` and `revoke_key`."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.errors import Code
from accounts.models import AccessChange, ApiKey, User
from tests.accounts.callers import ADDRESS, by_token, given_key, refused_with

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def issued(*arguments):
    """Issue a key and return its id and secret, as a script reads them."""
    answer = json.loads(run("issue_key", *arguments, "--json").splitlines()[-1])
    assert list(answer) == ["id", "secret"]
    return answer["id"], answer["secret"]


def test_a_key_for_somebody_new_has_the_defaults_and_no_way_to_log_in():
    key_id, secret = issued("bob")
    identity = by_token(secret)
    assert (identity.username, identity.key_id) == ("bob", key_id)
    assert (identity.scopes, identity.environments) == ({"market", "read"}, {"live", "demo"})
    assert (identity.expires_ms, ApiKey.objects.get().networks) == (None, "")
    assert not User.objects.get(username="bob").has_usable_password()


def test_a_key_for_somebody_known_changes_nothing_of_theirs(ann):
    _, secret = issued("ann")
    assert by_token(secret).user_id == ann.pk
    assert User.objects.get(pk=ann.pk).password == ann.password


def test_every_option_is_heard():
    _, secret = issued(
        "bob", "--scope", "feed", "--scope", "market", "--env", "demo", "--label", "till-7",
        "--expires", "2027-01-31T01:00:00+01:00", "--cidr", "192.0.2.0/24", "--cidr", "2001:db8::/32",
    )  # fmt: skip
    assert secret.startswith("tk_demo_")
    identity = by_token(secret, address=ADDRESS)
    assert (identity.scopes, identity.environments) == ({"market", "feed"}, {"demo"})
    assert identity.expires_ms == 1_801_353_600_000
    assert ApiKey.objects.get().label == "till-7"
    assert by_token(secret, address="2001:db8::1") == identity
    with refused_with(Code.ADDRESS_NOT_ALLOWED):
        by_token(secret, address="203.0.113.9")


def test_a_person_reads_the_id_and_the_secret():
    text = run("issue_key", "bob")
    key_id, secret = re.search(r"key id  (\S+)\nsecret  (\S+)\n\(shown this once\)", text).groups()  # type: ignore[union-attr]  # else it fails
    assert by_token(secret).key_id == key_id


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--expires", "2027-01-31T00:00:00"], "a time with its zone"),
        (["--expires", "2027-02-31T00:00:00Z"], "a time with its zone"),
        (["--expires", "tomorrow"], "a time with its zone"),
        (["--cidr", "10.0.0.1/8"], "10.0.0.1/8 is not a network"),
        (["--scope", "admin"], "invalid choice: 'admin'"),
        (["--env", "paper"], "invalid choice: 'paper'"),
        (["--label", "x" * 65], "at most 64 characters"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_left_behind(arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        run("issue_key", "bob", *arguments)
    assert not ApiKey.objects.exists()
    assert not User.objects.filter(username="bob").exists()


@pytest.mark.parametrize("name", ["no blanks", "x" * 151, ""])
def test_a_name_that_nobody_can_have_is_refused(name):
    with pytest.raises(CommandError):
        run("issue_key", name)
    assert not User.objects.filter(username=name).exists()


def test_a_revoked_key_is_refused_and_its_sockets_are_told(ann):
    key = given_key(ann, label="till-7")
    for _ in range(2):
        assert run("revoke_key", key.id) == f"{key.key} is revoked.\n"
    with refused_with(Code.KEY_REVOKED):
        by_token(key.secret)
    assert [change.key_id for change in AccessChange.objects.all()] == [key.id]


@pytest.mark.parametrize("wrong", ["00000000-0000-4000-8000-000000000000", "till-7", ""])
def test_an_id_of_no_key_is_said(wrong):
    with pytest.raises(CommandError, match=r"no key with this id|invalid UUID"):
        run("revoke_key", wrong)
