"""Administrators' commands from the shell: `manage.py deposit` and its like, with an engine and without."""

import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from engine.commands import OpenAccount
from engine.values import AccountId
from market.models import Product
from tests.trading.inboxes import bought, serving
from trading import journal, lease
from trading.inbox import inbox_put
from trading.journal import Fenced, Journal
from trading.load import load_book
from trading.management import asking
from trading.models import Balance, InboxCommand, JournalEntry, LedgerEntry, Order, Position

pytestmark = pytest.mark.django_db(transaction=True)

ORDER, POSITION = (str(uuid.UUID(int=number)) for number in (1, 2))


@pytest.fixture(autouse=True)
def _nobody_hangs(monkeypatch):
    """The engines of these tests do not beat, however slow the machine is."""
    monkeypatch.setattr(lease, "STALE_S", 3600)


@pytest.fixture
def opened(engine, ann):
    """Ann has a demo account with a pending order and an open position."""
    demo = AccountId("demo", ann.pk)
    engine.do(OpenAccount(account=demo), bought(demo, ORDER, price="1.2"), bought(demo, POSITION))
    return engine


@pytest.fixture
def working(opened):
    """The engine works, and takes what it is told of."""
    with serving(opened):
        yield opened


@pytest.fixture
def ended(opened):
    """The engine has ended."""
    opened.close()


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def told():
    """Return the answers of the inbox, oldest first."""
    return [(row.kind, row.status, row.code) for row in InboxCommand.objects.order_by("pk")]


def test_a_first_deposit_opens_the_account_and_says_the_balance(ann):
    assert run("deposit", "ann", "1.5") == "ann live: 1.50000000 BTC free, 0.00000000 in margin\n"
    assert run("deposit", "ann", "0.25", "--env", "live") == "ann live: 1.75000000 BTC free, 0.00000000 in margin\n"
    assert [(entry.kind, str(entry.amount)) for entry in LedgerEntry.objects.order_by("serial")] == [
        ("deposit", "1.5"), ("deposit", "0.25")
    ]  # fmt: skip


def test_a_demo_account_has_its_grant_beside(ann):
    assert run("deposit", "ann", "1", "--env", "demo") == "ann demo: 11.00000000 BTC free, 0.00000000 in margin\n"
    assert run("withdraw", "ann", "4", "--env", "demo") == "ann demo: 7.00000000 BTC free, 0.00000000 in margin\n"
    assert run("reset_demo", "ann") == "ann demo: 10.00000000 BTC free, 0.00000000 in margin\n"


def test_an_order_is_cancelled_and_its_margin_is_free_again(ended):
    assert run("cancel", ORDER) == "ann demo: 9.99000000 BTC free, 0.01000000 in margin\n"
    assert Order.objects.get(pk=ORDER).status == "cancelled"
    with pytest.raises(CommandError, match="order_ended: The order is filled or cancelled already"):
        run("cancel", ORDER)


def test_without_an_engine_there_is_no_price_to_close_at(ended):
    with pytest.raises(CommandError, match="price_outdated: The product has no price that is fresh enough"):
        run("close_position", POSITION)
    assert Position.objects.get(pk=POSITION).status == "open"
    assert told() == [("close", "refused", "price_outdated")]


def test_without_an_engine_a_reset_closes_positions_where_they_were_opened(ended):
    assert run("reset_demo", "ann") == "ann demo: 10.00000000 BTC free, 0.00000000 in margin\n"
    position = Position.objects.get(pk=POSITION)
    assert (position.status, position.reason, position.close_price) == ("closed", "manual", position.price)
    assert Order.objects.get(pk=ORDER).status == "cancelled"


def test_a_halted_product_takes_no_orders_until_it_is_resumed(ended):
    assert run("halt", "EUR-USD") == "EUR-USD is halted.\n"
    assert Product.objects.get(name="EUR-USD").halted
    assert load_book().state.terms["EUR-USD"].halted
    assert run("resume", "EUR-USD") == "EUR-USD trades.\n"
    assert not Product.objects.get(name="EUR-USD").halted
    assert not load_book().state.terms["EUR-USD"].halted


