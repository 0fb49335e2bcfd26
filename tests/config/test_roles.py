"""The three groups of staff: what each may do, and what it may not."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

import streaming.live
from accounts.models import User
from accounts.services import api_key_create
from config.roles import ROLES, roles_write
from market.models import Product
from streaming.peers import Answers
from tests.market.products import given_products
from trading import asking
from trading.models import Balance

pytestmark = pytest.mark.django_db(transaction=True)


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


# ---- every page and every action, by role

SEEN_BY_ALL = (
    "/admin/", "/admin/connections/", "/admin/refusals/", "/admin/trading/order/", "/admin/trading/position/",
    "/admin/trading/balance/", "/admin/trading/ledgerentry/", "/admin/trading/accountevent/",
    "/admin/trading/journalentry/", "/admin/trading/inboxcommand/", "/admin/market/product/", "/admin/market/candle/",
    "/admin/accounts/user/", "/admin/accounts/apikey/",
)  # fmt: skip
NOT_BY_ROLE = ("/admin/auth/group/", "/admin/auth/group/add/")
"""What only superusers open."""


@pytest.fixture
def member(client):
    """Give a function that logs somebody with a role in."""

    def of(role):
        user = User.objects.create_user(role, password="correct horse battery", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return of


@pytest.fixture
def ann(db):
    user = User.objects.create_user("ann")
    api_key_create(user=user)
    return user


@pytest.fixture
def nobody_answers(monkeypatch):
    async def ask(what, **fields):
        return Answers({"web:1": None})

    monkeypatch.setattr(streaming.live, "ask", ask)
    monkeypatch.setattr(asking, "ANSWER_WAIT_S", 0)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_every_page_but_what_is_for_superusers(member, nobody_answers, role):
    staff = member(role)
    assert {path: staff.get(path).status_code for path in SEEN_BY_ALL} == dict.fromkeys(SEEN_BY_ALL, 200)
    assert {path: staff.get(path).status_code for path in NOT_BY_ROLE} == dict.fromkeys(NOT_BY_ROLE, 403)
    assert 'id="overview"' in staff.get("/admin/").content.decode()


def allowed(role, *roles):
    return role in roles


DEALS, RULES = ("dealer", "administrator"), ("administrator",)


@pytest.mark.parametrize("role", ROLES)
def test_each_action_is_for_the_roles_that_have_it(member, nobody_answers, ann, role):
    given_products()
    staff, key, product = member(role), ann.api_keys.get(), Product.objects.all()[0].pk
    posts = {
        f"/admin/market/product/{product}/halt": ({}, DEALS),
        f"/admin/market/product/{product}/resume": ({}, DEALS),
        "/admin/connections/": ({"id": "x"}, RULES),
        "/admin/market/product/add/": ({}, RULES),
        f"/admin/market/product/{product}/change/": ({}, RULES),
        "/admin/trading/balance/deposit/": ({}, RULES),
        "/admin/trading/balance/withdraw/": ({}, RULES),
        "/admin/accounts/user/add/": ({}, RULES),
        f"/admin/accounts/user/{ann.pk}/change/": ({}, RULES),
        f"/admin/accounts/user/{ann.pk}/password/": ({}, RULES),
        f"/admin/accounts/user/{ann.pk}/delete/": ({}, ()),
        "/admin/accounts/apikey/add/": ({}, RULES),
        f"/admin/accounts/apikey/{key.pk}/change/": ({}, RULES),
        f"/admin/accounts/apikey/{key.pk}/rotate": ({}, RULES),
        f"/admin/accounts/apikey/{key.pk}/revoke": ({}, RULES),
        f"/admin/accounts/apikey/{key.pk}/delete/": ({}, ()),
        f"/admin/market/product/{product}/delete/": ({}, ()),
    }
    answers = {path: staff.post(path, fields).status_code for path, (fields, _) in posts.items()}
    wrong = {path: status for path, status in answers.items() if (status == 403) == allowed(role, *posts[path][1])}
    assert not wrong


@pytest.mark.parametrize("role", ROLES)
def test_each_action_of_a_list_is_offered_to_the_roles_that_have_it(member, nobody_answers, ann, role):
    given_products()
    Balance.objects.create(user=ann, environment="demo", cash=1, margin=0, log_offset=1)
    staff = member(role)
    offered: dict[tuple[str, str], tuple[bool, bool]] = {}
    lists: dict[str, dict[str, tuple[str, ...]]] = {
        "/admin/market/product/": {"halt": DEALS, "resume": DEALS, "delete_selected": ()},
        "/admin/trading/balance/": {"deposit": RULES, "withdraw": RULES, "reset": RULES},
        "/admin/accounts/apikey/": {"revoke_selected": RULES, "delete_selected": ()},
        "/admin/accounts/user/": {"delete_selected": ()},
    }
    for path, actions in lists.items():
        page = staff.get(path).content.decode()
        offered |= {(path, name): (f'value="{name}"' in page, role in roles) for name, roles in actions.items()}
    assert not {where: found for where, found in offered.items() if found[0] != found[1]}


def test_staff_without_a_role_gets_in_and_sees_nothing(client, db):
    client.force_login(User.objects.create_user("new", is_staff=True))
    page = client.get("/admin/").content.decode()
    assert 'id="overview"' not in page
    assert "/admin/connections/" not in page
    for path in SEEN_BY_ALL[1:]:
        assert client.get(path).status_code == 403, path


# ---- nobody gives, or takes over, more than they have


def changed(staff, user, **fields):
    """Post a user's page with these fields; return the user as stored after it."""
    known = {"username": user.username, "date_joined_0": "2024-01-01", "date_joined_1": "00:00:00", "is_active": "on"}
    known["environments"] = user.environments
    answer = staff.post(f"/admin/accounts/user/{user.pk}/change/", {**known, **fields})
    user.refresh_from_db()
    return answer


