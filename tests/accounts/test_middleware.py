"""Every HTTP answer carries a request id; a browser's session is noted as seen, now and then."""

import re

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import AsyncClient

pytestmark = pytest.mark.django_db

OURS = re.compile(r"[0-9a-f]{32}")
GIVEN = ["1", "order-7.2_a:b", "8b6bcdc6-58fb-4b2b-9f3c-0f2a4d5a7e11", "x" * 64]
UNUSABLE = ["", "x" * 65, "a b", "a\tb", "é", "a;b", "<script>", "1\n2"]


@pytest.mark.parametrize("identifier", GIVEN)
def test_a_clients_own_id_comes_back(client, identifier):
    assert client.get("/time", headers={"X-Request-ID": identifier})["X-Request-ID"] == identifier


@pytest.mark.parametrize("identifier", UNUSABLE)
def test_an_id_that_cannot_be_used_is_replaced(client, identifier):
    answer = client.get("/time", headers={"X-Request-ID": identifier})
    assert OURS.fullmatch(answer["X-Request-ID"])


def test_without_one_each_answer_has_one_of_ours(client):
    answers = [client.get("/time")["X-Request-ID"] for _ in range(2)]
    assert all(OURS.fullmatch(identifier) for identifier in answers)
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    ("path", "status"), [("/login", 200), ("/keys/", 302), ("/nowhere", 404), ("/trading/products/XX", 404)]
)
def test_pages_redirects_and_errors_have_it_too(client, path, status):
    answer = client.get(path, headers={"X-Request-ID": "7"})
    assert (answer.status_code, answer["X-Request-ID"]) == (status, "7")


def test_a_view_can_see_it(client):
    assert client.get("/time", headers={"X-Request-ID": "7"}).wsgi_request.META["REQUEST_ID"] == "7"


@pytest.mark.django_db(transaction=True)
async def test_the_same_under_asgi():
    answer = await AsyncClient().get("/time", headers={"X-Request-ID": "7"})
    assert answer["X-Request-ID"] == "7"


# ---- sessions


def test_a_browser_is_seen_with_its_device_and_the_address_behind_the_proxy(client, ann, settings):
    settings.TRUSTED_PROXIES = 1
    client.force_login(ann)
    client.get("/keys/", headers={"User-Agent": "Firefox", "X-Forwarded-For": "203.0.113.1, 198.51.100.7"})
    seen = UserSession.objects.get()
    assert (seen.user, seen.session_key) == (ann, client.session.session_key)
    assert (seen.ip, seen.user_agent) == ("198.51.100.7", "Firefox")


def test_it_is_written_once_a_minute_and_not_with_every_call(client, ann, django_assert_num_queries):
    client.force_login(ann)
    client.get("/keys/")
    first = UserSession.objects.get().last_seen_at
    with django_assert_num_queries(3):  # the session, the user, the keys
        client.get("/keys/")
    cache.clear()
    client.get("/keys/")
    assert UserSession.objects.get().last_seen_at > first


def test_strangers_leave_nothing(client):
    client.get("/login")
    assert not UserSession.objects.exists()