def test_a_refusal_is_one_coded_sentence_and_moves_nothing(ann):
    for arguments, sentence in (
        (["deposit", "nobody", "1"], "not_found: There is no user of this name"),
        (["deposit", "ann", "1e3"], "invalid_number: "),
        (["deposit", "ann", "-1"], "invalid_amount: "),
        (["deposit", "ann", "1", "--env", "paper"], "invalid choice: 'paper'"),
        (["withdraw", "ann", "1"], "insufficient_balance: 1.00000000 needed, 0"),
        (["halt", "EUR-XYZ"], "unknown_product: Unknown product"),
        (["cancel", "12"], "invalid_parameter: The id is a UUID"),
        (["close_position", ORDER], "not_found: There is no position with this id"),
        (["reset_demo", "nobody"], "not_found: "),
    ):
        with pytest.raises(CommandError, match=sentence) as caught:
            run(*arguments)
        assert caught.value.returncode == 1
    assert not LedgerEntry.objects.exists()


def test_a_running_engine_does_it_and_the_shell_says_its_answer(working):
    assert run("deposit", "ann", "2") == "ann live: 2.00000000 BTC free, 0.00000000 in margin\n"
    assert run("close_position", POSITION).startswith("ann demo: 9.9")
    assert Position.objects.get(pk=POSITION).status == "closed"
    with pytest.raises(CommandError, match=r"insufficient_balance: 3\.00000000 needed, 2\.00000000"):
        run("withdraw", "ann", "3")
    assert run("halt", "EUR-USD") == "EUR-USD is halted.\n"
    assert working.book.state.terms["EUR-USD"].halted
    assert told() == [("deposit", "done", ""), ("close", "done", ""),
                             ("withdraw", "refused", "insufficient_balance"), ("halt", "done", "")]  # fmt: skip


def test_an_engine_that_does_not_answer_keeps_the_command_and_the_shell_says_so(ann, monkeypatch):
    monkeypatch.setattr(asking, "ENGINE_WAIT_S", 0)
    monkeypatch.setattr(asking, "TRY_S", 0)
    held = lease.take_lease("an engine that does nothing")
    assert held is not None
    with pytest.raises(CommandError, match=r"stays in the inbox, as \d+, and will be done: do not ask again"):
        run("deposit", "ann", "2")
    row = InboxCommand.objects.get()
    assert row.status == "waiting"
    held.release()
    assert asking.apply_here(row, now_ms=1_000)
    assert asking.apply_here(row, now_ms=2_000)
    assert [str(entry.amount) for entry in LedgerEntry.objects.all()] == ["2"]


def test_whoever_was_deposed_in_between_writes_nothing(ann, monkeypatch):
    row = inbox_put("deposit", {"user": "ann", "environment": "live", "amount": "2"}, None)

    def deposed(journal, *arguments):
        raise Fenced

    monkeypatch.setattr(Journal, "write", deposed)
    assert not asking.apply_here(row, now_ms=1_000)
    row.refresh_from_db()
    assert row.status == "waiting"
    assert not Balance.objects.exists()


def test_what_ends_in_the_midst_of_a_deposit_leaves_all_of_it_or_nothing_and_it_is_made_once(ann, monkeypatch):
    points: list[str] = []
    monkeypatch.setattr(journal, "at_point", points.append)
    assert run("deposit", "ann", "2")
    assert {"before_commit", "after_commit"} < set(points)
    for done, point in enumerate(points, start=1):
        row = inbox_put("deposit", {"user": "ann", "environment": "live", "amount": "2"}, None)
        monkeypatch.setattr(journal, "at_point", crash_at(point))
        with pytest.raises(KeyboardInterrupt):
            asking.apply_here(row, now_ms=1_000)
        row.refresh_from_db()
        assert (row.status == "done") == (LedgerEntry.objects.count() == done + 1) == (point == "after_commit"), point
        monkeypatch.setattr(journal, "at_point", crash_at("nowhere"))
        assert asking.apply_here(row, now_ms=2_000)
        assert LedgerEntry.objects.count() == done + 1
    assert Balance.objects.get().cash == 2 * (1 + len(points))


def crash_at(wanted):
    def crash(point):
        if point == wanted:
            raise KeyboardInterrupt

    return crash


def test_what_cannot_be_done_any_more_is_answered_so(ann):
    row = inbox_put("deposit", {"user": "ann", "environment": "live", "amount": "2"}, None)
    ann.delete()
    assert asking.apply_here(row, now_ms=1_000)
    row.refresh_from_db()
    assert (row.status, row.code) == ("refused", "not_found")
    assert not JournalEntry.objects.exists()
