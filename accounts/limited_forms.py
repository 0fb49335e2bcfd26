"""Forms of django-allauth that ask for a password, a code or a mail: each try is counted.

A password that is asked for again is counted by `adapters.AccountAdapter`.
"""

from typing import Any

from allauth.account.forms import AddEmailForm, ChangePasswordForm, ResetPasswordForm, ResetPasswordKeyForm, SignupForm
from allauth.account.forms import ReauthenticateForm as PasswordReauthenticateForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from cryptography.fernet import InvalidToken
from django import forms

from accounts.attempts import (
    TOO_MANY,
    TOO_MANY_CODES,
    TOO_MANY_MAILS,
    TOO_MANY_SIGN_UPS,
    may_mail,
    may_sign_up,
    may_try,
    may_try_code,
)
from accounts.services import second_factor_use

LOST_SERVER_KEY = "This second factor cannot be read any more. An administrator has to remove it."


class Plain:
    """A form whose fields say once what they are: their placeholders repeat the labels."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LimitedCode(Plain):
    """A form with a code: tried so often only, and each code is good for once, in all processes."""

    user: Any

    def clean_code(self) -> str:
        if not may_try_code(self.user.pk):
            raise forms.ValidationError(TOO_MANY_CODES)
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # of the form that this is mixed into
        except InvalidToken:
            raise forms.ValidationError(LOST_SERVER_KEY) from None
        if not second_factor_use(self.user.pk, code):
            raise forms.ValidationError("This code has been used. Wait for the next one.")
        return code


class LimitedAuthenticateForm(LimitedCode, AuthenticateForm):  # type: ignore[misc]  # allauth is not typed
    """The code at the log-in."""


class LimitedReauthenticateForm(LimitedCode, ReauthenticateForm):  # type: ignore[misc]  # (as above)
    """A code that is asked for again."""


class LimitedActivateForm(LimitedCode, ActivateTOTPForm):  # type: ignore[misc]  # (as above)
    """The first code of a new authenticator app."""


class LimitedPasswordForm(Plain, ChangePasswordForm):  # type: ignore[misc]  # (as above)
    """A new password for the old one."""

    def clean_oldpassword(self) -> str:
        if not may_try(context.request, self.user.get_username()):
            raise forms.ValidationError(TOO_MANY)
        password: str = super().clean_oldpassword()
        return password


class PasswordAgainForm(Plain, PasswordReauthenticateForm):  # type: ignore[misc]  # (as above)
    """The password, asked for again."""


class NewPasswordForm(Plain, ResetPasswordKeyForm):  # type: ignore[misc]  # (as above)
    """A new password, by the link that was mailed."""


class LimitedResetForm(Plain, ResetPasswordForm):  # type: ignore[misc]  # (as above)
    """A mail to somebody who forgot the password. The answer does not tell whether there is such an address."""

    def clean_email(self) -> str:
        return _mailed_seldom(super().clean_email())


class LimitedEmailForm(Plain, AddEmailForm):  # type: ignore[misc]  # (as above)
    """A mail to an address that is to be a user's."""

    def clean_email(self) -> str:
        return _mailed_seldom(super().clean_email())


class LimitedSignupForm(Plain, SignupForm):  # type: ignore[misc]  # (as above)
    """Somebody new."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if not self.errors and not may_sign_up(context.request):
            raise forms.ValidationError(TOO_MANY_SIGN_UPS)
        return cleaned


def _mailed_seldom(address: str) -> str:
    if not may_mail(address):
        raise forms.ValidationError(TOO_MANY_MAILS)
    return address
