"""How does an administrator's page ask the engine for something? By a row of the inbox, whose answer it shows."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.errors import Refused
from accounts.models import ENVIRONMENTS, User
from trading.inbox import inbox_put, inbox_wait, told
from trading.models import InboxCommand
from trading.reading import row_link

ANSWER_WAIT_S = 2
"""How long a page waits for the engine; later the answer is to be found in the inbox."""

MAX_ASKED = 100
"""What one action may be about: a page of rows."""

_LEVELS = {"done": messages.SUCCESS, "refused": messages.ERROR, "waiting": messages.WARNING}

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class MovementForm(forms.Form):
    """What to deposit or withdraw; whether it can be is the inbox's to say, and the engine's."""

    user = forms.CharField(max_length=150, help_text="The user's name.")
    environment = forms.ChoiceField(choices=[(name, name) for name in ENVIRONMENTS])
    amount = forms.CharField(max_length=30, help_text="In BTC, with at most 8 decimal places.")
    # A second click on a slow page must not move the money twice.
    once = forms.CharField(max_length=64, widget=forms.HiddenInput)


class AsksEngine(_ModelAdmin):
    """Its actions are for those who may deal or move money (`permissions=["deal"]`, `["money"]`)."""

    def has_deal_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.deal")

    def has_money_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.move_money")

    def ask_of_each(
        self, request: HttpRequest, kind: str, rows: QuerySet[Any], params_of: Callable[[Any], dict[str, str]]
    ) -> None:
        """Ask for the same of each row, note it in the row's history, and show the answers."""
        chosen = list(rows[: MAX_ASKED + 1])
        if len(chosen) > MAX_ASKED:
            messages.error(request, f"At most {MAX_ASKED} at once.")
            return
        asked = {}
        for about in chosen:
            try:
                asked[self._ask(request, kind, params_of(about), about)] = str(about)
            except Refused as refused:
                messages.error(request, f"{about}: {refused.code}: {refused.message}")
        show_answers(request, asked)

    def ask_by_form(self, request: HttpRequest, kind: str, form: MovementForm) -> bool:
        """Ask for a movement of money; what is wrong with it is said in the form, and False is returned."""
        fields = form.cleaned_data
        try:
            user = User.objects.filter(username=fields["user"]).first()
            asked = self._ask(request, kind, fields, user, once=fields["once"])
        except Refused as refused:
            form.add_error(None, f"{refused.code}: {refused.message}")
            return False
        show_answers(request, {asked: f"{fields['user']} {fields['environment']}"})
        return True

    def _ask(self, request: HttpRequest, kind: str, params: Mapping[str, str], about: Any, *, once: str = "") -> int:
        assert isinstance(request.user, User)
        row = inbox_put(kind, params, request.user, once=once)
        self.log_change(request, about, f"Asked the engine: {kind} (inbox {row.pk})")
        return row.pk


def show_answers(request: HttpRequest, asked: Mapping[int, str]) -> None:
    """Say what has become of rows of the inbox: key -> what each is about."""
    for row in inbox_wait(asked.keys(), ANSWER_WAIT_S):
        link = row_link(InboxCommand, row.pk, f"inbox {row.pk}")
        messages.add_message(
            request, _LEVELS[row.status], format_html("{}, {}: {} ({})", row.kind, asked[row.pk], told(row), link)
        )
