"""A transactional test leaves nothing behind, and takes nothing away."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError
from django.test import TransactionTestCase

from accounts.models import User
from market.models import Product
from tests.trading.books import given_history
from trading.models import AccountEvent, JournalEntry, Order

pytestmark = pytest.mark.django_db(transaction=True)

MIGRATED, EMPTY = (ContentType, Permission, Group, Group.permissions.through), (User, Product, Order, JournalEntry)


def rows(*models):
    return [sorted(model._default_manager.values_list()) for model in models]


def end():
    """Do what follows every transactional test."""
    TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]  # not in the stubs


def test_what_migrations_wrote_is_there_again_and_nothing_else():
    before = rows(*MIGRATED)
    assert all(before)
    given_history(1, steps=20)
    Group.objects.get(name="dealer").delete()
    Group.objects.create(name="dealers").permissions.add(Permission.objects.all()[0])
    assert all(rows(*EMPTY))
    end()
    assert rows(*MIGRATED) == before
    assert not any(rows(*EMPTY))


def test_the_guards_are_there_again():
    end()
    given_history(1, steps=20)
    with pytest.raises(DatabaseError, match="never changed"):
        AccountEvent.objects.all().delete()
