"""Deciding again gives the same bytes, in any process; and a byte that is not the same is seen."""

from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase

from tests.trading.books import given_engine, given_everything, given_history
from tests.trading.children import child
from tests.trading.histories import History, parts
from tests.trading.tampering import ROWS, change, is_seen
from trading.immutable import unguarded
from trading.load import load_book
from trading.models import JournalEntry
from trading.replay import replay_journal
from trading.rows import rows_to_write

REPLAY = """
from django.core.management import call_command
call_command("replay_journal")
"""


class Histories(TransactionTestCase):
    @settings(max_examples=8)
    @given(st.integers(0, 2**32))
    def test_a_history_gives_what_is_stored_also_over_a_restart(self, seed):
        history = given_history(seed, steps=100)
        resumed = History(seed + 1, list(history.book.state.accounts), load_book())
        resumed.now_ms = history.now_ms
        with given_engine() as (journal, fence):
            for part in parts(resumed.steps(100)):
                journal.write(rows_to_write(part), fence)
        assert replay_journal() == []


@pytest.fixture
def everything(transactional_db):
    return given_everything()


@pytest.mark.django_db
def test_nothing_comes_of_nothing():
    assert replay_journal() == []


def test_it_goes_through_the_journal_in_parts(everything, monkeypatch):
    monkeypatch.setattr("trading.replay.PART_ENTRIES", 7)
    told = []
    assert replay_journal(lambda done, total: told.append((done, total))) == []
    total = JournalEntry.objects.count()
    assert told == [(min(done, total), total) for done in range(7, total + 7, 7)]


@pytest.mark.parametrize("what", ROWS)
def test_any_column_that_is_changed_is_refused_or_seen(everything, what):
    row = ROWS[what]().earliest("pk")
    columns = [field.name for field in row._meta.concrete_fields if not field.primary_key]
    assert columns
    assert [name for name in columns if not is_seen(partial(change, row, name), replay_journal)] == []


@pytest.mark.parametrize("what", ROWS)
def test_a_row_that_is_gone_is_seen(everything, what):
    rows = ROWS[what]()
    assert is_seen(rows.filter(pk=rows.latest("pk").pk).delete, replay_journal)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("place_order", '"leverage":"25"', '"leverage":"26"'),
        ("place_order", '"side":"buy"', '"side":"sell"'),
        ("deposit", '"amount":"', '"amount":"1'),
        ("trigger", '"time_ms":1700', '"time_ms":1701'),
        ("set_terms", '"digits":5', '"digits":4'),
    ],
)
def test_an_input_that_was_changed_is_seen(everything, kind, old, new):
    row = JournalEntry.objects.filter(kind=kind, entry__contains=old).earliest("pk")
    with unguarded():
        JournalEntry.objects.filter(pk=row.pk).update(entry=row.entry.replace(old, new))
    assert replay_journal() != []


def test_the_words_of_a_refusal_are_compared(everything):
    row = JournalEntry.objects.exclude(code="").earliest("pk")
    with unguarded():
        JournalEntry.objects.filter(pk=row.pk).update(answer=row.answer + ".")
    [difference] = replay_journal()
    assert difference.startswith(f"trading_journalentry ({row.pk},)")


class TestCommand:
    @pytest.mark.parametrize(("seed", "zone"), [("1", "Pacific/Kiritimati"), ("4711", "America/St_Johns")])
    def test_another_process_decides_the_same(self, everything, seed, zone):
        with child(REPLAY, PYTHONHASHSEED=seed, TZ=zone) as process:
            assert process.line() == "The journal gives what is stored."

    def test_it_says_what_is_not_the_same_and_fails(self, everything):
        with unguarded():
            JournalEntry.objects.filter(pk=1).update(answer="x")
        errors = StringIO()
        with pytest.raises(CommandError, match="1 differences"):
            call_command("replay_journal", stderr=errors)
        assert errors.getvalue().startswith("trading_journalentry (1,): ")
