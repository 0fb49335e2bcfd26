"""What is read is what the engine has: orders, positions, money, the log, all in the wire's own words."""

import itertools
import json
import random
import threading
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from accounts.database import released
from accounts.errors import Code
from engine.commands import (
    CancelOrder,
    ClosePosition,
    Deposit,
    EntryType,
    OpenAccount,
    PlaceOrder,
    SplitPosition,
    UpdateTrade,
)
from engine.values import AccountId
from engine.wire import trade_object
from market.models import Product
from tests.accounts.callers import refused_with
from tests.trading.engines import CLOSED_MS, CREATED_MS, OPENED_MS, SmallEngine, given_quote
from trading import selectors
from trading.immutable import unguarded
from trading.models import AccountEvent, EngineLease
from trading.snapshot import snapshot as one_moment

NEVER = 10**15


class Book:
    """What a test wants of an account: orders by name, closes, splits; each gives the trade's id."""

    def __init__(self, engine: SmallEngine, account: AccountId) -> None:
        self.engine, self.account = engine, account
        engine.do(OpenAccount(account=account))

    def place(self, *, product="EUR-USD", amount=1000, leverage=100, side="buy", **wishes):
        identifier = str(uuid.uuid4())
        kind: EntryType = "pending" if "price" in wishes else "market"
        numbers: dict[str, Any] = {name: Decimal(value) if name in EXITS else value for name, value in wishes.items()}
        answer = self.engine.do(
            PlaceOrder(
                account=self.account, id=identifier, product=product, side=side, type=kind,
                leverage=Decimal(leverage), amount=amount, **numbers,
            )
        )  # fmt: skip
        assert not answer.code or "client_order_id" in wishes, answer
        return identifier

    def close(self, identifier):
        self.engine.do(ClosePosition(account=self.account, id=identifier))

    def cancel(self, identifier):
        self.engine.do(CancelOrder(account=self.account, id=identifier))

    def split(self, identifier):
        parts = str(uuid.uuid4()), str(uuid.uuid4())
        self.engine.do(
            SplitPosition(account=self.account, id=identifier, first_percent=40, first_id=parts[0], second_id=parts[1])
        )
        return parts

    @property
    def state(self):
        return self.engine.book.state.accounts[self.account]


EXITS = ("price", "take_profit", "stop_loss")


@pytest.fixture
def demo(ann, engine):
    return Book(engine, AccountId("demo", ann.pk))


# ---- the law


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_is_what_the_engine_has(engine, ann, bob, seed):
    dice = random.Random(seed)
    books = [Book(engine, AccountId("demo", user.pk)) for user in (ann, bob)]
    for _ in range(80):
        engine.now_ms += dice.randrange(1, 40_000_000)
        _something(dice, dice.choice(books))
    for book in books:
        orders, positions = (
            [trade_object(trade) for trade in trades.values()] for trades in (book.state.orders, book.state.positions)
        )
        offset, text = selectors.snapshot(book.account)
        assert sorted(selectors.open_orders(book.account, 1000)) == sorted(orders)
        assert sorted(selectors.open_positions(book.account, 1000)) == sorted(positions)
        assert json.loads(text) == {
            "orders": [json.loads(order) for order in selectors.open_orders(book.account, 1000)],
            "positions": [json.loads(position) for position in selectors.open_positions(book.account, 1000)],
            "balances": {"BTC": f"{book.state.cash:.8f}"},
        }
        log = selectors.page(book.account, 0, 10_000)
        assert [event.offset for event in log] == list(range(1, offset + 1))
        closed = [event.data for event in log if event.name == "position:close"]
        assert sorted(selectors.closed_positions(book.account, "", NEVER, 1000)) == sorted(closed)
        assert closed


