"""The pages about what is running, as a browser of the staff opens them; the processes are the test's."""

import re
from html import unescape
from typing import Any

import msgspec
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from accounts.errors import Code, Refused
from accounts.models import User
from streaming import live
from streaming.connections import Found, View
from streaming.peers import Answers
from tests.accounts.callers import PASSWORD, given_key

SCRIPT = "<script>document.title = 'run'</script>"


def view(number=1, **fields):
    known: dict[str, Any] = {
        "id": f"id{number}", "stream": "event_stream", "address": "192.0.2.7", "since_ms": 1_709_742_000_000,
        "user_id": 0, "user": "", "key_id": "", "generation": 0, "subscriptions": 0, "channels": [], "events": 0,
        "conflated": 0, "held": 0, "sent_bytes": None, "waiting_bytes": None,
    }  # fmt: skip
    return View(**{**known, **fields})


class House:
    """Processes that answer what the test says, and remember what they were asked."""

    def __init__(self):
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.silent: list[str] = []
        self.away = False

    async def ask(self, what, **fields):
        self.asked.append((what, fields))
        if self.away:
            raise Refused(Code.UNAVAILABLE)
        return Answers({"web:1": self.answers.get(what), "feed:2": None}, self.silent)

    def has(self, *views, count=None):
        found = Found(len(views) if count is None else count, list(views))
        self.answers["connections"] = msgspec.to_builtins(found)

    def ended(self, *views):
        self.answers["end"] = msgspec.to_builtins(list(views))


@pytest.fixture
def house(monkeypatch):
    running = House()
    running.has()
    monkeypatch.setattr(live, "ask", running.ask)
    return running


@pytest.fixture
def staff(client, transactional_db):
    """Somebody who may see and end connections, and see users."""
    user = User.objects.create_user("chief", password=PASSWORD, is_staff=True)
    names = ("view_connections", "end_connections", "view_refusals", "view_user")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def text_of(client, path, **query):
    answer = client.get(path, query)
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


# ---- connections


def test_a_connection_is_shown_with_its_key_and_what_it_hears(staff, house):
    ann = User.objects.create_user("ann")
    key = given_key(ann)
    last_four = key.secret[-4:]
    channels = [f"trading:quotes:P{number}" for number in range(20)]
    house.has(
        view(1, user="ann", user_id=ann.pk, key_id=key.id, generation=1, subscriptions=1_000, channels=channels,
             held=7, conflated=3, events=12_345, sent_bytes=2_048, waiting_bytes=99),
        view(2),
    )  # fmt: skip
    text = text_of(staff, "/admin/connections/")
    for shown in ("ann", f"…{last_four}", "event stream", "192.0.2.7", "2024-03-06 16:20:00", "trading:quotes:P0",
                  "and 980 more", " 99 7 3 12345 2.0\xa0KB", "2 connections"):  # fmt: skip
        assert shown.replace("\xa0", " ") in text.replace("\xa0", " "), shown
    assert key.secret not in staff.get("/admin/connections/").content.decode()


def test_the_search_is_the_processes_business(staff, house):
    house.has()
    staff.get("/admin/connections/", {"q": "Ann EUR-USD", "stream": "pages", "order": "since"})
    words = [["ann"], ["eur-usd"]]
    assert house.asked == [("connections", {"query": {"words": words, "stream": "pages", "order": "since"}})]


def test_four_characters_may_be_the_end_of_a_key(staff, house):
    key = given_key(User.objects.create_user("ann"))
    staff.get("/admin/connections/", {"q": f"…{key.secret[-4:]}"})
    (word,) = house.asked[0][1]["query"]["words"]
    assert key.id in word


@pytest.mark.parametrize(
    "query", [{"q": "x" * 500}, {"q": " ".join("abcdefghij")}, {"q": "\0%' a\0bc"}, {"stream": "no", "order": "no"}]
)
def test_any_question_may_be_asked(staff, house, query):
    assert "0 connections" in text_of(staff, "/admin/connections/", **query)
    asked = house.asked[0][1]["query"]
    assert (asked["stream"], asked["order"]) == ("", "waiting")
    assert len(asked["words"]) <= 5
    assert all(len(spelling) <= 64 for word in asked["words"] for spelling in word)


