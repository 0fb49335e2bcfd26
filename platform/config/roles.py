"""Which groups of staff are there, and what may each do? One table; `docs/admin.md` says it for people.

The groups are written anew by every migration: who wants another mixture makes a group of another name.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models.signals import post_migrate

SUPPORT = (
    "accounts.view_overview", "accounts.view_connections", "accounts.view_refusals",
    "accounts.view_user", "accounts.view_apikey", "market.view_product", "market.view_candle",
    "trading.view_order", "trading.view_position", "trading.view_balance", "trading.view_ledgerentry",
    "trading.view_accountevent", "trading.view_journalentry", "trading.view_inboxcommand",
)  # fmt: skip
"""Look at everything, change nothing."""

DEALER = (*SUPPORT, "trading.deal")
"""Keep the market in order: halt, resume, cancel, close."""

ADMINISTRATOR = (
    *DEALER, "trading.move_money", "market.add_product", "market.change_product", "accounts.add_user",
    "accounts.change_user", "accounts.add_apikey", "accounts.change_apikey", "accounts.end_connections",
)  # fmt: skip
"""All but deleting: a deleted user takes the record of what they did along, a product its candles."""

ROLES: Mapping[str, tuple[str, ...]] = {"support": SUPPORT, "dealer": DEALER, "administrator": ADMINISTRATOR}


def roles_write(**_: Any) -> None:
    """Make the three groups what the table says, in a handful of queries."""
    from django.contrib.auth.models import Group, Permission

    there = set(Group.objects.filter(name__in=ROLES).values_list("name", flat=True))
    Group.objects.bulk_create(Group(name=name) for name in ROLES if name not in there)
    groups = dict(Group.objects.filter(name__in=ROLES).values_list("name", "pk"))
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    # A database that is migrated half way knows only some of the permissions.
    wanted = {(groups[role], known[name]) for role, names in ROLES.items() for name in names if name in known}
    given = Group.permissions.through
    kept = given.objects.filter(group__in=groups.values()).values_list("group_id", "permission_id", "pk")
    present = {(group, permission): pk for group, permission, pk in kept}
    given.objects.filter(pk__in=[pk for pair, pk in present.items() if pair not in wanted]).delete()
    new = [pair for pair in wanted if pair not in present]
    given.objects.bulk_create(given(group_id=group, permission_id=permission) for group, permission in new)


def write_after_migrations(last_app: Any) -> None:
    """Do so whenever an app has been migrated behind which all permissions are there."""
    post_migrate.connect(roles_write, sender=last_app, dispatch_uid="tickwire-roles")
