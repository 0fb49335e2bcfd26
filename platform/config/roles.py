"""Which groups of staff are there, and what may each do? One table; `docs/admin.md` prints it for people.

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
    """Make the three groups what the table says."""
    from django.contrib.auth.models import Group, Permission

    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    for name, permissions in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        # A database that is migrated half way knows only some of them.
        group.permissions.set(known[permission] for permission in permissions if permission in known)


def write_after_migrations(last_app: Any) -> None:
    """Do so whenever an app has been migrated behind which all permissions are there."""
    post_migrate.connect(roles_write, sender=last_app, dispatch_uid="tickwire-roles")
