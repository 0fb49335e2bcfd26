"""What people fill in: their name and password, what a key is for, where a user may trade."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserChangeForm
from django.utils import timezone

from accounts.attempts import TOO_MANY, may_try
from accounts.models import DEFAULT_SCOPES, ENVIRONMENTS, SCOPES, ApiKey, User


class LimitedAuthenticationForm(AuthenticationForm):
    """The log-in form, which lets an address and a name try so often only."""

    def clean(self) -> dict[str, Any]:
        if not may_try(self.request, str(self.cleaned_data.get("username", ""))):
            self.add_error(None, TOO_MANY)
            return self.cleaned_data
        return super().clean()


def environments_field(help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=[(environment, environment) for environment in ENVIRONMENTS],
        initial=list(ENVIRONMENTS),
        widget=forms.CheckboxSelectMultiple,
        help_text=help_text,
    )


class UserForm(UserChangeForm):
    """A user's page in the admin."""

    environments = environments_field("Where this user may trade. A change closes the user's open sockets.")


class KeyForm(forms.ModelForm):
    """A key's label, rights and bounds. `feed` (publishing prices to everybody) is for staff to give."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(DEFAULT_SCOPES),
        widget=forms.CheckboxSelectMultiple,
        help_text="market: prices; read: private streams and reads; trade: orders; feed: publish ticks.",
    )
    environments = environments_field("live, demo or both.")
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

    def __init__(self, *args: Any, owner: User | None = None, **kwargs: Any) -> None:
        """`owner`: who makes the key, on the user's own page; offered is what that user may give."""
        super().__init__(*args, **kwargs)
        if owner is not None:
            self.instance.user = owner
            self._offer("scopes", [scope for scope in SCOPES if scope != "feed" or owner.is_staff])
            self._offer("environments", owner.environments)

    def _offer(self, name: str, choices: list[str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(choice, choice) for choice in choices]
        field.initial = [choice for choice in field.initial if choice in choices]

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        # A key that has expired can still be given another label.
        if "expires_at" in self.changed_data and expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This time is over already.")
        return expires_at
