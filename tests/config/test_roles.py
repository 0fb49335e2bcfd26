"""The three groups of staff: what each may do, and what it may not."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from config.roles import ROLES, roles_write

pytestmark = pytest.mark.django_db


def held(name):
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_a_migration_has_made_the_groups_of_the_table_with_all_their_permissions():
    assert {name: held(name) for name in ROLES} == {name: set(permissions) for name, permissions in ROLES.items()}


def test_each_may_what_the_one_before_may_and_more():
    support, dealer, administrator = (held(name) for name in ROLES)
    assert support < dealer < administrator
    assert dealer - support == {"trading.deal"}
    assert all(".view_" in permission for permission in support)
    assert not any(".delete_" in permission for permission in administrator)


def test_what_somebody_did_to_them_is_undone_by_the_next_migration_and_other_groups_stay():
    other = Group.objects.create(name="night watch")
    other.permissions.add(Permission.objects.get(codename="deal"))
    Group.objects.get(name="support").permissions.add(Permission.objects.get(codename="move_money"))
    Group.objects.get(name="dealer").delete()
    call_command("migrate", verbosity=0)
    assert {name: held(name) for name in ROLES} == {name: set(permissions) for name, permissions in ROLES.items()}
    assert held("night watch") == {"trading.deal"}


def test_a_database_that_does_not_know_a_permission_yet_gets_the_others():
    Permission.objects.get(codename="view_refusals").delete()
    roles_write()
    assert held("support") == set(ROLES["support"]) - {"accounts.view_refusals"}
