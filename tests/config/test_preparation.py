"""The first start: what it makes once, and what it says."""

import re

import pytest
from django.contrib.auth import authenticate

from accounts.models import ApiKey, User
from accounts.services import identity_for_token
from config import preparation
from config.preparation import Prepared, prepare, welcome
from market.models import Product

NOW_MS = 1_709_742_000_000


@pytest.fixture
def first(db):
    User.objects.all().delete()
    return prepare(lambda text: None)


def test_the_administrator_can_log_in_with_the_password_shown(first):
    administrator = authenticate(username="admin", password=first.administrator_password)
    assert administrator is not None
    assert administrator.is_superuser


def test_the_password_is_random_and_can_be_read_from_a_screen(first):
    assert re.fullmatch(r"[a-km-np-zA-HJ-NP-Z2-9]{16}", first.administrator_password)


def test_the_demo_key_may_trade_on_the_demo_account_only(first):
    identity = identity_for_token(token=first.demo_key, address="127.0.0.1", now_ms=NOW_MS)
    assert first.demo_key.startswith("tk_demo_")
    assert identity.environments == {"demo"}
    assert identity.scopes == {"market", "read", "trade"}


def test_the_demo_user_cannot_log_in(first):
    assert not User.objects.get(username="demo").has_usable_password()


def test_a_second_time_changes_nothing_and_shows_nothing(first):
    said: list[str] = []
    before = Product.objects.count()
    again = prepare(said.append)
    assert again == Prepared(administrator_password="", demo_key="")
    assert (User.objects.count(), ApiKey.objects.count(), Product.objects.count()) == (2, 1, before)
    assert "manage.py changepassword admin" in said[0]
    assert "manage.py issue_key demo --env demo --scope market --scope read --scope trade" in said[0]


def test_an_administrator_of_another_name_is_enough(db):
    User.objects.all().delete()
    User.objects.create_superuser("root", password="long enough for anyone")
    assert prepare(lambda text: None).administrator_password == ""


def test_the_welcome_shows_each_new_secret():
    text = welcome(Prepared("password-1", "tk_demo_1"), address="127.0.0.1:8080")
    assert "password-1  (shown this once)" in text
    assert "tk_demo_1  (shown this once)" in text
    assert 'websocket.create_connection("ws://127.0.0.1:8080")' in text


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1:8080"), ("0.0.0.0", "127.0.0.1:8080"), ("::1", "[::1]:8080"), ("::", "[::1]:8080")],
)
def test_the_address_is_one_that_a_client_can_use(settings, host, shown):
    settings.HOST, settings.PORT = host, 8080
    assert preparation.address() == shown
