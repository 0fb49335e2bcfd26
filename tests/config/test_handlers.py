"""Unknown addresses and bugs, for a program and for a person."""

import pytest
from django.test import Client

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/trading/nosuch", "/nosuch", "/trading/candles/EUR-USD"])
def test_a_program_that_calls_an_unknown_address_gets_a_coded_error(path):
    answer = Client().get(path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found", "code": "not_found"})


def test_a_person_gets_a_page():
    answer = Client().get("/nosuch", headers=PAGE)
    assert (answer.status_code, answer["Content-Type"][:9]) == (404, "text/html")


@pytest.mark.parametrize("headers", [{}, PAGE])
def test_a_bug_tells_nothing_of_itself(headers, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("market.api.time.time_ns", broken)
    answer = Client(raise_request_exception=False).get("/time", headers=headers)
    assert answer.status_code == 500
    assert b"secret detail" not in answer.content
    if not headers:
        assert answer.json() == {"message": "Internal error", "code": "internal_error"}
