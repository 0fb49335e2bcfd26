"""A user's pages as a browser sees them: second factor, password, sessions, sign-up, demo account."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts.errors import Code
from accounts.models import User
from accounts.services import identity_for_session
from tests.accounts.callers import PASSWORD, refused_with, totp

pytestmark = pytest.mark.django_db

NEW = "battery horse correct"


@pytest.fixture
def browser(client, ann):
    client.force_login(ann)
    return client


def log_in(client, *, name="ann", password=PASSWORD, **more):
    return client.post("/login", {"username": name, "password": password, **more})


def is_in(client):
    return client.get("/account/profile").status_code == 200


def prove(client, password=PASSWORD):
    """Type the password once more, as what concerns the second factor asks for."""
    return client.post("/account/again?next=/account/two-factor", {"password": password})


def add_app(client):
    """Turn the second factor on; return the app's secret."""
    prove(client)
    page = client.get("/account/two-factor/app").text
    (secret,) = re.findall(r'id="totp-secret"[^>]*>(\w+)<', page)
    assert client.post("/account/two-factor/app", {"code": totp(secret)})["Location"] == "/account/two-factor/codes"
    return secret


def link_in(letter):
    (path,) = re.findall(r"http://testserver(\S+)", str(letter.body))
    return path


# ---- second factor


def test_adding_an_app_asks_for_the_password_first(browser):
    assert browser.get("/account/two-factor/app")["Location"] == "/account/again?next=%2Faccount%2Ftwo-factor%2Fapp"
    assert "Incorrect password" in prove(browser, "wrong").text
    assert prove(browser)["Location"] == "/account/two-factor"
    assert "data:image/svg+xml" in browser.get("/account/two-factor/app").text


def test_with_an_app_the_password_alone_opens_nothing(browser, ann):
    secret = add_app(browser)
    visitor = Client()
    assert log_in(visitor, next="/keys/")["Location"] == "/login/code"
    assert not is_in(visitor)
    with refused_with(Code.AUTHENTICATION_REQUIRED):
        identity_for_session(visitor.session.session_key or "")
    assert "Incorrect code" in visitor.post("/login/code", {"code": "000000"}).text
    assert not is_in(visitor)
    assert visitor.post("/login/code", {"code": totp(secret, steps=1)})["Location"] == "/keys/"
    assert is_in(visitor)


def test_the_administration_asks_for_it_too(client, staff):
    client.force_login(staff)
    secret = add_app(client)
    visitor = Client()
    door = visitor.get("/admin/login/?next=/admin/")["Location"]
    assert visitor.get(door).status_code == 200
    assert log_in(visitor, name="chief", next="/admin/")["Location"] == "/login/code"
    assert visitor.get("/admin/").status_code == 302
    visitor.post("/login/code", {"code": totp(secret, steps=1)})
    assert visitor.get("/admin/").status_code == 200


def test_a_recovery_code_opens_once_and_the_page_counts_them(browser):
    add_app(browser)
    codes = re.findall(r"<li><code>(\d{10})</code>", browser.get("/account/two-factor/codes").text)
    assert len(codes) == len(set(codes)) == 10
    assert browser.get("/account/two-factor/codes.txt").text.split() == codes
    visitor = Client()
    log_in(visitor)
    visitor.post("/login/code", {"code": codes[0]})
    assert is_in(visitor)
    assert "9 left" in browser.get("/account/two-factor").text
    again = Client()
    log_in(again)
    assert "Incorrect code" in again.post("/login/code", {"code": codes[0]}).text


def test_new_codes_replace_the_old_ones(browser):
    add_app(browser)
    old = browser.get("/account/two-factor/codes.txt").text
    assert browser.post("/account/two-factor/codes/new")["Location"] == "/account/two-factor/codes"
    assert set(browser.get("/account/two-factor/codes.txt").text.split()).isdisjoint(old.split())


def test_removing_the_app_lets_the_password_alone_in_again(browser):
    add_app(browser)
    assert "Remove it" in browser.get("/account/two-factor/app/remove").text
    browser.post("/account/two-factor/app/remove")
    assert not Authenticator.objects.exists()
    visitor = Client()
    assert log_in(visitor)["Location"] == "/"


