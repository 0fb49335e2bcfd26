"""What administrators ask of the engine: what is kept of it, what the engine gets to do, how it is answered."""

import asyncio
import uuid
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async

from accounts.database import released
from accounts.errors import Code
from accounts.models import User
from engine.commands import CancelOrder, ClosePosition, Deposit, OpenAccount, ResetAccount, SetTerms, Withdraw
from engine.funds import MAX_MOVEMENT
from engine.values import AccountId
from market.models import Product
from tests.accounts.callers import all_at_once, refused_with
from tests.market.products import given_products
from tests.threads import in_thread
from tests.trading.inboxes import bought
from trading import live
from trading.inbox import KINDS, commands_of, inbox_answer, inbox_put, inbox_wait, inbox_waiting, told
from trading.live import Answer
from trading.models import InboxCommand

pytestmark = pytest.mark.django_db

TRADE = "0a1b2c3d-0000-4000-8000-000000000001"


@pytest.fixture
def ann(db):
    """Without an engine a test needs no database of its own."""
    return User.objects.create_user("ann")


@pytest.fixture
def chief(db):
    return User.objects.create_user("chief", is_staff=True)


@pytest.fixture
def eur(db):
    given_products()
    return Product.objects.get(name="EUR-USD")


def given_trades(engine, user):
    """Let a demo account have a pending order, a position, and one of each that has ended; return their ids."""
    account = AccountId("demo", user.pk)
    order, position, cancelled, closed = (str(uuid.UUID(int=number)) for number in range(1, 5))
    engine.do(
        OpenAccount(account=account),
        bought(account, order, price="1.2"),
        bought(account, position),
        bought(account, cancelled, price="1.2"),
        CancelOrder(account=account, id=cancelled),
        bought(account, closed),
        ClosePosition(account=account, id=closed),
    )
    return order, position, cancelled, closed


def movement(**params):
    return {"user": "ann", "environment": "live", "amount": "1.5", **params}


# ---- what is kept


def test_a_row_says_who_asked_for_what_and_keeps_the_users_id_beside_the_name(ann, chief):
    row = inbox_put("deposit", movement(), chief)
    row.refresh_from_db()
    assert (row.kind, row.status, row.created_by, row.done_at) == ("deposit", "waiting", chief, None)
    assert row.params == {"user": "ann", "user_id": str(ann.pk), "environment": "live", "amount": "1.5"}


def test_the_shell_is_nobody(ann):
    assert inbox_put("deposit", movement(), None).created_by is None


@pytest.mark.parametrize(
    ("kind", "params", "code"),
    [
        ("deposit", movement(user="bob"), Code.NOT_FOUND),
        ("withdraw", movement(user=""), Code.NOT_FOUND),
        ("deposit", movement(environment="paper"), Code.INVALID_PARAMETER),
        ("deposit", movement(amount="1e3"), Code.INVALID_NUMBER),
        ("withdraw", movement(amount="\uff11"), Code.INVALID_NUMBER),
        ("deposit", movement(amount=""), Code.INVALID_NUMBER),
        ("deposit", movement(amount="NaN"), Code.INVALID_NUMBER),
        ("deposit", movement(amount="0"), Code.INVALID_AMOUNT),
        ("withdraw", movement(amount="-1"), Code.INVALID_AMOUNT),
        ("deposit", movement(amount="0.000000001"), Code.INVALID_AMOUNT),
        ("deposit", movement(amount="21000000.00000001"), Code.INVALID_AMOUNT),
        ("reset", {"user": "ann", "environment": "live"}, Code.NOT_DEMO),
        ("reset", {"user": "bob", "environment": "demo"}, Code.NOT_FOUND),
        ("cancel", {"id": TRADE}, Code.NOT_FOUND),
        ("close", {"id": TRADE}, Code.NOT_FOUND),
        ("cancel", {"id": "EUR-USD"}, Code.INVALID_PARAMETER),
        ("close", {"id": ""}, Code.INVALID_PARAMETER),
        ("halt", {"product": "EUR-XYZ"}, Code.UNKNOWN_PRODUCT),
        ("resume", {"product": "eur-usd"}, Code.UNKNOWN_PRODUCT),
    ],
)
def test_what_no_engine_could_do_is_refused_at_once_and_leaves_no_row(ann, eur, kind, params, code):
    with refused_with(code):
        inbox_put(kind, params, None)
    assert not InboxCommand.objects.exists()


