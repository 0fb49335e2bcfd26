"""What people fill in: their name and password, and what a key is for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory

from accounts import forms
from accounts.forms import KeyForm, LimitedAdminAuthenticationForm, LimitedAuthenticationForm
from accounts.limits import Budgets
from tests.accounts.callers import PASSWORD, given_key

pytestmark = pytest.mark.django_db


class Door:
    """The two log-in forms, and the clock of their budget."""

    def __init__(self):
        self.now_ms = 0

    def tries(self, name, password, *, address="192.0.2.7", form=LimitedAuthenticationForm):
        """Try to log in; return `in`, `wrong` or `limited`."""
        request = RequestFactory().post("/login", REMOTE_ADDR=address)
        filled = form(request, data={"username": name, "password": password})
        if filled.is_valid():
            return "in"
        return "limited" if "Too many attempts" in str(filled.errors) else "wrong"


@pytest.fixture
def door(monkeypatch):
    door = Door()
    monkeypatch.setattr(forms, "_budgets", Budgets("", now_ms=lambda: door.now_ms))
    return door


def test_a_name_can_be_tried_ten_times_a_minute_from_wherever(door, ann):
    attempts = [door.tries("ann", "wrong", address=f"192.0.2.{host}") for host in range(11)]
    assert attempts == ["wrong"] * 10 + ["limited"]
    assert door.tries("ann", PASSWORD, address="203.0.113.9") == "limited"
    door.now_ms = 59_999
    assert door.tries("ann", PASSWORD) == "limited"
    door.now_ms = 60_000
    assert door.tries("ann", PASSWORD) == "in"


def test_an_address_can_try_ten_times_a_minute_whichever_names(door, ann):
    assert [door.tries(f"user-{number}", "wrong") for number in range(10)] == ["wrong"] * 10
    assert door.tries("ann", PASSWORD) == "limited"
    assert door.tries("ann", PASSWORD, address="203.0.113.9") == "in"


def test_an_ipv6_line_is_one_address(door, ann):
    for host in range(10):
        door.tries(f"user-{host}", "wrong", address=f"2001:db8::{host}")
    assert door.tries("ann", PASSWORD, address="2001:db8::ffff") == "limited"
    assert door.tries("ann", PASSWORD, address="2001:db8:0:1::1") == "in"


def test_both_doors_spend_one_budget(door, staff):
    for _ in range(10):
        door.tries("chief", "wrong")
    assert door.tries("chief", PASSWORD, form=LimitedAdminAuthenticationForm) == "limited"


def test_the_administrators_door_is_for_staff(door, ann, staff):
    assert door.tries("chief", PASSWORD, form=LimitedAdminAuthenticationForm) == "in"
    assert door.tries("ann", PASSWORD, form=LimitedAdminAuthenticationForm) == "wrong"


def test_a_form_without_names_is_no_crash(door, db):
    assert door.tries("", "") == "wrong"


# ---- a key


def filled(**fields):
    return KeyForm({"scopes": ["market"], "environments": ["demo"], **fields})


def test_a_new_key_starts_with_what_most_want():
    form = KeyForm()
    assert form["scopes"].value() == ["market", "read"]
    assert form["environments"].value() == ["live", "demo"]


def test_publishing_is_offered_to_those_who_may_give_it():
    assert "feed" in str(KeyForm()["scopes"])
    assert [str(box.data["value"]) for box in KeyForm(may_feed=False)["scopes"]] == ["market", "read", "trade"]
    assert not KeyForm({"scopes": ["feed"], "environments": ["demo"]}, may_feed=False).is_valid()


def test_a_time_without_a_zone_is_utc_and_has_to_be_ahead():
    ahead = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    form = filled(expires_at=f"{ahead:%Y-%m-%dT%H:%M:%S}")
    assert form.is_valid()
    assert form.cleaned_data["expires_at"] == ahead
    over = filled(expires_at="2020-01-01T00:00")
    assert over.errors["expires_at"] == ["This time is over already."]


def test_what_is_shown_is_read_back_unchanged(ann):
    key = given_key(ann, expires_at=datetime(2020, 1, 31, 23, 59, 58, tzinfo=UTC)).key
    shown = KeyForm(instance=key)
    form = KeyForm({**{name: shown[name].value() for name in shown.fields}, "label": "till-7"}, instance=key)
    assert form.is_valid()
    assert form.changed_data == ["label"]


@pytest.mark.parametrize("fields", [{"scopes": []}, {"environments": ["paper"]}, {"networks": "10.0.0.1/8"}])
def test_what_cannot_be_is_not_accepted(fields):
    assert list(filled(**fields).errors) == list(fields)
