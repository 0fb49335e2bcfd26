"""The document's own trade from the order to the balance, byte for byte; and counters without a gap."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Input,
    OpenAccount,
    ResetAccount,
    SetTerms,
    SplitPosition,
    Trigger,
    UpdateTrade,
)
from engine.events import WIRE_NAMES, MoneyMoved
from engine.values import AccountId, Market
from tests.engine import commands as some
from tests.engine import documents
from tests.engine.documents import CLOSED_MS, CREATED_MS, ORDER_UPDATED_MS, POSITION_UPDATED_MS, TRADE_ID, line
from tests.engine.worlds import DEMO, EUR, LIVE, place_order, terms
from trading.book import OWNERS, AccountRow, Book, LoggedEvent


def market(bid, ask):
    return {EUR: Market(Decimal(bid), Decimal(ask))}


AT_ENTRY, AT_EXIT = market("1.26630", "1.26635"), market("1.26995", "1.27000")
OWN: dict[str, Any] = {"account": DEMO, "id": TRADE_ID}
EXITS: dict[str, Any] = {"take_profit": Decimal("1.28898"), "stop_loss": Decimal("1.26477")}


@pytest.fixture
def book():
    """Return a book with the document's product and a demo account, whose log has its first balance."""
    book = Book()
    book.handle(Input(SetTerms(terms=terms()), 0))
    book.handle(Input(OpenAccount(account=DEMO), 0))
    return book


def told(record):
    return [(event.name, event.data) for event in record.log]


def test_the_documents_trade_byte_for_byte(book):
    bought = book.handle(Input(place_order(TRADE_ID), CREATED_MS, AT_ENTRY))
    assert told(bought) == [
        ("order:new", line(documents.ORDER_NEW)),
        ("order:activate", line(documents.ORDER_ACTIVATE)),
        ("position:new", line(documents.POSITION_NEW, opened_at=CREATED_MS)),
        ("balance", line(documents.BALANCE, BTC="6.66666667")),
    ]
    assert bought.answer.text == line(documents.ORDER_NEW)
    sold = book.handle(Input(ClosePosition(**OWN), CLOSED_MS, AT_EXIT))
    assert told(sold) == [
        ("position:close", line(documents.POSITION_CLOSE, opened_at=CREATED_MS)),
        ("balance", line(documents.BALANCE, BTC="12.84281590")),
    ]
    assert sold.answer.text == sold.log[0].data


def test_the_documents_updates_and_cancel_byte_for_byte(book):
    """The document shows a market order's update; one that can be updated is pending, and says so."""
    pending = place_order(TRADE_ID, type="pending", price="1.26635")
    placed = book.handle(Input(pending, CREATED_MS, market("1.26995", "1.27000")))
    own = {"type": "pending", "order_type": "limit"}
    assert told(placed) == [
        ("order:new", line(documents.ORDER_NEW, **own)),
        ("balance", line(documents.BALANCE, BTC="6.66666667")),
    ]
    updated = book.handle(Input(UpdateTrade(**OWN, **EXITS), ORDER_UPDATED_MS))
    assert told(updated) == [("order:update", line(documents.ORDER_UPDATE, **own))]
    assert updated.answer.text == updated.log[0].data
    cancelled = book.handle(Input(CancelOrder(**OWN), ORDER_UPDATED_MS))
    assert told(cancelled) == [
        ("order:cancel", line(documents.ORDER_CANCEL)),
        ("balance", line(documents.BALANCE, BTC="10.00000000")),
    ]
    assert cancelled.answer.text == f'{{"id":"{TRADE_ID}"}}'


def test_a_positions_update_and_split_byte_for_byte(book):
    book.handle(Input(place_order(TRADE_ID), CREATED_MS, AT_ENTRY))
    updated = book.handle(Input(UpdateTrade(**OWN, **EXITS), POSITION_UPDATED_MS, AT_ENTRY))
    assert told(updated) == [("position:update", line(documents.POSITION_UPDATE, opened_at=CREATED_MS))]
    parts: dict[str, Any] = {"first_percent": 40, "first_id": "a", "second_id": "b"}
    split = book.handle(Input(SplitPosition(**OWN, **parts), POSITION_UPDATED_MS))
    first, second = (
        line(documents.POSITION_UPDATE, opened_at=CREATED_MS, id=name, amount=amount, margin=margin, base_size=size)
        for name, amount, margin, size in (("a", 400_000, "1.33333334", "400"), ("b", 600_000, "1.99999999", "600"))
    )
    text = f'{{"parent_id":"{TRADE_ID}","first_position":{first},"second_position":{second}}}'
    assert told(split) == [("position:split", text)]
    assert split.answer.text == f'{{"success":true,"data":{text}}}'


def test_a_trigger_opens_what_was_pending_and_answers_nobody(book):
    book.handle(Input(place_order(TRADE_ID, type="pending", price="1.26635"), CREATED_MS, AT_EXIT))
    filled = book.handle(Input(Trigger(**OWN), documents.OPENED_MS, AT_ENTRY))
    assert told(filled) == [
        ("order:activate", line(documents.ORDER_ACTIVATE)),
        ("position:new", line(documents.POSITION_NEW, type="pending", order_type="limit")),
    ]
    assert filled.answer.text == ""


def test_a_liquidation_in_the_documents_words(book):
    book.handle(Input(place_order(TRADE_ID), CREATED_MS, AT_ENTRY))
    gone = book.handle(Input(Trigger(**OWN), CLOSED_MS, market("1.26354", "1.26360")))
    lost = {"close_price": "1.26354", "pnl": "-3.33333333", "pnl_percent": "-100.0000", "reason": "liquidation"}
    assert told(gone) == [("position:close", line(documents.POSITION_CLOSE, opened_at=CREATED_MS, **lost))]


