"""Access that ends by whatever path: a disabled or deleted user, a changed password, a log-out, a deleted key."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.access_changes import ALL_SESSIONS, access_change
from accounts.models import ApiKey, User
from accounts.services import session_digest

_RIGHTS = ("is_staff", "is_superuser")
_TOLD = ("is_active", "password", "environments", *_RIGHTS)


@receiver(pre_save, sender=User)
def user_changes(sender: type[User], instance: User, **_: Any) -> None:
    known = User.objects.filter(pk=instance.pk).values(*_TOLD).first() if instance.pk else None
    if known is None:
        return
    if (known["is_active"] and not instance.is_active) or known["environments"] != instance.environments:
        access_change(user_id=instance.pk)
    elif known["password"] != instance.password or any(known[name] and not getattr(instance, name) for name in _RIGHTS):
        access_change(user_id=instance.pk, session=ALL_SESSIONS)


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
@receiver(m2m_changed, sender=Group.permissions.through)
def staff_loses_rights(instance: User | Group | Permission, action: str, **_: Any) -> None:
    """An open socket keeps the rights it was opened with: pages of whoever may lose some open theirs anew."""
    if action not in ("pre_remove", "pre_clear"):
        return
    users = [instance] if isinstance(instance, User) else instance.user_set.all()
    for user in users:
        access_change(user_id=user.pk, session=ALL_SESSIONS)


@receiver(pre_save, sender=ApiKey)
def key_changes(sender: type[ApiKey], instance: ApiKey, **_: Any) -> None:
    """An open socket keeps the rights it was opened with: a key whose rights change opens it anew."""
    known = ApiKey.objects.filter(pk=instance.pk).first() if instance.pk else None
    rights = ("scopes", "environments", "networks", "expires_at")
    if known is not None and any(getattr(known, name) != getattr(instance, name) for name in rights):
        access_change(user_id=instance.user_id, key_id=str(instance.public_id))


@receiver(post_delete, sender=ApiKey)
def key_deleted(sender: type[ApiKey], instance: ApiKey, **_: Any) -> None:
    access_change(user_id=instance.user_id, key_id=str(instance.public_id))


@receiver(post_delete, sender=User)
def user_deleted(sender: type[User], instance: User, **_: Any) -> None:
    access_change(user_id=instance.pk or 0)


@receiver(user_logged_out)
def logged_out(sender: type[User], request: HttpRequest, user: User | None, **_: Any) -> None:
    session_key = request.session.session_key
    if user is not None and session_key:
        with transaction.atomic():
            # Django does it a moment later; a socket that opens in between would stay.
            request.session.delete()
            access_change(user_id=user.pk, session=session_digest(session_key))


@receiver(post_delete, sender=UserSession)
def session_ended(sender: type[UserSession], instance: UserSession, **_: Any) -> None:
    """A browser that was logged out from another one, or whose session is over."""
    access_change(user_id=instance.user_id, session=session_digest(instance.session_key))
