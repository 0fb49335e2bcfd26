"""A user's other pages: profile, second factor, sessions, demo account. What allauth does is in urls.py."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import EmailView, PasswordChangeView
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.devices import device_name
from accounts.models import User
from accounts.services import recovery_codes_left


@login_required
@never_cache
def two_factor(request: HttpRequest) -> HttpResponse:
    """Say whether a second factor is asked for, and how many recovery codes are left."""
    user = _user(request)
    app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    return render(request, "accounts/two_factor.html", {"app": app, "codes_left": recovery_codes_left(user)})


class Profile(PasswordChangeView):  # type: ignore[misc]  # allauth is not typed
    """Who one is, and a new password for the old one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and not user.has_usable_password():
            # Nobody can prove to be this user by the old password: the way to a new one goes through the mail.
            return render(request, self.template_name)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer


class Email(EmailView):  # type: ignore[misc]  # (as above)
    """Change one's address; the old one counts until the new one's link is followed."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and user.email and not EmailAddress.objects.filter(user=user).exists():
            # An administrator has given it, which is as good as a link that was followed.
            EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer


@login_required
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """List the browsers in which the user is logged in, the last seen first."""
    own = UserSession.objects.purge_and_list(_user(request))
    rows = [
        {"session": session, "device": device_name(session.user_agent), "here": session.is_current()}
        for session in sorted(own, key=lambda session: (not session.is_current(), -session.last_seen_at.timestamp()))
    ]
    return render(request, "accounts/sessions.html", {"rows": rows})


@login_required
@require_POST
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=pk, user=_user(request))
    if session.is_current():
        return redirect("sessions")
    with transaction.atomic():
        session.end()
    messages.success(request, f"Logged out: {device_name(session.user_agent)} at {session.ip}.")
    return redirect("sessions")


@login_required
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Log out everywhere but here."""
    others = [session for session in UserSession.objects.filter(user=_user(request)) if not session.is_current()]
    with transaction.atomic():
        for session in others:
            session.end()
    messages.success(request, "You are logged out everywhere but here.")
    return redirect("sessions")


@login_required
def demo(request: HttpRequest) -> HttpResponse:
    """Show the page that resets the demo account; its script asks REST for it."""
    return render(request, "accounts/demo.html")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
