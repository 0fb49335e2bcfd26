"""Forms that ask for a password, a code or a mail: each try is counted, and a code is good for once."""

import pytest
from allauth.core.context import request_context
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache

from accounts.attempts import CODES_PER_TEN_MINUTES, MAILS_PER_HOUR, PER_MINUTE
from accounts.limited_forms import (
    LimitedAuthenticateForm,
    LimitedEmailForm,
    LimitedPasswordForm,
    LimitedReauthenticateForm,
    LimitedResetForm,
    PasswordAgainForm,
)
from accounts.models import User
from tests.accounts.callers import PASSWORD, totp

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def guarded(ann, rf):
    """Ann with an authenticator app, in a request: allauth looks for one in its context."""
    TOTP.activate(ann, SECRET)
    request = rf.post("/login/code")
    request.session = {}
    request.user = ann
    with request_context(request):
        yield ann


def said(form):
    """Return `right`, or what a form says is wrong."""
    return "right" if form.is_valid() else next(iter(form.errors.values()))[0]


def code(user, text, form=LimitedAuthenticateForm):
    return said(form(user=user, data={"code": text}))


def test_the_apps_code_is_right(guarded):
    assert code(guarded, totp(SECRET)) == "right"


def test_so_is_the_one_after_it_because_a_phones_clock_may_be_off(guarded):
    assert code(guarded, totp(SECRET, steps=1)) == "right"
    assert code(guarded, totp(SECRET, steps=3)) == "Incorrect code."


@pytest.mark.parametrize("text", ["", "12345", "x" * 1000, "\u0661\u0662\u0663\u0664\u0665\u0666", "\0", "-1"])
def test_what_is_no_code_is_wrong(guarded, text):
    assert code(guarded, text) != "right"


def test_a_code_is_good_for_once_however_it_is_written_and_in_every_process(guarded):
    shown = totp(SECRET, steps=1)
    assert code(guarded, shown) == "right"
    for again in (shown, f"{shown[:3]} {shown[3:]}", f"{shown[:3]}-{shown[3:]}"):
        cache.clear()  # which each process has for itself
        assert code(guarded, again, LimitedReauthenticateForm) == "This code has been used. Wait for the next one."


def test_two_users_may_have_the_same_code(guarded, rf):
    bob = User.objects.create(username="bob")
    TOTP.activate(bob, SECRET)
    shown = totp(SECRET, steps=1)
    assert [code(user, shown) for user in (guarded, bob)] == ["right", "right"]


def test_codes_are_tried_so_often_only_and_the_right_one_too(guarded):
    wrong = [code(guarded, "000000x") for _ in range(CODES_PER_TEN_MINUTES)]
    assert wrong == ["Incorrect code."] * CODES_PER_TEN_MINUTES
    assert "Too many codes" in code(guarded, totp(SECRET))
    assert "Too many codes" in code(guarded, totp(SECRET), LimitedReauthenticateForm)


def test_a_recovery_code_opens_once(guarded):
    first, second = RecoveryCodes.activate(guarded).get_unused_codes()[:2]
    assert code(guarded, first) == "right"
    assert code(guarded, first) != "right"
    assert code(guarded, second) == "right"


def test_without_its_server_key_no_code_is_right_and_that_is_said(guarded, settings):
    settings.KEY_SECRETS = ["another"]
    assert "An administrator has to remove it" in code(guarded, totp(SECRET))
    assert "An administrator has to remove it" in code(guarded, "000000")


def test_a_new_password_asks_for_the_old_one_and_that_is_counted(guarded):
    def change(old):
        new = {"password1": "battery horse correct", "password2": "battery horse correct"}
        return said(LimitedPasswordForm(user=guarded, data={"oldpassword": old, **new}))

    assert change(PASSWORD) == "right"
    assert [change("wrong") for _ in range(PER_MINUTE - 1)] == ["Please type your current password."] * (PER_MINUTE - 1)
    assert "Too many attempts" in change(PASSWORD)


def test_a_password_that_is_asked_for_again_is_counted_with_it(guarded):
    answers = [said(PasswordAgainForm(user=guarded, data={"password": "wrong"})) for _ in range(PER_MINUTE)]
    assert answers == ["Incorrect password."] * PER_MINUTE
    assert "Too many attempts" in said(PasswordAgainForm(user=guarded, data={"password": PASSWORD}))


@pytest.mark.parametrize("form", [LimitedResetForm, LimitedEmailForm])
def test_an_address_is_mailed_so_often_only(guarded, form):
    options = {"user": guarded} if form is LimitedEmailForm else {}
    answers = [said(form(data={"email": "new@example.com"}, **options)) for _ in range(MAILS_PER_HOUR + 1)]
    assert answers[:-1] == ["right"] * MAILS_PER_HOUR
    assert "Too many mails" in answers[-1]


def test_a_field_says_once_what_it_is(guarded):
    assert "placeholder" not in str(LimitedPasswordForm(user=guarded))
