"""What was taken away, as processes read of it; what takes it away: `test_services.py`, `test_signals.py`."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.access_changes import access_change, access_changes_after, newest_access_change
from accounts.models import AccessChange
from accounts.services import api_key_revoke
from tests.accounts.callers import given_key

pytestmark = pytest.mark.django_db


def test_revoking_twice_is_told_once(ann):
    key = given_key(ann).key
    cursor = newest_access_change()
    for _ in range(2):
        api_key_revoke(key)
    changes = [change for change in access_changes_after(cursor) if change.pk > cursor]
    assert [(change.user_id, change.key_id) for change in changes] == [(ann.pk, str(key.public_id))]
    assert key.state == "revoked"


def test_a_change_that_commits_late_is_still_read(ann):
    rows = [AccessChange.objects.create(user_id=ann.pk) for _ in range(3)]
    rows[0].delete()
    cursor = newest_access_change()
    late = AccessChange.objects.create(pk=rows[0].pk, user_id=ann.pk, key_id="late")
    assert late in access_changes_after(cursor)


def test_old_changes_are_deleted(ann):
    old = AccessChange.objects.create(user_id=ann.pk)
    AccessChange.objects.filter(pk=old.pk).update(at=datetime.now(UTC) - timedelta(days=8))
    access_change(user_id=ann.pk)
    assert AccessChange.objects.count() == 1
