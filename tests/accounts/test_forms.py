"""What people fill in: their name and password, what a key is for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory

from accounts.attempts import PER_MINUTE
from accounts.forms import KeyForm, LimitedAuthenticationForm, UserForm
from accounts.models import User
from tests.accounts.callers import PASSWORD, given_key

pytestmark = pytest.mark.django_db


def log_in(name, password):
    """Try to log in; return `in`, `wrong` or `limited`."""
    request = RequestFactory().post("/login", REMOTE_ADDR="192.0.2.7")
    filled = LimitedAuthenticationForm(request, data={"username": name, "password": password})
    if filled.is_valid():
        return "in"
    return "limited" if "Too many attempts" in str(filled.errors) else "wrong"


def test_a_log_in_is_tried_so_often_only(ann):
    assert log_in("ann", PASSWORD) == "in"
    assert [log_in("ann", "wrong") for _ in range(PER_MINUTE)] == ["wrong"] * (PER_MINUTE - 1) + ["limited"]
    assert log_in("ann", PASSWORD) == "limited"


def test_a_form_without_names_is_no_crash(db):
    assert log_in("", "") == "wrong"


# ---- a key


def filled(**fields):
    return KeyForm({"scopes": ["market"], "environments": ["demo"], **fields})


def test_a_new_key_starts_with_what_most_want():
    form = KeyForm()
    assert form["scopes"].value() == ["market", "read"]
    assert form["environments"].value() == ["live", "demo"]


def offered(field):
    return [str(box.data["value"]) for box in field]


def test_publishing_is_offered_to_those_who_may_give_it(ann, staff):
    assert "feed" in offered(KeyForm()["scopes"])
    assert "feed" in offered(KeyForm(owner=staff)["scopes"])
    assert offered(KeyForm(owner=ann)["scopes"]) == ["market", "read", "trade"]
    assert not KeyForm({"scopes": ["feed"], "environments": ["demo"]}, owner=ann).is_valid()


def test_what_is_offered_is_where_its_user_may_trade(ann):
    ann.environments = ["demo"]
    form = KeyForm(owner=ann)
    assert offered(form["environments"]) == form["environments"].value() == ["demo"]
    assert not KeyForm({"scopes": ["market"], "environments": ["live"]}, owner=ann).is_valid()


def test_an_administrator_says_where_a_user_may_trade(ann):
    shown = UserForm(instance=ann)
    assert shown["environments"].value() == ["live", "demo"]
    given = {name: shown[name].value() for name in shown.fields if shown[name].value() is not None}
    form = UserForm({**given, "environments": ["demo"]}, instance=ann)
    assert form.is_valid(), form.errors
    form.save()
    assert User.objects.get().environments == ["demo"]


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
