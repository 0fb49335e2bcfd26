"""What django-allauth asks of us."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import InvalidToken
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from accounts.adapters import AccountAdapter, TwoFactorAdapter
from accounts.attempts import PER_MINUTE

SECRET = "JBSWY3DPEHPK3PXP"


def request(**meta):
    return RequestFactory().post("/login", **{"REMOTE_ADDR": "192.0.2.7", **meta})


def test_sign_up_is_a_setting(settings):
    assert not AccountAdapter().is_open_for_signup(request())
    settings.SIGNUP = True
    assert AccountAdapter().is_open_for_signup(request())


def test_an_address_is_the_one_that_our_own_proxy_saw(settings):
    forged = request(HTTP_X_FORWARDED_FOR="203.0.113.1, 198.51.100.7")
    assert AccountAdapter().get_client_ip(forged) == "192.0.2.7"
    settings.TRUSTED_PROXIES = 1
    assert AccountAdapter().get_client_ip(forged) == "198.51.100.7"


def test_a_password_that_is_asked_for_again_spends_the_doors_tries():
    for _ in range(PER_MINUTE):
        AccountAdapter().pre_authenticate(request(), username="ann", password="wrong")
    with pytest.raises(ValidationError, match="Too many attempts"):
        AccountAdapter().pre_authenticate(request(), username="ann", password="right")


def test_a_mail_that_cannot_be_sent_is_logged_without_its_words_and_fails_nothing(settings, caplog, ann, rf):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    with context_of(rf.get("/")):
        AccountAdapter().send_mail(
            "account/email/password_reset_key", "ann@example.com", {"password_reset_url": "http://x/k-e-y"}
        )
    assert "could not be sent: ConnectionRefusedError" in caplog.text
    assert "k-e-y" not in caplog.text
    assert not mail.outbox


def context_of(request):
    from allauth.core.context import request_context

    return request_context(request)


# ---- how a second factor is stored


@pytest.mark.django_db
def test_what_is_stored_of_a_second_factor_tells_nobody_its_secret(ann):
    TOTP.activate(ann, SECRET)
    stored = Authenticator.objects.get().data["secret"]
    assert SECRET not in stored
    assert TwoFactorAdapter().decrypt(stored) == SECRET
    assert TwoFactorAdapter().encrypt(SECRET) != stored


def test_a_new_server_key_opens_what_the_old_one_sealed_and_without_it_nothing_does(settings):
    settings.KEY_SECRETS = ["old"]
    sealed = TwoFactorAdapter().encrypt(SECRET)
    settings.KEY_SECRETS = ["new", "old"]
    assert TwoFactorAdapter().decrypt(sealed) == SECRET
    settings.KEY_SECRETS = ["new"]
    with pytest.raises(InvalidToken):
        TwoFactorAdapter().decrypt(sealed)


def test_an_app_shows_the_users_name(ann):
    assert TwoFactorAdapter().build_totp_url(ann, SECRET) == f"otpauth://totp/ann?secret={SECRET}&issuer=Tickwire"
