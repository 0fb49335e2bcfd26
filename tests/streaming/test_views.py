"""The live page's view and its frame. What moves on it is tested in tests/js and tests/browser."""

import re

import pytest

from accounts.models import User

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
    assert "Live prices" in answer.text


def test_all_its_scripts_and_styles_are_files_of_this_server(page_of):
    answer = page_of()
    assert re.findall(r"<script\b[^>]*>", answer.text) == ['<script type="module" src="/static/streaming/live.js">']
    assert not re.search(r"<style\b|\sstyle=|\son\w+=", answer.text)
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"


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
    assert '<a href="/" aria-current="page">Live</a>' in page_of().text
    assert '<a href="/keys/" aria-current="page">API keys</a>' in client.get("/keys/").text


def test_a_visitors_login_shows_no_pages(client):
    assert "<nav" not in client.get("/login").text
