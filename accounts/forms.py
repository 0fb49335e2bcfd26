"""What people fill in: their name and password, and what a key is for."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone

from accounts.addresses import budget_subject, request_address
from accounts.limits import Budgets
from accounts.models import DEFAULT_SCOPES, ENVIRONMENTS, SCOPES, ApiKey

LOGINS_PER_MINUTE = 10
"""Log-ins tried per address and per name: a person mistypes, a program guesses."""

_budgets = Budgets(settings.REDIS_URL)


class LimitedAuthenticationForm(AuthenticationForm):
    """The log-in form, which lets an address and a name try so often only."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", ""))
        address = budget_subject(request_address(self.request)) if self.request else ""
        for kind, subject in (("login_address", address), ("login_name", name)):
            if _budgets.take_sync(kind, subject, count=LOGINS_PER_MINUTE, per_s=60):
                self.add_error(None, "Too many attempts. Wait a minute, then try again.")
                return self.cleaned_data
        return super().clean()


class LimitedAdminAuthenticationForm(LimitedAuthenticationForm, AdminAuthenticationForm):
    """The same for the administrator's pages: one budget for both doors."""


class KeyForm(forms.ModelForm):
    """A key's label, rights and bounds. `feed` (publishing prices to everybody) is for staff to give."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(DEFAULT_SCOPES),
        widget=forms.CheckboxSelectMultiple,
        help_text="market: prices; read: private streams and reads; trade: orders; feed: publish ticks.",
    )
    environments = forms.MultipleChoiceField(
        choices=[(environment, environment) for environment in ENVIRONMENTS],
        initial=list(ENVIRONMENTS),
        widget=forms.CheckboxSelectMultiple,
        help_text="live, demo or both.",
    )
    # Declared, because the admin would make two fields of it.
    expires_at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": 1}),
        help_text="UTC; empty: never.",
    )

    class Meta:
        model = ApiKey
        fields = ["label", "scopes", "environments", "expires_at", "networks"]
        widgets = {"networks": forms.TextInput(attrs={"placeholder": "192.0.2.0/24 2001:db8::/32"})}

    def __init__(self, *args: Any, may_feed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_feed:
            choices = [(scope, scope) for scope in SCOPES if scope != "feed"]
            self.fields["scopes"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        # A key that has expired can still be given another label.
        if "expires_at" in self.changed_data and expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This time is over already.")
        return expires_at
