"""The pages' views and their frame. What moves on them is tested in tests/js and tests/browser."""

import json
import posixpath
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from accounts.errors import CLOSES
from accounts.models import User
from streaming.routing import ENDPOINTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(client):
    def page(**fields):
        client.force_login(User.objects.create(username="ann", **fields))
        return client.get("/")

    return page


def test_a_visitor_is_sent_to_the_login(client):
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/login?next=/"


def test_somebody_logged_in_gets_the_page(page_of):
    answer = page_of()
    assert answer.status_code == 200
    assert ">Trading</h1>" in answer.text


def test_all_its_scripts_and_styles_are_files_of_this_server(page_of):
    answer = page_of()
    assert re.findall(r"<script\b[^>]*>", answer.text) == [
        '<script src="/static/streaming/first.js">', '<script type="module" src="/static/streaming/live.js">'
    ]  # fmt: skip
    assert not re.search(r"<style\b|\sstyle=|\son\w+=", answer.text)
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"


def test_it_asks_at_once_for_every_module_that_it_imports(page_of):
    asked = re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page_of().text)
    found = set()

    def follow(name):
        path = finders.find(name)
        assert path is not None, name
        if name not in found and name.endswith(".js"):
            for imported in re.findall(
                r'^import .*? from "(\.[^"]+)";$', Path(path).read_text(), re.MULTILINE | re.DOTALL
            ):
                follow(posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)))
        found.add(name)

    follow("streaming/live.js")
    assert found | {"vendor/lightweight-charts/lightweight-charts.standalone.production.mjs"} == set(asked)


def test_the_page_leaves_compressed(page_of, client):
    page_of()
    answer = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < 8_000


def test_the_chart_librarys_notice_and_link_are_there(page_of):
    text = page_of().text
    assert "TradingView Lightweight Charts™" in text
    assert 'href="https://www.tradingview.com/"' in text


def test_logging_out_is_a_form_with_a_token(page_of):
    form = re.search(r'<form[^>]*action="/logout">(.*?)</form>', page_of().text, re.DOTALL)
    assert form is not None
    assert "csrfmiddlewaretoken" in form[1]
    assert "ann" in form[1]


@pytest.mark.parametrize("is_staff", [True, False])
def test_only_staff_is_led_to_the_administration(page_of, is_staff):
    assert ('href="/admin/"' in page_of(is_staff=is_staff).text) == is_staff


def test_the_page_where_one_is_is_marked(page_of, client):
    assert '<a href="/" aria-current="page">Trading</a>' in page_of().text
    assert '<a href="/keys/" aria-current="page">Account</a>' in client.get("/keys/").text


def test_a_visitors_login_shows_no_pages(client):
    assert "<nav" not in client.get("/login").text


# ---- connect, reference


def test_connect_is_for_who_is_logged_in(client):
    assert client.get("/connect")["Location"] == "/login?next=/connect"


def test_clients_have_the_readers_address_behind_a_proxy_too(page_of, client, settings):
    page_of()
    assert "ws://testserver/ws/events" in client.get("/connect").text
    behind = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_HOST": "testserver"}
    assert "ws://testserver/ws/events" in client.get("/connect", **behind).text
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert "wss://testserver/ws/events" in client.get("/connect", **behind).text


def test_the_console_knows_every_close_and_every_address(page_of, client):
    page_of()
    page = client.get("/connect").text
    (table,) = re.findall(r'<script id="closes" type="application/json">(.*?)</script>', page)
    closes = json.loads(table)
    assert {int(code) for code in closes} == {close.code for close in CLOSES}
    assert closes["4010"] == {"reason": "access_revoked", "reconnect": False}
    assert set(re.findall(r'<option value="([^"]*)"', page)) == {f"/{address}" for address in ENDPOINTS}


def test_its_scripts_are_files_and_the_only_block_is_data(page_of, client):
    page_of()
    page = client.get("/connect").text
    scripts = re.findall(r"<script\b[^>]*>", page)
    assert all("src=" in script or "application/json" in script for script in scripts)
    assert not re.search(r"<style\b|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize("name", ["tick_stream", "event_stream", "errors"])
def test_a_document_can_be_read_by_everybody(client, name):
    answer = client.get(f"/reference/{name}")
    assert answer.status_code == 200
    assert "ws://testserver" in answer.text or name == "errors"


@pytest.mark.parametrize("name", ["nothing", "settings", "README"])
def test_other_documents_are_not_there(client, name):
    assert client.get(f"/reference/{name}").status_code == 404