def test_who_is_disabled_between_password_and_code_stays_out(browser, ann):
    secret = add_app(browser)
    visitor = Client()
    log_in(visitor)
    User.objects.update(is_active=False)
    visitor.post("/login/code", {"code": totp(secret, steps=1)})
    assert not is_in(visitor)


def test_the_code_page_is_for_those_whose_password_was_right(client, ann):
    assert client.get("/login/code")["Location"] == "/login"


@pytest.mark.parametrize("path", ["app", "app/remove", "codes", "codes.txt", "codes/new"])
def test_what_concerns_the_second_factor_is_for_who_has_proved_it_is_them(client, ann, path):
    assert client.get(f"/account/two-factor/{path}").status_code in (302, 404)
    client.force_login(ann)
    client.get("/account/two-factor")
    assert client.get(f"/account/two-factor/{path}").status_code in (302, 404)


# ---- password and e-mail


def change(client, **fields):
    given = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW, **fields}
    return client.post("/account/profile", given, follow=True)


def test_a_new_password_keeps_this_browser_and_ends_the_others(browser, ann):
    other = Client()
    log_in(other)
    assert "The password is changed." in change(browser).text
    assert is_in(browser)
    assert not is_in(other)
    assert log_in(Client(), password=NEW)["Location"] == "/"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"oldpassword": "wrong"}, "Please type your current password"),
        ({"password2": "other horse"}, "same password"),
        ({"password1": "short", "password2": "short"}, "at least 10 characters"),
        ({"password1": "password12", "password2": "password12"}, "too common"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_said(browser, fields, said):
    assert said in change(browser, **fields).text.replace("&#x27;", "'")
    assert log_in(Client())["Location"] == "/"


def test_a_forgotten_password_is_set_by_the_mailed_link_which_works_once(client, ann):
    User.objects.update(email="ann@example.com")
    logged_in = Client()
    log_in(logged_in)
    assert client.post("/password/reset", {"email": "Ann@example.com"})["Location"] == "/password/reset/sent"
    (letter,) = mail.outbox
    assert letter.to == ["ann@example.com"]
    assert letter.subject == "[Tickwire] A new password"
    link = link_in(letter)
    form = client.get(link)["Location"]
    assert form.endswith("-set-password")
    assert client.post(form, {"password1": NEW, "password2": NEW})["Location"] == "/password/reset/done"
    assert log_in(Client(), password=NEW)["Location"] == "/"
    assert not is_in(logged_in)
    assert "This link does not work" in Client().get(link).text


def test_a_mailed_link_does_not_get_round_the_second_factor(browser, ann):
    secret = add_app(browser)
    User.objects.update(email="ann@example.com")
    mail.outbox.clear()
    visitor = Client()
    visitor.post("/password/reset", {"email": "ann@example.com"})
    form = visitor.get(link_in(mail.outbox[0]))["Location"]
    visitor.post(form, {"password1": NEW, "password2": NEW})
    assert not is_in(visitor)
    assert log_in(visitor, password=NEW)["Location"] == "/login/code"
    visitor.post("/login/code", {"code": totp(secret, steps=1)})
    assert is_in(visitor)


def test_a_user_without_a_password_is_shown_the_way_to_one(browser, ann):
    ann.set_unusable_password()
    ann.save()
    browser.force_login(ann)
    assert "An administrator can set one" in browser.get("/account/profile").text
    assert "An administrator can set one" in change(browser).text
    User.objects.update(email="ann@example.com")
    assert "/password/reset" in browser.get("/account/profile").text
    browser.post("/password/reset", {"email": "ann@example.com"})
    form = browser.get(link_in(mail.outbox[0]))["Location"]
    browser.post(form, {"password1": NEW, "password2": NEW})
    assert log_in(Client(), password=NEW)["Location"] == "/"


def test_whether_an_address_is_known_is_not_told(client, ann):
    answers = [client.post("/password/reset", {"email": "nobody@example.com"}, follow=True).text]
    User.objects.update(email="ann@example.com")
    answers.append(client.post("/password/reset", {"email": "ann@example.com"}, follow=True).text)
    assert answers[0] == answers[1]
    assert len(mail.outbox) == 1


def test_another_address_counts_once_its_link_is_followed(browser, ann):
    User.objects.update(email="old@example.com")
    prove(browser)
    browser.post("/account/email", {"action_add": "", "email": "new@example.com"})
    assert User.objects.get().email == "old@example.com"
    letter = mail.outbox[-1]
    assert letter.to == ["new@example.com"]
    link = link_in(letter)
    assert "new@example.com" in browser.get(link).text
    browser.post(link)
    assert User.objects.get().email == "new@example.com"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("new@example.com", True)]


