"""Unknown addresses and bugs, for a program and for a person."""

import pytest
from django.test import Client

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOUSE = b'<a class="brand" href="/">'
"""In the head of every page of Tickwire's own, also of one that says what went wrong."""


@pytest.mark.parametrize("path", ["/trading/nosuch", "/nosuch", "/trading/candles/EUR-USD"])
def test_a_program_that_calls_an_unknown_address_gets_a_coded_error(path):
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found", "code": "not_found"})


def test_a_person_gets_a_page():
    answer = Client().get("/nosuch", headers=PAGE)
    assert (answer.status_code, answer["Content-Type"][:9]) == (404, "text/html")
    assert HOUSE in answer.content


@pytest.mark.parametrize("headers", [{}, PAGE])
def test_a_bug_tells_nothing_of_itself(headers, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("market.api.time.time_ns", broken)
    answer = Client(raise_request_exception=False).get("/time", headers=headers)
    assert answer.status_code == 500
    assert b"secret detail" not in answer.content
    if headers:
        assert HOUSE in answer.content
    else:
        assert answer.json() == {"message": "Internal error", "code": "internal_error"}


def test_a_form_from_elsewhere_is_told_so_in_the_houses_own_words():
    answer = Client(enforce_csrf_checks=True).post("/login", {"username": "ann"}, headers=PAGE)
    assert (answer.status_code, HOUSE in answer.content) == (403, True)
    assert b"nothing was changed" in answer.content