def test_there_may_be_more_than_are_shown_and_processes_that_do_not_answer(staff, house):
    house.has(view(), count=900)
    house.silent = ["web:9"]
    text = text_of(staff, "/admin/connections/")
    assert "900 connections, the first 200 of them" in text
    assert "Some processes did not answer, their connections are missing: web:9" in text


def test_a_house_that_is_away_is_said_in_words(staff, house):
    house.away = True
    assert "Unavailable: Temporarily unavailable" in text_of(staff, "/admin/connections/")


def test_selected_connections_are_ended_and_it_is_noted_with_whose_they_were(staff, house):
    ann = User.objects.create_user("ann")
    house.ended(view(1, user="ann", user_id=ann.pk, key_id="8b6b"), view(2))
    answer = staff.post("/admin/connections/?q=ann", {"id": ["id1", "id2", "id3"]})
    assert answer["Location"] == "/admin/connections/?q=ann"
    assert house.asked == [("end", {"ids": ["id1", "id2", "id3"]})]
    text = text_of(staff, "/admin/connections/")
    assert "2 ended." in text
    assert "1 were not open any more." in text
    noted = [(str(entry.user), entry.object_id, entry.object_repr, entry.change_message)
             for entry in LogEntry.objects.order_by("pk")]  # fmt: skip
    assert noted == [
        ("chief", str(ann.pk), "ann", "Ended the connection id1 (event_stream) from 192.0.2.7, key 8b6b"),
        ("chief", None, "a connection without a name", "Ended the connection id2 (event_stream) from 192.0.2.7"),
    ]
    assert "Ended the connection id1" in text_of(staff, f"/admin/accounts/user/{ann.pk}/history/")


def test_who_may_only_see_is_offered_no_end_and_gets_none(staff, house):
    User.objects.get(username="chief").user_permissions.remove(Permission.objects.get(codename="end_connections"))
    house.has(view())
    page = staff.get("/admin/connections/").content.decode()
    assert "192.0.2.7" in page
    assert "End the selected" not in page
    assert 'name="id"' not in page
    assert staff.post("/admin/connections/", {"id": ["id1"]}).status_code == 403
    assert [what for what, _ in house.asked] == ["connections"]
    assert not LogEntry.objects.exists()


def test_a_form_from_elsewhere_ends_nothing(staff, house):
    staff.handler.enforce_csrf_checks = True
    assert staff.post("/admin/connections/", {"id": ["id1"]}).status_code == 403
    assert house.asked == []


# ---- refused ticks


def test_refused_ticks_are_counted_and_the_last_are_shown(staff, house):
    house.answers["refusals"] = {
        "accepted": 1_000,
        "counts": [["EUR-USD", "late", 7], ["", "unknown_product", 2]],
        "recent": [
            [1_709_742_000_000, "EUR-USD", "EURUSD", "late", "1.08", "1.09", 1_709_741_000_000, "key:8b6b"],
            [1_709_742_000_000, "", SCRIPT, "unknown_product", "1", "2", 5, "key:a7"],
        ],
    }
    text = text_of(staff, "/admin/refusals/")
    for shown in ("accepted 1000 ticks and refused 9", "EUR-USD late 7", "unknown unknown_product 2",
                  "2024-03-06 16:20:00 EURUSD late 1.08 1.09 1709741000000 key:8b6b"):  # fmt: skip
        assert shown in text
    assert SCRIPT not in staff.get("/admin/refusals/").content.decode()
    late = text_of(staff, "/admin/refusals/", product="EUR-USD", code="late")
    assert "key:8b6b" in late
    assert "key:a7" not in late
    unknown = text_of(staff, "/admin/refusals/", product="?")
    assert "key:a7" in unknown
    assert "key:8b6b" not in unknown


def test_a_feed_that_does_not_answer_is_said(staff, house):
    assert "The feed does not answer" in text_of(staff, "/admin/refusals/")


# ---- names that would be script


def test_no_name_becomes_script(staff, house):
    house.has(view(1, user=SCRIPT, user_id=5, address=SCRIPT, channels=[SCRIPT], subscriptions=1, id=SCRIPT))
    house.silent = [SCRIPT]
    for path in (f"/admin/connections/?q={SCRIPT}", f"/admin/refusals/?product={SCRIPT}"):
        assert "<script>document" not in staff.get(path).content.decode()