def test_the_largest_and_the_smallest_amount_are_taken(ann):
    for amount in (str(MAX_MOVEMENT), "0.00000001"):
        assert inbox_put("deposit", movement(amount=amount), None).params["amount"] == amount


def test_a_trade_that_has_ended_is_refused_with_its_own_code(engine, ann):
    order, position, cancelled, closed = given_trades(engine, ann)
    for ended in (cancelled, position):  # an order that has become a position is one no more
        with refused_with(Code.ORDER_ENDED):
            inbox_put("cancel", {"id": ended}, None)
    with refused_with(Code.POSITION_CLOSED):
        inbox_put("close", {"id": closed}, None)
    with refused_with(Code.NOT_FOUND):
        inbox_put("close", {"id": order}, None)


def test_the_same_form_twice_is_one_row(ann, chief):
    first = inbox_put("deposit", movement(), chief, once="5f1d")
    assert inbox_put("deposit", movement(), chief, once="5f1d") == first
    assert inbox_put("deposit", movement(), chief, once="77aa") != first
    assert inbox_put("deposit", movement(), ann, once="5f1d") != first
    assert InboxCommand.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_form_many_times_at_once_is_one_row(ann, chief):
    rows = all_at_once(8, lambda: inbox_put("deposit", movement(), chief, once="5f1d"))
    assert {row.pk for row in rows} == {InboxCommand.objects.get().pk}


# ---- what the engine gets to do


@pytest.mark.parametrize(
    ("kind", "environment", "command"),
    [
        ("deposit", "live", lambda account: Deposit(account=account, amount=Decimal("1.5"))),
        ("withdraw", "demo", lambda account: Withdraw(account=account, amount=Decimal("1.5"))),
        ("reset", "demo", lambda account: ResetAccount(account=account)),
    ],
)
def test_money_moves_in_an_account_that_is_opened_first(ann, kind, environment, command):
    account = AccountId(environment, ann.pk)
    row = inbox_put(kind, movement(environment=environment), None)
    assert commands_of(row) == (OpenAccount(account=account), command(account))


def test_a_trade_is_ended_in_its_owners_name(engine, ann):
    order, position, *_ = given_trades(engine, ann)
    account = AccountId("demo", ann.pk)
    cancel, close = inbox_put("cancel", {"id": order.upper()}, None), inbox_put("close", {"id": position}, None)
    assert commands_of(cancel) == (CancelOrder(account=account, id=order),)
    assert commands_of(close) == (ClosePosition(account=account, id=position),)


def test_halting_saves_the_product_and_tells_the_engine_all_its_terms(eur):
    halt = inbox_put("halt", {"product": "EUR-USD"}, None)
    Product.objects.filter(pk=eur.pk).update(max_leverage=7)  # meanwhile, by somebody else
    (command,) = commands_of(halt)
    eur.refresh_from_db()
    assert (eur.halted, eur.max_leverage) == (True, 7)
    assert command == SetTerms(terms=eur.terms())
    (command,) = commands_of(inbox_put("resume", {"product": "EUR-USD"}, None))
    eur.refresh_from_db()
    assert not eur.halted
    assert command == SetTerms(terms=eur.terms())