def test_an_administrator_makes_dealers_and_no_superusers(member, ann):
    staff = member("administrator")
    dealers = Group.objects.get(name="dealer")
    permission = Permission.objects.get(codename="delete_user")
    answer = changed(
        staff, ann, is_staff="on", is_superuser="on", groups=[dealers.pk], user_permissions=[permission.pk]
    )
    assert answer.status_code == 302
    assert (ann.is_staff, ann.is_superuser, list(ann.groups.all())) == (True, False, [dealers])
    assert not ann.user_permissions.exists()


def test_an_administrator_gives_no_group_that_may_more(member, ann):
    staff = member("administrator")
    beyond = Group.objects.create(name="beyond")
    beyond.permissions.add(Permission.objects.get(codename="delete_user"))
    assert changed(staff, ann, groups=[beyond.pk]).status_code == 200
    assert not ann.groups.exists()


@pytest.mark.parametrize("more", ["is_superuser", "a group", "a permission", "a group, while inactive"])
def test_an_administrator_does_not_touch_whoever_may_more(member, ann, more):
    staff, beyond = member("administrator"), Permission.objects.get(codename="delete_user")
    if "group" in more:
        group = Group.objects.create(name="beyond")
        group.permissions.add(beyond)
        ann.groups.add(group)
    elif more == "a permission":
        ann.user_permissions.add(beyond)
    ann.is_superuser, ann.is_active = more == "is_superuser", "inactive" not in more
    ann.save()
    assert changed(staff, ann, email="taken@over").status_code == 403
    fields = {"password1": "another one, as good", "password2": "another one, as good"}
    assert staff.post(f"/admin/accounts/user/{ann.pk}/password/", fields).status_code == 403
    assert not ann.email
    assert not ann.has_usable_password() or not ann.check_password("another one, as good")


def test_a_superuser_does_everything(client, ann):
    client.force_login(User.objects.create_superuser("root"))
    assert changed(client, ann, is_superuser="on", is_staff="on").status_code == 302
    assert ann.is_superuser


def test_a_password_is_shown_to_no_role(member, ann):
    ann.set_password("correct horse battery")
    ann.save()
    assert ann.password not in member("support").get(f"/admin/accounts/user/{ann.pk}/change/").content.decode()