def _something(dice, book):
    """Do one thing of all that can be done, to a trade that is open."""
    middle = Decimal(dice.randrange(125_000, 128_000)).scaleb(-5)
    choices = [*book.state.positions] or [*book.state.orders]
    match dice.randrange(7):
        case 0 | 1:
            wishes = {"take_profit": middle + 1} if dice.random() < 0.5 else {}
            given_quote(str(middle), str(middle + Decimal("0.00005")))
            book.place(amount=dice.randrange(2, 2000), leverage=dice.choice(("7", "12.5", "100")), **wishes)
        case 2:
            low = middle - Decimal("0.01")
            book.engine.do(
                PlaceOrder(
                    account=book.account, id=str(uuid.uuid4()), product="EUR-USD", side=dice.choice(("buy", "sell")),
                    type="pending", leverage=Decimal(50), amount=dice.randrange(1, 2000), price=low,
                    valid_until_ms=NEVER - 1 if dice.random() < 0.5 else None,
                    client_order_id=str(dice.random()) if dice.random() < 0.5 else "",
                )
            )  # fmt: skip
        case 3 if choices:
            book.close(dice.choice(choices))
        case 4 if choices:
            book.split(dice.choice(choices))
        case 5 if choices:
            trade = book.engine.book.state.trade(dice.choice(choices))
            margin = trade.margin + Decimal("0.00000007") if trade else None
            book.engine.do(UpdateTrade(account=book.account, id=trade.id, margin=margin, stop_loss=Decimal(0)))
        case _:
            book.engine.quote(str(middle), str(middle + Decimal("0.00005")))


# ---- an account that was never used


def test_an_account_that_was_never_used_reads_as_it_will_be_opened(ann, engine):
    demo, live = AccountId("demo", ann.pk), AccountId("live", ann.pk)
    empty = '{"orders":[],"positions":[],"balances":'
    assert selectors.snapshot(demo) == (0, f'{empty}{{"BTC":"10.00000000"}}}}')
    assert selectors.snapshot(live) == (0, f'{empty}{{"BTC":"0.00000000"}}}}')
    assert selectors.page(demo, 0, 10) == []
    assert selectors.head([demo, live])[1] == {demo: 0, live: 0}
    assert selectors.summary(demo, {}).equity == 10
    assert selectors.transactions(demo, "", NEVER, 10) == []


# ---- the log


def test_a_page_is_what_comes_behind_an_offset(demo):
    identifier = demo.place()
    events = selectors.page(demo.account, 1, 3)
    assert [(event.offset, event.name) for event in events] == [
        (2, "order:new"), (3, "order:activate"), (4, "position:new"),
    ]  # fmt: skip
    assert {(event.environment, event.user_id) for event in events} == {("demo", demo.account.user_id)}
    assert events[1].data == f'{{"id":"{identifier}","product":"EUR-USD"}}'
    assert [event.offset for event in selectors.page(demo.account, 4, 100)] == [5]
    assert selectors.page(demo.account, 5, 100) == []


def test_the_heads_are_of_the_accounts_asked_for(demo, ann, bob, django_assert_num_queries):
    demo.place()
    with django_assert_num_queries(2):
        epoch, heads = selectors.head([demo.account, AccountId("live", ann.pk), AccountId("demo", bob.pk)])
    assert list(heads.values()) == [5, 0, 0]
    assert epoch == str(EngineLease.objects.get().epoch)


def test_a_log_is_resumable_behind_any_of_its_offsets(demo):
    demo.place()
    epoch, _ = selectors.head([])
    assert [selectors.resumable(demo.account, after, epoch) for after in range(-1, 8)] == [
        False, True, True, True, True, True, True, False, False,
    ]  # fmt: skip


def test_what_is_committed_meanwhile_does_not_keep_a_log_from_being_resumable(demo):
    epoch, _ = selectors.head([])
    for number in range(5):
        after = selectors.head([demo.account])[1][demo.account]
        with connection.execute_wrapper(before_query(number, demo.place)):
            assert selectors.resumable(demo.account, after, epoch)