def test_another_address_asks_for_the_password_first(browser):
    answer = browser.post("/account/email", {"action_add": "", "email": "new@example.com"})
    assert answer["Location"].startswith("/account/again")
    assert not mail.outbox


# ---- sessions


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def given_browser(agent=FIREFOX):
    client = Client(headers={"User-Agent": agent})
    log_in(client)
    client.get("/account/profile")
    return client


def test_the_browsers_are_listed_this_one_first(ann):
    given_browser()
    here = given_browser("curl/8.14.1")
    page = here.get("/account/sessions").text
    assert page.index("curl") < page.index("this one") < page.index("Firefox on Linux")
    assert "127.0.0.1" in page
    assert page.count(">Log out</button>") == 2  # the header's, and the other browser's


def test_one_of_them_can_be_logged_out(ann):
    here, other = given_browser(), given_browser()
    theirs = UserSession.objects.get(session_key=other.session.session_key)
    said = here.post(f"/account/sessions/{theirs.pk}/end", follow=True).text
    assert "Logged out: Firefox on Linux at 127.0.0.1." in said
    assert not is_in(other)
    assert is_in(here)


def test_all_others_can_be_logged_out_at_once(ann):
    here, *others = (given_browser() for _ in range(3))
    assert "everywhere but here" in here.post("/account/sessions/end", follow=True).text
    assert [is_in(client) for client in (here, *others)] == [True, False, False]
    assert UserSession.objects.count() == 1


def test_this_one_is_left_by_logging_out_and_anothers_is_not_there(ann, staff):
    here = given_browser()
    own = UserSession.objects.get(session_key=here.session.session_key)
    assert here.post(f"/account/sessions/{own.pk}/end").status_code == 302
    assert is_in(here)
    stranger = Client()
    stranger.force_login(staff)
    assert stranger.post(f"/account/sessions/{own.pk}/end").status_code == 404
    assert is_in(here)
    assert here.get(f"/account/sessions/{own.pk}/end").status_code == 405


@pytest.mark.parametrize("agent", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 }}"])
def test_a_user_agent_is_text_and_nothing_else(ann, agent):
    page = given_browser(agent).get("/account/sessions").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# ---- sign-up and demo account


def sign_up(client, **fields):
    given = {"username": "new", "email": "new@example.com", "password1": NEW, "password2": NEW, **fields}
    return client.post("/signup", given)


def test_sign_up_is_closed_unless_it_is_opened(client, db):
    assert "Sign-up is closed" in client.get("/signup").text
    sign_up(client)
    assert not User.objects.exists()


def test_who_signs_up_is_logged_in_and_trades_on_a_demo_account_only(client, db, settings):
    settings.SIGNUP = True
    assert sign_up(client)["Location"] == "/"
    assert User.objects.get().environments == ["demo"]
    assert identity_for_session(client.session.session_key).environments == {"demo"}
    assert 'value="live"' not in client.get("/keys/").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"username": "ANN"}, "already exists"),
        ({"username": "<script>"}, "valid username"),
        ({"email": "no"}, "valid email"),
        ({"password1": "short", "password2": "short"}, "at least 10 characters"),
    ],
)
def test_what_is_wrong_with_a_sign_up_is_said(client, ann, settings, fields, said):
    settings.SIGNUP = True
    assert said in sign_up(client, **fields).text
    assert User.objects.count() == 1


def test_the_demo_page_asks_before_it_resets(browser):
    page = browser.get("/account/demo").text
    assert 'action="/account/demo/reset"' in page
    assert "This cannot be taken back" in page


@pytest.mark.parametrize("path", ["profile", "email", "again", "two-factor", "sessions", "demo"])
def test_the_pages_are_for_who_is_logged_in(client, path):
    assert client.get(f"/account/{path}")["Location"].startswith("/login?next=")
