"""The administrator's pages of users and keys, as a browser opens them."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import ApiKey, User
from accounts.services import api_key_revoke
from tests.accounts.callers import PASSWORD, by_token, given_key

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"tk_(?:live|demo)_[0-9A-Za-z]{49}")
LIST = "/admin/accounts/apikey/"
ADD = LIST + "add/"


@pytest.fixture
def admin(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def issued(ann):
    return given_key(ann, label="till-7")


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def form_of(user, **fields):
    return {
        "user": user.pk, "label": "till-7", "scopes": ["market"], "environments": ["live", "demo"], "networks": "",
        **fields,
    }  # fmt: skip


def texts_of(key):
    """Return what may never be read again of a key."""
    return SECRET, re.compile(re.escape(key.generations.first().digest))


def test_issuing_a_key_shows_its_secret_once(admin, ann):
    answer = admin.post(ADD, form_of(ann, scopes=["market", "feed"], environments=["demo"]))
    (secret,) = SECRET.findall(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    identity = by_token(secret)
    assert (identity.username, identity.scopes, identity.environments) == ("ann", {"market", "feed"}, {"demo"})
    key = ApiKey.objects.get()
    change = reverse("admin:accounts_apikey_change", args=[key.pk])
    for path in (LIST, change, f"{LIST}{key.pk}/history/", f"{LIST}{key.pk}/delete/", ADD, "/admin/", "/keys/"):
        text = page(admin, path)
        assert not [pattern for pattern in texts_of(key) if pattern.search(text)], path
    assert LogEntry.objects.count() == 1
    assert secret not in str(LogEntry.objects.values())


def test_a_key_that_cannot_be_is_explained_and_not_issued(admin, ann):
    answer = admin.post(ADD, form_of(ann, networks="10.0.0.1/8", scopes=[]))
    text = answer.content.decode()
    assert "10.0.0.1/8 is not a network" in text
    assert "This field is required" in text
    assert not ApiKey.objects.exists()


def test_the_list_finds_a_key_and_says_its_state(admin, issued):
    assert "till-7" in page(admin, LIST + "?q=till-7")
    assert "active" in page(admin, LIST)
    assert "market, read</td>" in page(admin, LIST)
    assert "live, demo</td>" in page(admin, LIST)
    assert f"…{issued.secret[-4:]}" in page(admin, LIST)
    api_key_revoke(issued.key)
    assert "revoked" in page(admin, LIST)
    assert "till-7" not in page(admin, LIST + "?revoked_at__isnull=True")


def test_the_list_takes_the_same_number_of_queries_however_many_keys(admin, ann, django_assert_max_num_queries):
    for _ in range(20):
        given_key(ann)
    page(admin, LIST)  # from now on this browser has been seen
    with django_assert_max_num_queries(10):
        page(admin, LIST)


def test_rights_can_be_changed_but_neither_the_user_nor_the_id(admin, issued, staff):
    change = reverse("admin:accounts_apikey_change", args=[issued.key.pk])
    answer = admin.post(change, {**form_of(staff, scopes=["read"]), "public_id": "8b6bcdc6"})
    assert answer.status_code == 302
    identity = by_token(issued.secret)
    assert (identity.username, identity.scopes, identity.key_id) == ("ann", {"read"}, issued.id)


def test_an_expired_key_can_still_be_relabelled(admin, issued):
    change = reverse("admin:accounts_apikey_change", args=[issued.key.pk])
    ApiKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert 'value="2020-01-01T00:00:00"' in page(admin, change)
    answer = admin.post(change, form_of(issued.key.user, label="till-7, old", expires_at="2020-01-01T00:00:00"))
    assert answer.status_code == 302
    assert ApiKey.objects.get().label == "till-7, old"


def test_rotating_shows_the_new_secret_once_and_is_noted(admin, issued):
    answer = admin.post(f"{LIST}{issued.key.pk}/rotate")
    (secret,) = SECRET.findall(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert secret != issued.secret
    assert by_token(secret).key_id == by_token(issued.secret).key_id == issued.id
    assert LogEntry.objects.get().change_message == "Rotated"


def test_revoking_is_for_good_and_is_noted(admin, issued):
    assert admin.post(f"{LIST}{issued.key.pk}/revoke").status_code == 302
    assert ApiKey.objects.get().state == "revoked"
    assert LogEntry.objects.get().change_message == "Revoked"
    answer = admin.post(f"{LIST}{issued.key.pk}/rotate", follow=True)
    assert "is revoked" in answer.content.decode()
    assert not SECRET.search(answer.content.decode())
    assert ApiKey.objects.get().generations.count() == 1


def test_selected_keys_are_revoked_together(admin, ann):
    keys = [given_key(ann).key for _ in range(3)]
    answer = admin.post(
        LIST, {"action": "revoke_selected", "_selected_action": [key.pk for key in keys[:2]]}, follow=True
    )
    assert "2 keys are revoked." in answer.content.decode()
    answer = admin.post(LIST, {"action": "revoke_selected", "_selected_action": [keys[0].pk]}, follow=True)
    assert [str(m) for m in answer.context["messages"]] == [f"{keys[0]} is revoked."]
    assert {key.pk: key.state for key in ApiKey.objects.all()} == {
        keys[0].pk: "revoked", keys[1].pk: "revoked", keys[2].pk: "active"
    }  # fmt: skip


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_nothing_is_done_by_a_link_without_the_right_or_to_nobodys_key(client, admin, issued, action):
    path = f"{LIST}{issued.key.pk}/{action}"
    assert admin.get(path).status_code == 405
    assert admin.post(f"{LIST}{issued.key.pk + 1}/{action}").status_code == 404
    client.force_login(User.objects.create_user("clerk", password=PASSWORD, is_staff=True))
    assert client.post(path).status_code == 403
    client.force_login(issued.key.user)
    assert client.post(path)["Location"].startswith("/admin/login/")
    assert (ApiKey.objects.get().state, issued.key.generations.count()) == ("active", 1)


def test_a_user_can_be_added(admin):
    fields = {"username": "bob", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert admin.post("/admin/accounts/user/add/", fields).status_code == 302
    assert User.objects.get(username="bob").check_password(PASSWORD)
    assert "bob" in page(admin, "/admin/accounts/user/")


def test_the_administrations_door_is_the_one_of_all(client, staff):
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/login?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "chief", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in client.session


def test_who_is_no_staff_is_told_so_and_not_sent_round(client, ann):
    client.force_login(ann)
    assert client.get("/admin/login/?next=/admin/").status_code == 403


def test_a_lost_phone_is_forgotten_by_an_administrator(admin, ann):
    TOTP.activate(ann, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(ann)
    chosen = {"action": "remove_second_factor", "_selected_action": [ann.pk]}
    said = admin.post("/admin/accounts/user/", chosen, follow=True).content.decode()
    assert "Ann logs in with the password alone." in said
    assert not Authenticator.objects.exists()
    assert LogEntry.objects.get().get_change_message() == "Second factor removed"


def test_where_a_user_may_trade_is_on_the_users_page(admin, ann):
    assert 'name="environments"' in page(admin, f"/admin/accounts/user/{ann.pk}/change/")


def test_sealed_secrets_have_no_page(admin):
    for model in ("mfa/authenticator", "account/emailaddress", "usersessions/usersession"):
        assert admin.get(f"/admin/{model}/").status_code == 404
