"""Log in and out, and the page of one's own keys."""

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.admin import show_secret
from accounts.forms import KeyForm, LimitedAuthenticationForm
from accounts.models import ApiKey, User
from accounts.services import api_key_create, api_key_revoke, api_key_rotate


class Login(LoginView):
    """Name and password; then, for those who have one, the second factor's page."""

    template_name = "accounts/login.html"
    authentication_form = LimitedAuthenticationForm
    redirect_authenticated_user = True
    extra_context = {"signup": settings.SIGNUP}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer: HttpResponse = perform_login(self.request, form.get_user(), redirect_url=self.get_success_url())
        return answer


@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """Show one's keys; POST issues one and shows its secret, once."""
    user = request.user
    assert isinstance(user, User)
    form = KeyForm(request.POST or None, owner=user)
    if request.method == "POST" and form.is_valid():
        key, secret = api_key_create(user=user, **form.cleaned_data)
        return show_secret(request, key, secret, back=reverse("keys"))
    own = ApiKey.objects.filter(user=user).prefetch_related("generations")
    active_first = sorted(own, key=lambda key: key.state != "active")
    return render(request, "accounts/keys.html", {"form": form, "keys": active_first})


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