def before_query(number, act):
    """Return a wrapper that lets something happen right before a query, counted from 0."""
    queries = itertools.count()

    def wrapper(execute, *query):
        if next(queries) == number:
            elsewhere = threading.Thread(target=released, args=(act,))
            elsewhere.start()
            elsewhere.join()
        return execute(*query)

    return wrapper


def test_another_history_is_not_resumable(demo):
    assert not selectors.resumable(demo.account, 0, str(uuid.uuid4()))
    assert not selectors.resumable(demo.account, 0, "")


def test_what_is_older_than_the_retention_by_the_logs_own_clock_is_not_resumable(demo):
    week_ms = 7 * 86_400_000
    demo.engine.now_ms = CREATED_MS + week_ms
    demo.place()
    epoch, _ = selectors.head([])
    assert selectors.resumable(demo.account, 0, epoch)
    demo.engine.now_ms += 1
    Book(demo.engine, AccountId("live", demo.account.user_id))
    assert not selectors.resumable(demo.account, 0, epoch)
    assert selectors.resumable(demo.account, 1, epoch)


def test_a_log_with_a_hole_is_not_resumable_before_it(demo):
    demo.place()
    epoch, _ = selectors.head([])
    with unguarded():
        AccountEvent.objects.filter(offset=3).delete()
    assert not selectors.resumable(demo.account, 2, epoch)
    assert selectors.resumable(demo.account, 3, epoch)


def test_what_is_read_in_one_moment_is_of_that_moment_and_holds_up_no_writer(demo):
    demo.place()

    def read():
        return (
            selectors.head([demo.account]),
            selectors.open_positions(demo.account, 9),
            selectors.balances(demo.account),
        )

    def write():
        demo.place()
        connections.close_all()

    with one_moment():
        before = read()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(30)
        assert not writer.is_alive()
        assert read() == before
    (_, heads), positions, _ = read()
    assert (heads[demo.account], len(before[1]), len(positions)) == (9, 1, 2)


# ---- lists


def ids(texts):
    return [json.loads(text)["id"] for text in texts]


def test_what_is_open_is_listed_newest_first(demo):
    placed = []
    for minute in range(3):
        demo.engine.now_ms = CREATED_MS + 60_000 * minute
        placed.append((demo.place(price="1.2"), demo.place()))
    orders, positions = zip(*reversed(placed), strict=True)
    assert ids(selectors.open_orders(demo.account, 100)) == list(orders)
    assert ids(selectors.open_positions(demo.account, 100)) == list(positions)
    assert ids(selectors.open_orders(demo.account, 2)) == list(orders[:2])
    assert ids(selectors.open_positions(demo.account, 1)) == list(positions[:1])


def test_history_is_of_one_product_or_all_and_before_a_time(demo):
    given_quote("3916.3", "3917.0", "BTC-USD")
    closed = []
    for minute, product in enumerate(("EUR-USD", "BTC-USD", "EUR-USD")):
        demo.engine.now_ms = CREATED_MS + 60_000 * minute
        closed.append(demo.place(product=product, leverage=10))
        demo.close(closed[-1])
    last, first = closed[::-1], closed[0]
    history = selectors.closed_positions
    assert ids(history(demo.account, "", NEVER, 100)) == last
    assert ids(history(demo.account, "", NEVER, 2)) == last[:2]
    assert ids(history(demo.account, "eurusd", NEVER, 100)) == [last[0], first]
    assert ids(history(demo.account, "BTC-USD", NEVER, 100)) == [closed[1]]
    assert ids(history(demo.account, "", CREATED_MS + 60_000, 100)) == [first]
    Product.objects.filter(name="BTC-USD").update(enabled=False)
    assert ids(history(demo.account, "btc-usd", NEVER, 100)) == [closed[1]]


@pytest.mark.parametrize("name", ["NOSUCH", "\0", "\u0130", "x" * 500])
def test_history_of_no_product_is_refused(demo, name):
    with refused_with(Code.UNKNOWN_PRODUCT):
        selectors.closed_positions(demo.account, name, NEVER, 100)


