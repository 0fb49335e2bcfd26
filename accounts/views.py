"""The user's own pages: log in and out, keys."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.addresses import request_address
from accounts.admin import show_secret
from accounts.forms import KeyForm
from accounts.limits import Budgets
from accounts.models import ApiKey, User
from accounts.services import api_key_create, api_key_revoke, api_key_rotate

LOGINS_PER_MINUTE = 10
"""Log-ins tried per address and per name: a person mistypes, a program guesses."""

_budgets = Budgets(settings.REDIS_URL)


class LimitedAuthenticationForm(AuthenticationForm):
    """The log-in form, which lets an address and a name try so often only."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", ""))[:150]
        for kind, subject in (("login_address", request_address(self.request)), ("login_name", name)):  # type: ignore[arg-type]
            if _budgets.take_sync(kind, subject, count=LOGINS_PER_MINUTE, per_s=60):
                self.add_error(None, "Too many attempts. Wait a minute, then try again.")
                return self.cleaned_data
        return super().clean()


class Login(LoginView):
    template_name = "accounts/login.html"
    authentication_form = LimitedAuthenticationForm
    redirect_authenticated_user = True


@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """Show one's keys; POST issues one and shows its secret, once."""
    assert isinstance(request.user, User)
    form = KeyForm(request.POST or None, may_feed=request.user.is_staff)
    if request.method == "POST" and form.is_valid():
        key, secret = api_key_create(user=request.user, **form.cleaned_data)
        return show_secret(request, key, secret, back=reverse("keys"))
    own = ApiKey.objects.filter(user=request.user).prefetch_related("generations")
    return render(request, "accounts/keys.html", {"form": form, "keys": own})


@login_required
@require_POST
def key_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk, user=request.user, revoked_at=None)
    return show_secret(request, key, api_key_rotate(key), back=reverse("keys"))


@login_required
@require_POST
def key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk, user=request.user)
    api_key_revoke(key)
    messages.success(request, f"{key} is revoked; its sockets are being closed.")
    return redirect("keys")
