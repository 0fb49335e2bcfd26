"""The user's own pages: log in and out, keys."""

import re

import pytest
from django.test import Client

from accounts.models import ApiKey
from accounts.services import api_key_revoke
from tests.accounts.callers import PASSWORD, by_token, given_key

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"tk_(?:live|demo)_[0-9A-Za-z]{49}")


@pytest.fixture
def browser(client, ann):
    client.force_login(ann)
    return client


def wanted(**fields):
    return {"label": "till-7", "scopes": ["market"], "environments": ["live", "demo"], "networks": "", **fields}


def marked(text):
    """Return what the navigation of a page, and that of the account, say one is at."""
    return re.findall(r'<a [^>]*aria-current="page"[^>]*>([^<]+)</a>', text)


# ---- log in and out


def log_in(client, *, path="/login", name="ann", password=PASSWORD, **fields):
    return client.post(path, {"username": name, "password": password, **fields})


def test_logging_in_leads_to_the_page_that_was_wanted(client, ann):
    assert "csrfmiddlewaretoken" in client.get("/login?next=/keys/").content.decode()
    assert log_in(client, next="/keys/")["Location"] == "/keys/"
    assert client.get("/keys/").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_logging_in_leads_nowhere_else(client, ann, elsewhere):
    assert log_in(client, next=elsewhere)["Location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("ann", ""), ("", "")])
def test_a_wrong_log_in_does_not_say_what_was_wrong(client, ann, name, password):
    answer = log_in(client, name=name, password=password)
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    if name and password:
        assert "correct username and password" in answer.content.decode()


def test_too_many_attempts_are_told_to_wait_even_with_the_right_password(client, ann):
    for _ in range(10):
        client.post("/login", {"username": "ann", "password": "wrong"}, REMOTE_ADDR="198.51.100.2")
    answer = client.post("/login", {"username": "ann", "password": PASSWORD}, REMOTE_ADDR="198.51.100.2")
    assert "Too many attempts" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_logging_out_takes_a_post(browser):
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout")["Location"] == "/login"
    assert browser.get("/keys/")["Location"] == "/login?next=/keys/"


# ---- keys


def test_a_new_key_is_shown_with_its_secret_once(browser):
    answer = browser.post("/keys/", wanted(environments=["demo"]))
    (secret,) = SECRET.findall(answer.content.decode())
    assert answer["Cache-Control"] == "no-store"
    assert by_token(secret).environments == {"demo"}
    page = browser.get("/keys/").content.decode()
    assert "till-7" in page
    assert f"…{secret[-4:]}" in page
    assert not SECRET.search(page)
    assert ApiKey.objects.get().generations.get().digest not in page


def test_the_page_says_what_each_key_may_and_how_it_was_used(browser, ann):
    issued = given_key(ann, label="till-7", scopes=["read"], networks="192.0.2.0/24", expires_at="2030-01-31T12:00:00Z")
    assert "never" in browser.get("/keys/").content.decode()
    by_token(issued.secret)
    api_key_revoke(given_key(ann, label="till-8").key)
    page = browser.get("/keys/").content.decode()
    for text in (issued.id, "2030-01-31 12:00", "192.0.2.7", "active", "revoked"):
        assert text in page
    assert page.index("till-7") < page.index("till-8"), "what has ended comes last"
    assert page.count(">Rotate<") == page.count(">Revoke<") == page.count(">Revoke it<") == 1


def test_what_is_wrong_is_said_beside_it_and_nothing_is_issued(browser):
    page = browser.post("/keys/", wanted(networks="10.0.0.1/8", expires_at="2020-01-01T00:00")).content.decode()
    assert "10.0.0.1/8 is not a network" in page
    assert "This time is over already." in page
    assert not ApiKey.objects.exists()


def test_one_sees_ones_own_keys_only(browser, staff):
    theirs = given_key(staff, label="theirs")
    page = browser.get("/keys/").content.decode()
    assert "theirs" not in page
    assert theirs.id not in page


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_anothers_key_is_not_there(browser, staff, action):
    theirs = given_key(staff)
    answers = [browser.post(f"/keys/{pk}/{action}") for pk in (theirs.key.pk, theirs.key.pk + 1)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert by_token(theirs.secret)
    assert theirs.key.generations.count() == 1


def test_publishing_is_for_staff_to_give(browser, staff):
    assert "Select a valid choice" in browser.post("/keys/", wanted(scopes=["feed"])).content.decode()
    assert not ApiKey.objects.exists()
    browser.force_login(staff)
    (secret,) = SECRET.findall(browser.post("/keys/", wanted(scopes=["feed"])).content.decode())
    assert by_token(secret).scopes == {"feed"}


def test_rotating_shows_the_new_secret_once(browser, ann):
    issued = given_key(ann)
    answer = browser.post(f"/keys/{issued.key.pk}/rotate")
    (secret,) = SECRET.findall(answer.content.decode())
    assert answer["Cache-Control"] == "no-store"
    assert by_token(secret).key_id == by_token(issued.secret).key_id == issued.id


def test_revoking_leads_back_and_says_so(browser, ann):
    issued = given_key(ann, label="till-7")
    page = browser.post(f"/keys/{issued.key.pk}/revoke", follow=True).content.decode()
    assert "its sockets are being closed" in page
    assert ApiKey.objects.get().state == "revoked"
    assert browser.post(f"/keys/{issued.key.pk}/rotate").status_code == 404


@pytest.mark.parametrize("path", ["/keys/", "/keys/{}/rotate", "/keys/{}/revoke"])
def test_nothing_without_a_log_in_a_csrf_token_or_by_a_link(ann, path):
    issued = given_key(ann)
    path = path.format(issued.key.pk)
    stranger = Client()
    assert stranger.post(path, wanted())["Location"].startswith("/login")
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(ann)
    assert forged.post(path, wanted()).status_code == 403
    assert forged.get(path).status_code == (200 if path == "/keys/" else 405)
    assert (ApiKey.objects.get().state, issued.key.generations.count()) == ("active", 1)


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 }}"])
def test_a_label_is_text_and_nothing_else(browser, label):
    browser.post("/keys/", wanted(label=label))
    page = browser.get("/keys/").content.decode()
    assert ApiKey.objects.get().label == label
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/account/profile", "Profile"), ("/account/email", "Profile"), ("/account/two-factor", "Two-factor"),
        ("/keys/", "API keys"), ("/account/sessions", "Sessions"), ("/account/demo", "Demo account"),
    ],
)  # fmt: skip
def test_each_page_of_the_account_says_where_one_is(browser, path, name):
    assert marked(browser.get(path).content.decode()) == ["Account", name]


def test_the_page_with_the_new_secret_says_where_one_is(browser, ann):
    issued = given_key(ann)
    assert marked(browser.post("/keys/", wanted()).content.decode()) == ["Account", "API keys"]
    assert marked(browser.post(f"/keys/{issued.key.pk}/rotate").content.decode()) == ["Account", "API keys"]
