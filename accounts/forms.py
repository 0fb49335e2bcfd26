"""What people fill in about keys."""

from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import DEFAULT_SCOPES, ENVIRONMENTS, SCOPES, ApiKey


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

    class Meta:
        model = ApiKey
        fields = ["label", "scopes", "environments", "expires_at", "networks"]
        widgets = {
            "expires_at": forms.DateTimeInput(attrs={"type": "datetime-local"}),
            "networks": forms.TextInput(attrs={"placeholder": "192.0.2.0/24 2001:db8::/32"}),
        }

    def __init__(self, *args: Any, may_feed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_feed:
            choices = [(scope, scope) for scope in SCOPES if scope != "feed"]
            self.fields["scopes"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This time is over already.")
        return expires_at
