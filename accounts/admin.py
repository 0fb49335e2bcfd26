"""Users and keys in the administrator's pages. A secret is shown once, on the page that answers its issue."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts.errors import Refused
from accounts.forms import KeyForm, UserForm
from accounts.models import ApiKey, User
from accounts.services import api_key_create, api_key_revoke, api_key_rotate, second_factor_remove

admin.site.site_header = "Tickwire"
admin.site.site_title = "Tickwire"
admin.site.index_title = "Administration"
# One door for everybody: the log-in page, which counts tries and asks for the second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# What allauth would show of them helps nobody here, and an authenticator's page would show its sealed secret.
admin.site.unregister([Authenticator, EmailAddress, UserSession])


class GuardedUserAdmin(UserAdmin):
    """Nobody gives, or takes over, more rights than they have: superusers are made and changed by superusers."""

    list_display = ["username", "email", "is_active", "is_staff", "roles", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, "is_superuser", "user_permissions")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups" and not _is_superuser(request):
            beyond = Permission.objects.exclude(pk__in=[permission.pk for permission in _permissions_of(request.user)])
            kwargs["queryset"] = Group.objects.exclude(permissions__in=beyond)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(User)
class OwnUserAdmin(GuardedUserAdmin):
    """Django's page, and where the user may trade, and the way out for a lost phone."""

    form = UserForm
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Trading", {"fields": ["environments"]}))
    actions = ["remove_second_factor"]

    @admin.action(description="Remove the second factor of the selected users", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, queryset: Any) -> None:
        for user in queryset:
            if _may_touch(request, user) and second_factor_remove(user):
                self.log_change(request, user, "Second factor removed")
                messages.success(request, f"{user} logs in with the password alone.")


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Tell whether somebody may change a user: only one who can do nothing that they cannot do themselves."""
    if user is None or _is_superuser(request):
        return True
    return not user.is_superuser and _permissions_of(user) <= _permissions_of(request.user)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _permissions_of(user: Any) -> set[Permission]:
    """Return what a user may do, or could when they were active again."""
    return set(Permission.objects.filter(Q(group__user=user) | Q(user=user)))


class AdminKeyForm(KeyForm):
    class Meta(KeyForm.Meta):
        fields = ["user", *KeyForm.Meta.fields]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Issue, rotate, revoke; secrets can be read nowhere."""

    form = AdminKeyForm
    list_display = ["label", "public_id", "user", "scope_names", "environment_names", "state", "last_four",
                    "last_used_at", "last_used_address"]  # fmt: skip
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "expires_at"]
    search_fields = ["label", "public_id", "user__username", "generations__last_four"]
    search_help_text = "A label, an id, a user's name, the last four characters of a secret."
    autocomplete_fields = ["user"]
    actions = ["revoke_selected"]
    change_form_template = "admin/accounts/apikey/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return super().get_queryset(request).select_related("user").prefetch_related("generations")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        if obj is None:
            return []
        return ["user", "public_id", "state", "last_four", "created_at", "last_used_at", "last_used_address"]

    @admin.display(description="scopes")
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="environments")
    def environment_names(self, key: ApiKey) -> str:
        return ", ".join(key.environments)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        return key.state

    @admin.display(description="secret ends with")
    def last_four(self, key: ApiKey) -> str:
        newest = next(iter(key.generations.all()), None)
        return "…" + newest.last_four if newest else ""

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        if change:
            return super().save_form(request, form, change)  # type: ignore[no-any-return]  # the stubs say Any
        form.save(commit=False)  # after which the form has what Django calls next
        fields = form.cleaned_data
        key, secret = api_key_create(
            user=fields["user"], label=fields["label"], scopes=fields["scopes"], environments=fields["environments"],
            expires_at=fields["expires_at"], networks=fields["networks"],
        )  # fmt: skip
        # For this one answer only: never in a message, the change log or the session.
        request.issued_secret = secret  # type: ignore[attr-defined]
        return key

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save()

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return show_secret(request, obj, request.issued_secret, back=self._list_url())  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/rotate", wrap(require_POST(self.rotate)), name="accounts_apikey_rotate"),
            path("<int:pk>/revoke", wrap(require_POST(self.revoke)), name="accounts_apikey_revoke"),
        ]
        return own + super().get_urls()

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self._changeable(request, pk)
        try:
            secret = api_key_rotate(key)
        except Refused:
            messages.error(request, f"{key} is revoked.")
            return redirect(self._list_url())
        self.log_change(request, key, "Rotated")
        return show_secret(request, key, secret, back=self._list_url())

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self._changeable(request, pk)
        api_key_revoke(key)
        self.log_change(request, key, "Revoked")
        messages.success(request, f"{key} is revoked.")
        return redirect(self._list_url())

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: Any) -> None:
        keys = list(queryset)
        for key in keys:
            api_key_revoke(key)
            self.log_change(request, key, "Revoked")
        messages.success(request, f"{keys[0]} is revoked." if len(keys) == 1 else f"{len(keys)} keys are revoked.")

    def _changeable(self, request: HttpRequest, pk: int) -> ApiKey:
        key = get_object_or_404(ApiKey, pk=pk)
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        return key

    def _list_url(self) -> str:
        return reverse("admin:accounts_apikey_changelist")


def show_secret(request: HttpRequest, key: ApiKey, secret: str, *, back: str) -> HttpResponse:
    """Return the one page that shows a secret; no cache may keep it."""
    response = render(request, "accounts/secret.html", {"key": key, "secret": secret, "back": back})
    response["Cache-Control"] = "no-store"
    return response