def test_a_name_that_changed_hands_takes_no_money_with_it(ann):
    row = inbox_put("deposit", movement(), None)
    User.objects.filter(pk=ann.pk).update(username="anna")
    User.objects.create_user("ann")
    assert commands_of(row)[1] == Deposit(account=AccountId("live", ann.pk), amount=Decimal("1.5"))


def test_whoever_is_gone_is_refused(ann, eur):
    deposit, halt = inbox_put("deposit", movement(), None), inbox_put("halt", {"product": "EUR-USD"}, None)
    ann.delete()
    eur.delete()
    with refused_with(Code.NOT_FOUND):
        commands_of(deposit)
    with refused_with(Code.UNKNOWN_PRODUCT):
        commands_of(halt)


def test_the_engine_does_whatever_can_be_asked_for(engine, ann):
    order, position, *_ = given_trades(engine, ann)
    params = {**movement(environment="demo"), "product": "EUR-USD"}
    trades = {"cancel": order, "close": position}
    for kind in sorted(KINDS, key="reset".__eq__):  # which leaves nothing to be ended
        row = inbox_put(kind, {**params, "id": trades.get(kind, "")}, None)
        assert engine.do(*commands_of(row)).code == "", kind


# ---- answers


def test_the_oldest_come_first_and_the_answered_not_again(ann):
    rows = [inbox_put("deposit", movement(), None) for _ in range(4)]
    assert inbox_answer(rows[1].pk, Answer('{"BTC":"1.50000000"}'))
    assert inbox_waiting(2) == [rows[0], rows[2]]
    assert inbox_waiting(9) == [rows[0], rows[2], rows[3]]


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Answer('{"BTC":"1.50000000"}'), "done", "done"),
        (Answer(code="insufficient_balance", message="5 needed, 1 available"), "refused",
         "insufficient_balance: 5 needed, 1 available"),
        (Answer(code="halted"), "refused", "halted: Trading in the product is halted"),
    ],
    ids=["done", "refused with words", "refused without"],
)  # fmt: skip
def test_a_row_is_answered_once(ann, answer, status, words):
    row = inbox_put("withdraw", movement(), None)
    assert told(row) == "waits for the engine"
    assert inbox_answer(row.pk, answer)
    row.refresh_from_db()
    first = (row.status, row.code, row.answer, row.done_at)
    assert first[:3] == (status, answer.code, answer.text or answer.message)
    assert row.done_at is not None
    assert told(row) == words
    assert not inbox_answer(row.pk, Answer("another"))
    row.refresh_from_db()
    assert (row.status, row.code, row.answer, row.done_at) == first


def test_whoever_waits_has_the_rows_as_soon_as_all_are_answered(ann):
    rows = [inbox_put("deposit", movement(), None) for _ in range(2)]
    assert [row.status for row in inbox_wait([row.pk for row in rows], 0)] == ["waiting", "waiting"]
    for row in rows:
        inbox_answer(row.pk, Answer("{}"))
    assert [row.status for row in inbox_wait([row.pk for row in rows], 3600)] == ["done", "done"]
    assert inbox_wait([], 3600) == []


# ---- the engine is told


@pytest.mark.django_db(transaction=True)
async def test_the_engine_is_told_on_the_loop_of_the_server_that_a_view_runs_beside(monkeypatch):
    told_on = []
    monkeypatch.setattr(live, "tell_inbox", lambda: told_on.append((asyncio.get_running_loop(), "row")))
    await in_thread(User.objects.create_user, "ann")
    row = await sync_to_async(released)(lambda: inbox_put("deposit", movement(), None))
    assert told_on == [(asyncio.get_running_loop(), "row")]
    assert await in_thread(inbox_waiting, 1) == [row]


@pytest.mark.django_db(transaction=True)
def test_a_row_stays_though_nobody_could_be_told(ann, monkeypatch):
    def broken():
        raise OSError("no way")

    monkeypatch.setattr(live, "tell_inbox", broken)
    row = inbox_put("deposit", movement(), None)
    assert inbox_waiting(9) == [row]