# ---- records


def test_a_refusal_is_answered_and_leaves_no_record(book):
    record = book.handle(Input(place_order("t1", leverage=0), 0, AT_ENTRY))
    assert (record.serial, record.log, record.accounts) == (0, (), {})
    assert (record.answer.text, record.answer.code) == ("", "leverage_not_allowed")
    assert record.answer.message == "Leverage is 1 to 300, with at most 2 decimal places"
    assert book.handle(Input(place_order("t1"), 0, AT_ENTRY)).serial == 3


def test_a_refused_order_with_a_name_is_recorded_once_and_told_to_no_log(book):
    order = place_order("t1", leverage=0, client_order_id="mine")
    records = [book.handle(Input(order, 0, AT_ENTRY)) for _ in range(2)]
    assert [record.serial for record in records] == [3, 0]
    assert records[0].answer == records[1].answer
    assert records[0].log == ()
    assert (book.offsets[DEMO], book.ledger_serial) == (1, 1)


def test_the_same_order_again_leaves_no_record_and_gets_the_same_answer(book):
    order = place_order("t1", client_order_id="mine")
    first, again = (book.handle(Input(order, now, AT_ENTRY)) for now in (0, 9))
    assert (first.serial, again.serial) == (3, 0)
    assert first.answer == again.answer
    assert again.log == ()


def test_a_record_has_the_account_as_it_is_afterwards_and_its_own_part_of_the_log(book):
    record = book.handle(Input(place_order("t1"), 0, AT_ENTRY))
    assert record.accounts == {DEMO: AccountRow(Decimal("6.66666667"), Decimal("3.33333333"), 5)}
    assert record.log[-1] == LoggedEvent(DEMO, 5, "balance", '{"BTC":"6.66666667"}')
    assert record.ledger_serial == 2


def test_a_reset_is_answered_with_the_balance_also_where_it_closed_something(book):
    book.handle(Input(place_order("t1"), 0, AT_ENTRY))
    assert book.handle(Input(ResetAccount(account=DEMO), 0, AT_EXIT)).answer.text == '{"BTC":"10.00000000"}'


def test_terms_are_recorded_and_touch_no_account():
    record = Book().handle(Input(SetTerms(terms=terms()), 0))
    assert (record.serial, record.log, record.accounts, record.answer.text) == (1, (), {}, "")


def test_every_account_has_its_own_log(book):
    book.handle(Input(OpenAccount(account=LIVE), 0))
    book.handle(Input(place_order("t1"), 0, AT_ENTRY))
    assert book.offsets == {DEMO: 5, LIVE: 1}


# ---- laws


@st.composite
def days(draw):
    """Give commands of three accounts, many of which are refused."""
    steps = []
    for number in range(draw(st.integers(1, 12))):
        order = draw(some.orders(f"t{number}"))
        steps += [
            order,
            *draw(st.lists(some.changes(order.account, order.id, order.product) | some.funds(), max_size=2)),
        ]
    return steps


def played(commands):
    markets = {name: Market(some.price(name, 1000), some.price(name, 1002)) for name in some.PRODUCTS}
    preparations: list[Command] = [SetTerms(terms=terms) for terms in some.TERMS]
    preparations += [OpenAccount(account=account) for account in some.ACCOUNTS]
    book = Book()
    return book, [book.handle(Input(command, now, markets)) for now, command in enumerate([*preparations, *commands])]


@settings(max_examples=40)
@given(days())
def test_serials_and_offsets_are_dense(commands):
    book, records = played(commands)
    kept = [record for record in records if record.serial]
    assert [record.serial for record in kept] == list(range(1, book.serial + 1))
    assert all(record.serial or not record.outcome.events for record in records)
    for account in some.ACCOUNTS:
        log = [event for record in records for event in record.log if event.account == account]
        assert [event.offset for event in log] == list(range(1, book.offsets[account] + 1))
    ledger = 1
    for record in kept:
        assert record.ledger_serial == ledger
        ledger += sum(isinstance(event, MoneyMoved) for event in record.outcome.events)
    assert book.ledger_serial == ledger - 1


@settings(max_examples=40)
@given(days())
def test_a_record_tells_everything_that_changed(commands):
    book, records = played(commands)
    rows: dict[AccountId, AccountRow] = {}
    for record in records:
        assert len(record.log) == sum(type(event) in WIRE_NAMES for event in record.outcome.events)
        rows |= record.accounts
    for account, row in rows.items():
        owner = book.state.accounts[account]
        assert row == AccountRow(owner.cash, owner.margin, book.offsets[account])
    assert rows.keys() == book.state.accounts.keys()


@settings(max_examples=40)
@given(days())
def test_what_is_kept_of_a_day_gives_the_day_again(commands):
    """A journal has only the inputs with a serial; a replay of them must come to the same."""
    book, records = played(commands)
    again = Book()
    kept = [record for record in records if record.serial]
    replayed = [again.handle(record.outcome.entry) for record in kept]
    assert [(r.serial, r.log, r.answer, r.ledger_serial) for r in replayed] == [
        (r.serial, r.log, r.answer, r.ledger_serial) for r in kept
    ]
    assert (again.serial, again.ledger_serial, again.offsets) == (book.serial, book.ledger_serial, book.offsets)


def test_every_event_that_is_told_has_an_owner():
    assert OWNERS.keys() == WIRE_NAMES.keys()
