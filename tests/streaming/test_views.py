"""The live page's view."""

import pytest

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_a_visitor_is_sent_to_the_login(client):
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/login?next=/"


def test_somebody_logged_in_gets_the_page(client):
    client.force_login(User.objects.create(username="ann"))
    assert client.get("/").status_code == 200
