"""What machines ask: does it live, is it ready, what does it do?"""

import pytest
from django.db import OperationalError, connection

import streaming.live
from streaming.figures import EngineFigures, FeedFigures
from tests.streaming.test_figures import figures

WEB = figures("web:1", delivered=7)
FEED = figures("feed:2", feed=FeedFigures(1, 0, {}, []))


@pytest.fixture
def given(monkeypatch):
    """Give a function that says which processes there are."""

    def processes(*these):
        monkeypatch.setattr(streaming.live, "processes", lambda: list(these))

    processes()
    return processes


def test_whoever_answers_lives(client):
    assert client.get("/livez").json() == {"live": True}
    assert client.post("/livez").status_code == 405


def test_a_process_is_ready_when_it_has_started_and_the_database_answers(client, db, given):
    given(WEB, FEED, figures("engine:3", engine=EngineFigures(2)))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "started": True, "database": True, "feed": True, "engine": True}


def test_feed_and_engine_are_told_and_do_not_decide(client, db, given):
    given(WEB, figures("engine:3", engine=EngineFigures(0)))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["feed"], answer.json()["engine"]) == (200, False, False)


def test_before_it_has_started_it_is_not_ready(client, db, given):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["started"]) == (503, False, False)


def test_without_the_database_it_is_not_ready(client, db, given, monkeypatch):
    given(WEB)

    def gone():
        raise OperationalError("gone, with password=sesame")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", gone)
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, False)
    assert "sesame" not in answer.content.decode()


# ---- metrics


def test_without_a_token_in_the_settings_there_are_no_metrics(client, given, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "given_header", ["", "Bearer", "Bearer ", "Bearer sesam", "Basic sesame", "sesame", "Bearer s\u00e9same"]
)
def test_only_the_token_opens_the_metrics(client, given, settings, given_header):
    settings.METRICS_TOKEN = "sesame"
    answer = client.get("/metrics", headers={"Authorization": given_header})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")


def test_with_it_the_figures_of_all_processes_are_told(client, given, settings):
    settings.METRICS_TOKEN = "sesame"
    given(WEB, FEED)
    answer = client.get("/metrics", headers={"Authorization": "Bearer sesame"})
    assert answer.status_code == 200
    assert 'tickwire_deliveries_total{process="web:1"} 7.0' in answer.content.decode()
    assert 'tickwire_ticks_total{process="feed:2",result="accepted"} 1.0' in answer.content.decode()
