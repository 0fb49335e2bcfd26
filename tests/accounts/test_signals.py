"""Whatever takes access away says so, by whichever path."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_save
from django.test import Client

from accounts.access_changes import ALL_SESSIONS
from accounts.errors import Code
from accounts.models import AccessChange, User
from accounts.services import identity_for_session, session_digest
from tests.accounts.callers import PASSWORD, given_key, refused_with

pytestmark = pytest.mark.django_db


def told():
    """Return the access changes so far as (user, key, session)."""
    return list(AccessChange.objects.values_list("user_id", "key_id", "session"))


@pytest.fixture
def browser(ann):
    client = Client()
    client.force_login(ann)
    return client


def test_disabling_a_user_ends_everything_of_theirs(ann):
    ann.is_active = False
    ann.save()
    assert told() == [(ann.pk, "", "")]


def test_enabling_a_user_again_ends_nothing(ann):
    User.objects.update(is_active=False)
    ann.is_active = True
    ann.save()
    assert not told()


def test_a_new_password_ends_the_browsers_and_no_keys(ann):
    ann.set_password("another one, as good")
    ann.save()
    assert told() == [(ann.pk, "", ALL_SESSIONS)]


def test_the_shells_way_to_a_new_password_does_too(ann, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt: "another one, as good")
    call_command("changepassword", "ann", verbosity=0)
    assert told() == [(ann.pk, "", ALL_SESSIONS)]


def test_other_environments_end_everything_that_was_opened_with_the_old_ones(ann):
    ann.environments = ["demo"]
    ann.save()
    assert told() == [(ann.pk, "", "")]


def test_a_session_that_is_ended_from_elsewhere_is_told(ann, browser):
    browser.get("/keys/")
    session_key = browser.session.session_key
    UserSession.objects.get().end()
    assert told() == [(ann.pk, "", session_digest(session_key))]
    with refused_with(Code.AUTHENTICATION_REQUIRED):
        identity_for_session(session_key)


def test_logging_in_and_other_changes_end_nothing(ann, client):
    assert client.login(username="ann", password=PASSWORD)
    ann.email = "ann@example.com"
    ann.save()
    User.objects.create(username="bob")
    assert not told()


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_whoever_is_no_longer_staff_or_superuser_opens_their_sockets_anew(ann, right):
    User.objects.update(**{right: True})
    ann.refresh_from_db()
    setattr(ann, right, False)
    ann.save()
    assert told() == [(ann.pk, "", ALL_SESSIONS)]


def test_whoever_leaves_a_group_or_loses_a_permission_does_too_and_gaining_ends_nothing(ann):
    group, permission = Group.objects.create(name="night watch"), Permission.objects.all()[0]
    ann.groups.add(group)
    ann.user_permissions.add(permission)
    group.permissions.add(permission)
    assert not told()
    group.permissions.remove(permission)
    ann.user_permissions.clear()
    ann.groups.remove(group)
    assert told() == [(ann.pk, "", ALL_SESSIONS)] * 3
    ann.groups.add(group)
    group.user_set.clear()
    assert told() == [(ann.pk, "", ALL_SESSIONS)] * 4


def test_logging_out_ends_this_browser_only(ann, browser):
    session_key = browser.session.session_key
    other = Client()
    other.force_login(ann)
    browser.post("/logout")
    assert told() == [(ann.pk, "", session_digest(session_key))]
    assert identity_for_session(other.session.session_key or "")


def test_when_a_log_out_is_told_the_session_is_gone(ann, browser):
    """Else a socket that opens between the two would stay."""
    session_key, found = browser.session.session_key, []

    def look(sender, **_):
        found.append(Session.objects.filter(session_key=session_key).exists())
        with refused_with(Code.AUTHENTICATION_REQUIRED):
            identity_for_session(session_key)

    post_save.connect(look, sender=AccessChange)
    try:
        browser.post("/logout")
    finally:
        post_save.disconnect(look, sender=AccessChange)
    assert found == [False]


def test_logging_out_without_a_session_tells_nothing(client, db):
    client.post("/logout")
    assert not told()


def test_deleting_a_key_ends_it(ann):
    key = given_key(ann).key
    key.delete()
    assert told() == [(ann.pk, str(key.public_id), "")]


def test_deleting_a_user_ends_everything_of_theirs(ann):
    key, pk = given_key(ann).key, ann.pk
    ann.delete()
    assert set(told()) == {(pk, str(key.public_id), ""), (pk, "", "")}


@pytest.mark.parametrize(
    "rights",
    [
        {"scopes": ["market"]},
        {"environments": ["demo"]},
        {"networks": "192.0.2.0/24"},
        {"expires_at": "2030-01-01T00:00:00Z"},
    ],
)
def test_changing_a_keys_rights_ends_what_was_opened_with_the_old_ones(ann, rights):
    key = given_key(ann).key
    for name, value in rights.items():
        setattr(key, name, value)
    key.save()
    assert told() == [(ann.pk, str(key.public_id), "")]


def test_another_label_ends_nothing(ann):
    key = given_key(ann).key
    key.label = "till-7"
    key.save()
    assert not told()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["user", "key"])
def test_a_change_and_the_word_of_it_are_one_transaction(ann, what):
    """A socket that opens after the word was read, and before the change, would stay open."""
    inside = []

    def look(sender, **_):
        inside.append(connection.in_atomic_block)

    post_save.connect(look, sender=AccessChange)
    try:
        if what == "user":
            ann.is_active = False
            ann.save()
        else:
            key = given_key(ann).key
            key.scopes = ["market"]
            key.save()
    finally:
        post_save.disconnect(look, sender=AccessChange)
    assert inside == [True]
