"""REST about one's own keys, for the browser that is logged in."""

import json
import uuid

import pytest
from django.test import Client

from accounts.models import ApiKey, User
from tests.accounts.callers import NOW_MS, by_token, given_key

pytestmark = pytest.mark.django_db


class Browser(Client):
    """A browser with somebody's session, which sends its CSRF token."""

    def __init__(self, user):
        super().__init__(enforce_csrf_checks=True)
        self.force_login(user)
        self.get("/keys/")

    def call(self, path, body=None, **headers):
        headers = {"X-CSRFToken": self.cookies["csrftoken"].value, **headers}
        return self.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)


@pytest.fixture
def browser(ann):
    return Browser(ann)


def code_of(answer):
    return answer.status_code, answer.json()["code"]


# ---- issue


def test_a_key_is_issued_with_the_defaults_and_its_secret_is_shown_once(browser):
    answer = browser.call("/account/keys")
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert list(answer.json()) == ["id", "secret"]
    identity = by_token(answer.json()["secret"])
    assert (identity.username, identity.key_id) == ("ann", answer.json()["id"])
    assert (identity.scopes, identity.environments) == ({"market", "read"}, {"live", "demo"})


def test_a_key_is_issued_as_it_was_asked_for(browser):
    wanted = {
        "label": "till-7", "scopes": ["trade"], "environments": ["demo"], "networks": "192.0.2.0/24 2001:db8::/32",
        "expires_at": "2027-01-31T01:00:00+01:00",
    }  # fmt: skip
    secret = browser.call("/account/keys/", wanted).json()["secret"]
    assert secret.startswith("tk_demo_")
    identity = by_token(secret)
    assert (identity.scopes, identity.environments) == ({"trade"}, {"demo"})
    assert identity.expires_ms == 1_801_353_600_000
    key = ApiKey.objects.get()
    assert (key.label, key.networks) == ("till-7", "192.0.2.0/24 2001:db8::/32")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("label", "x" * 65),
        ("label", ["x"]),
        ("label", "a\0b"),
        ("scopes", []),
        ("scopes", "market"),
        ("scopes", ["market", "admin"]),
        ("scopes", [{}]),
        ("environments", ["paper"]),
        ("environments", None),
        ("expires_at", "tomorrow"),
        ("expires_at", 5),
        ("networks", "10.0.0.1/8"),
        ("networks", "1 " * 101),
        ("networks", " ".join(f"10.0.{n}.0/24" for n in range(101))),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_issued(browser, field, wrong):
    answer = browser.call("/account/keys", {field: wrong})
    assert code_of(answer) == (400, "invalid_parameter")
    assert answer.json()["message"] == f"Missing or of the wrong form: {field}"
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("name", ["user", "public_id", "id", "revoked_at", "scope"])
def test_a_name_that_is_not_known_is_named_too(browser, name):
    answer = browser.call("/account/keys", {name: "1"})
    assert code_of(answer) == (400, "invalid_parameter")
    assert name in answer.json()["message"]
    assert not ApiKey.objects.exists()


def test_a_key_that_would_never_work_is_not_issued(browser):
    answer = browser.call("/account/keys", {"expires_at": "2020-01-01T00:00:00Z"})
    assert code_of(answer) == (400, "invalid_parameter")


def test_publishing_is_for_staff_to_give(browser, staff):
    assert code_of(browser.call("/account/keys", {"scopes": ["feed"]})) == (403, "scope_denied")
    assert by_token(Browser(staff).call("/account/keys", {"scopes": ["feed"]}).json()["secret"]).scopes == {"feed"}


# ---- rotate and revoke


def test_rotating_answers_with_a_new_secret_beside_the_old(browser, ann):
    issued = given_key(ann)
    answer = browser.call(f"/account/keys/{issued.id}/rotate")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json()["id"] == issued.id
    assert by_token(answer.json()["secret"]).key_id == by_token(issued.secret).key_id == issued.id


def test_revoking_is_for_good_and_may_be_repeated(browser, ann):
    issued = given_key(ann)
    for _ in range(2):
        answer = browser.call(f"/account/keys/{issued.id}/revoke/")
        assert (answer.status_code, answer.json()) == (200, {"id": issued.id})
    assert ApiKey.objects.get().state == "revoked"
    assert code_of(browser.call(f"/account/keys/{issued.id}/rotate")) == (404, "not_found")


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_anothers_key_is_answered_like_nobodys(browser, staff, action):
    theirs = given_key(staff)
    ids = (theirs.id, uuid.uuid4(), "1", theirs.key.pk, "%00")
    answers = [browser.call(f"/account/keys/{key_id}/{action}") for key_id in ids]
    assert {(*code_of(answer), answer.content) for answer in answers} == {(404, "not_found", answers[0].content)}
    assert by_token(theirs.secret)


# ---- who may


PATHS = ["/account/keys", "/account/keys/{}/rotate", "/account/keys/{}/revoke"]


@pytest.mark.parametrize("path", PATHS)
def test_a_key_makes_rotates_and_revokes_no_key(client, ann, path):
    own = given_key(ann, scopes=["market", "read", "trade", "feed"])
    answer = client.post(path.format(own.id), headers={"Authorization": f"Bearer {own.secret}"})
    assert code_of(answer) == (403, "scope_denied")
    assert by_token(own.secret, now_ms=NOW_MS)
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("path", PATHS)
def test_nothing_without_a_log_in_or_the_csrf_token_or_by_get(client, browser, ann, path):
    own = given_key(ann)
    path = path.format(own.id)
    assert code_of(client.post(path)) == (401, "authentication_required")
    assert code_of(browser.call(path, **{"X-CSRFToken": "x" * 32})) == (403, "csrf_failed")
    assert code_of(browser.get(path)) == (405, "method_not_allowed")
    assert own.key.generations.count() == ApiKey.objects.filter(revoked_at=None).count() == 1


def test_a_key_may_what_its_user_may(browser, ann):
    User.objects.update(environments=["demo"])
    assert code_of(browser.call("/account/keys", {"environments": ["live", "demo"]})) == (403, "environment_denied")
    assert not ApiKey.objects.exists()
    assert by_token(browser.call("/account/keys").json()["secret"]).environments == {"demo"}
