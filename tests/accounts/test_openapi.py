"""The OpenAPI description says who may call what, and how one says who one is."""

import pytest

from accounts.models import ApiKey

pytestmark = pytest.mark.django_db

SIGNED: dict[str, list[str]] = {"signedKey": [], "signedSignature": [], "signedTimestamp": []}
KEY_CALLS = ["/account/keys/", "/account/keys/{key_id}/rotate/", "/account/keys/{key_id}/revoke/"]


@pytest.fixture
def description(client):
    return client.get("/api/schema", headers={"Accept": "application/json"}).json()


def test_a_call_takes_a_signature_a_token_or_a_session(description):
    assert description["paths"]["/feed/ticks/"]["post"]["security"] == [SIGNED, {"bearer": []}, {"session": []}]


def test_each_way_is_described_by_where_it_is_sent(description):
    schemes = description["components"]["securitySchemes"]
    headers = {name: scheme["name"] for name, scheme in schemes.items() if scheme.get("in") == "header"}
    assert headers == {"signedKey": "T8-APIKEY", "signedSignature": "T8-SIG", "signedTimestamp": "T8-TIMESTAMP"}
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "sessionid")


@pytest.mark.parametrize("path", KEY_CALLS)
def test_the_calls_about_keys_are_for_the_browser(description, path):
    call = description["paths"][path]["post"]
    assert call["security"] == [{"session": []}]
    assert call["summary"]


def test_what_issuing_takes_and_answers_is_described(description):
    schemas = description["components"]["schemas"]
    wanted, issued = schemas["KeyRequest"]["properties"], schemas["IssuedKey"]["properties"]
    assert (
        set(wanted)
        == {"label", "scopes", "environments", "expires_at", "networks"}
        <= {field.name for field in ApiKey._meta.get_fields()}
    )
    assert list(issued) == ["id", "secret"]
