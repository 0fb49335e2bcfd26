"""What django-allauth asks of us: who may sign up, where a request comes from, and how a second factor is stored."""

import base64
import hashlib
import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.addresses import request_address
from accounts.attempts import TOO_MANY, may_try
from accounts.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    """Our rules where allauth has its own."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Make a new user of a sign-up, who trades on a demo account until an administrator gives more."""
        user.environments = ["demo"]
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        return request_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a password that is asked for again, as one at the door."""
        if not may_try(request, str(credentials.get("username", ""))):
            raise ValidationError(TOO_MANY)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail if that is possible: what it is about has been done already, and is no bug of ours."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # SMTP's exceptions are such, too
            logger.warning("A mail (%s) could not be sent: %s", template_prefix, type(error).__name__)

    def _rollback_login_failed_rl_usage(self) -> None:
        """Give nothing back: right ones count too."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Refuse somebody who was disabled between password and code."""
        messages.error(request, "This account is disabled.")
        return redirect("login")


class TwoFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # (as above)
    """A second factor's secret is stored sealed with the server key that is behind the API keys."""

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return what was sealed; raises `InvalidToken` when its server key is not configured any more."""
        return _seal().decrypt(encrypted_text.encode()).decode()


def _seal() -> MultiFernet:
    """Return what seals with the newest server key and opens with each."""
    digests = (hashlib.sha256(b"second factor:" + secret.encode()).digest() for secret in settings.KEY_SECRETS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
