"""Addresses of the account pages, and of the REST calls about one's keys (a trailing slash is fine there).

The pages that django-allauth answers have its names, because it looks for them by name, and our templates and forms.
"""

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path, re_path
from django.views.generic import View

from accounts import account_views, api, views
from accounts import limited_forms as limited


def page(address: str, view: type[View], name: str, template: str, form: type | None = None) -> URLPattern:
    """Return the address, a regular expression, of one of allauth's pages."""
    options = {"template_name": f"accounts/{template}.html"} | ({"form_class": form} if form else {})
    return re_path(f"^{address}$", view.as_view(**options), name=name)


at_the_door = [
    path("login", views.Login.as_view(), name="login"),
    path("login", views.Login.as_view(), name="account_login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("logout", LogoutView.as_view(), name="account_logout"),
    page("login/code", factor.AuthenticateView, "mfa_authenticate", "code", limited.LimitedAuthenticateForm),
    page("signup", account.SignupView, "account_signup", "signup", limited.LimitedSignupForm),
    page("password/reset", account.PasswordResetView, "account_reset_password", "reset", limited.LimitedResetForm),
    page("password/reset/sent", account.PasswordResetDoneView, "account_reset_password_done", "reset_sent"),
    page(
        "password/reset/done", account.PasswordResetFromKeyDoneView, "account_reset_password_from_key_done",
        "reset_done",
    ),
    page(
        "password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)", account.PasswordResetFromKeyView,
        "account_reset_password_from_key", "reset_password", limited.NewPasswordForm,
    ),
    page("email/(?P<key>[^/]+)", account.ConfirmEmailView, "account_confirm_email", "email_confirm"),
]  # fmt: skip

settings_pages = [
    page(
        "account/profile", account_views.Profile, "account_change_password", "profile",
        limited.LimitedPasswordForm,
    ),
    page("account/email", account_views.Email, "account_email", "email", limited.LimitedEmailForm),
    page("account/again", account.ReauthenticateView, "account_reauthenticate", "again", limited.PasswordAgainForm),
    page(
        "account/again/code", factor.ReauthenticateView, "mfa_reauthenticate", "again",
        limited.LimitedReauthenticateForm,
    ),
    path("account/two-factor", account_views.two_factor, name="mfa_index"),
    page("account/two-factor/app", app.ActivateTOTPView, "mfa_activate_totp", "app_add", limited.LimitedActivateForm),
    page("account/two-factor/app/remove", app.DeactivateTOTPView, "mfa_deactivate_totp", "app_remove"),
    page("account/two-factor/codes", codes.ViewRecoveryCodesView, "mfa_view_recovery_codes", "codes"),
    page("account/two-factor/codes/new", codes.GenerateRecoveryCodesView, "mfa_generate_recovery_codes", "codes_new"),
    path("account/two-factor/codes.txt", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("account/sessions", account_views.sessions, name="sessions"),
    path("account/sessions/end", account_views.sessions_end, name="sessions-end"),
    path("account/sessions/<int:pk>/end", account_views.session_end, name="session-end"),
    path("account/demo", account_views.demo, name="demo"),
    path("keys/", views.keys, name="keys"),
    path("keys/<int:pk>/rotate", views.key_rotate, name="key-rotate"),
    path("keys/<int:pk>/revoke", views.key_revoke, name="key-revoke"),
]  # fmt: skip

rest = [
    re_path(r"^account/keys/?$", api.KeysView.as_view(), name="account-keys"),
    re_path(r"^account/keys/(?P<key_id>[^/]+)/rotate/?$", api.KeyRotateView.as_view(), name="account-key-rotate"),
    re_path(r"^account/keys/(?P<key_id>[^/]+)/revoke/?$", api.KeyRevokeView.as_view(), name="account-key-revoke"),
]

urlpatterns = [*at_the_door, *settings_pages, *rest]