def test_transactions_are_deposits_and_withdrawals(ann, engine):
    live = AccountId("live", ann.pk)
    engine.fund(live, "0.2")
    engine.now_ms = OPENED_MS
    engine.do(Deposit(account=live, amount=Decimal(3)))
    deposits = [
        {"asset": "BTC", "amount": "3.00000000", "type": "deposit", "timestamp": OPENED_MS},
        {"asset": "BTC", "amount": "0.20000000", "type": "deposit", "timestamp": CREATED_MS},
    ]
    assert selectors.transactions(live, "", NEVER, 100) == selectors.transactions(live, "deposit", NEVER, 9) == deposits
    assert selectors.transactions(live, "withdraw", NEVER, 100) == []
    assert selectors.transactions(live, "", OPENED_MS, 100) == deposits[1:]
    assert selectors.transactions(live, "", NEVER, 1) == deposits[:1]


# ---- what became of an order


def became(book, **which):
    return json.loads(selectors.outcome(book.account, **which))


def test_what_became_of_an_order_is_told_by_its_id(demo):
    pending, cancelled, opened, closed, parent = demo.place(price="1.2"), demo.place(price="1.2"), *(
        demo.place() for _ in range(3)
    )  # fmt: skip
    demo.cancel(cancelled)
    demo.engine.now_ms = CLOSED_MS
    demo.close(closed)
    part, _ = demo.split(parent)
    shapes = {name: became(demo, id=name) for name in (pending, cancelled, opened, closed, parent, part)}
    assert [(shape["status"], *list(shape)[1:]) for shape in shapes.values()] == [
        ("pending", "order"), ("cancelled", "order"), ("open", "order", "position"), ("closed", "order", "position"),
        ("split", "order", "position"), ("open", "position"),
    ]  # fmt: skip
    assert shapes[closed]["position"]["closed_at"] == CLOSED_MS
    assert "closed_at" not in shapes[opened]["position"]
    assert shapes[pending]["order"] == json.loads(selectors.open_orders(demo.account, 1)[0])


def test_what_became_of_an_order_is_told_by_the_name_it_was_given(demo):
    identifier = demo.place(client_order_id="a")
    assert became(demo, client_order_id="a") == became(demo, id=identifier)
    demo.place(client_order_id="b", leverage=1, amount=100_000)
    assert became(demo, client_order_id="b") == {
        "status": "refused",
        "code": "insufficient_balance",
        "message": "100.00000000 needed, 9.99000000 available",
    }


def test_what_is_anothers_became_of_nothing(demo, bob):
    identifier = demo.place(client_order_id="a")
    for account in (AccountId("live", demo.account.user_id), AccountId("demo", bob.pk)):
        for which in ({"id": identifier}, {"client_order_id": "a"}):
            with refused_with(Code.NOT_FOUND):
                selectors.outcome(account, **which)


# ---- worth


def test_an_account_is_worth_its_cash_its_margin_and_what_closing_would_bring(demo):
    demo.place(amount=1_000_000, leverage=300)
    quote = given_quote("1.26995", "1.27000")
    worth = selectors.summary(demo.account, {"EUR-USD": quote})
    assert (worth.balance, worth.margin) == (Decimal("6.66666667"), Decimal("3.33333333"))
    assert worth.unrealised_pnl == Decimal("2.84281590")
    assert worth.equity == Decimal("12.84281590")


def test_a_position_without_a_quote_counts_as_it_was_opened(demo):
    demo.place(amount=1_000_000, leverage=300)
    assert selectors.summary(demo.account, {}).equity == 10


def test_a_position_never_counts_as_less_than_nothing(demo):
    demo.place(amount=1_000_000, leverage=300)
    demo.place(amount=1_000_000, leverage=300, side="sell")
    quote = given_quote("1.00000", "1.00005")
    worth = selectors.summary(demo.account, {"EUR-USD": quote})
    gain = Decimal("210.25823260")
    assert worth.unrealised_pnl == gain - Decimal("3.33333333")
