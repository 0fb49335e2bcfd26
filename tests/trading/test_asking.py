"""What an administrator is told of what was asked; the pages that ask are in `test_admin_pages.py`."""

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage

from accounts.models import User
from trading import asking
from trading.asking import MovementForm, show_answers
from trading.inbox import inbox_answer, inbox_put
from trading.live import Answer


@pytest.fixture
def ann(db):
    return User.objects.create_user("ann")


def shown(rf, rows):
    """Return the messages of a request: level, text."""
    request = rf.get("/")
    request._messages = CookieStorage(request)
    show_answers(request, {row.pk: "ann live" for row in rows})
    return [(message.level_tag, str(message)) for message in get_messages(request)]


def test_every_row_is_told_with_a_link_to_it(rf, ann, monkeypatch):
    monkeypatch.setattr(asking, "ANSWER_WAIT_S", 0)
    rows = [inbox_put("withdraw", {"user": "ann", "environment": "live", "amount": "1"}, None) for _ in range(3)]
    inbox_answer(rows[0].pk, Answer("{}"))
    inbox_answer(rows[1].pk, Answer(code="not_found", message="<b>gone</b>"))
    links = [f'<a href="/admin/trading/inboxcommand/{row.pk}/change/">inbox {row.pk}</a>' for row in rows]
    assert shown(rf, rows) == [
        ("success", f"withdraw, ann live: done ({links[0]})"),
        ("error", f"withdraw, ann live: not_found: &lt;b&gt;gone&lt;/b&gt; ({links[1]})"),
        ("warning", f"withdraw, ann live: waits for the engine ({links[2]})"),
    ]


def test_nothing_asked_is_nothing_told(rf, db):
    assert shown(rf, []) == []


def test_a_form_needs_all_it_asks_for():
    form = MovementForm({"user": " ann ", "environment": "live", "amount": " 1.5 ", "once": "5f1d"})
    assert form.is_valid()
    assert form.cleaned_data == {"user": "ann", "environment": "live", "amount": "1.5", "once": "5f1d"}
    assert set(MovementForm({}).errors) == {"user", "environment", "amount", "once"}
