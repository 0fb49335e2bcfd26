"""An account's stored trades are the engine's values again, to the last digit, each with what became of it."""

from decimal import Decimal
from typing import Any

import pytest

from engine.commands import ClosePosition, EntryType, OpenAccount, PlaceOrder
from engine.events import Closing
from engine.values import AccountId
from market.models import Product
from tests.trading.engines import CREATED_MS, given_quote
from trading.stored import stored_orders, stored_positions
from trading.trades import id_parameter

ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"


@pytest.fixture
def account(ann, engine):
    account = AccountId("demo", ann.pk)
    engine.do(OpenAccount(account=account))
    return account


def place(engine, account, **wishes):
    numbers: dict[str, Any] = {
        key: Decimal(value) if isinstance(value, str) else value for key, value in wishes.items()
    }
    kind: EntryType = "pending" if "price" in wishes else "market"
    command = PlaceOrder(
        account=account, id=ID, product="EUR-USD", side="buy", type=kind, leverage=Decimal(100), amount=1000, **numbers
    )  # fmt: skip
    assert not engine.do(command).code
    return engine.book.state.trade(ID)


@pytest.mark.parametrize(
    "wishes",
    [
        {"price": "1.2"},
        {"price": "1.20000", "take_profit": "1.3", "stop_loss": "1.195"},
        {"price": "1.2", "valid_until_ms": CREATED_MS + 1},
    ],
    ids=["plain", "with exits", "with an end"],
)
def test_an_order_is_as_it_was(engine, account, wishes):
    placed = place(engine, account, **wishes)
    [(stored, status, closing)] = stored_orders(account, "status = %s", "open")
    assert (stored, status, closing) == (placed, "open", None)
    assert str(stored.price) == "1.20000"


def test_a_position_is_as_it_was(engine, account):
    opened = place(engine, account, take_profit="1.5")
    [(stored, status, closing)] = stored_positions(account, "status = %s", "open")
    assert (stored, status, closing) == (opened, "open", None)
    assert (str(stored.price), str(stored.take_profit)) == ("1.26635", "1.50000")
    assert [order.status for order in stored_orders(account, "id = %s", id_parameter(ID))] == ["activated"]


def closed(engine, account):
    place(engine, account)
    given_quote("1.27000", "1.27005")
    engine.now_ms = CREATED_MS + 8 * 3_600_000
    engine.do(ClosePosition(account=account, id=ID))


def the_closing(account):
    [(_, status, closing)] = stored_positions(account, "status = 'closed'")
    assert status == "closed"
    assert closing is not None
    return closing


def test_a_close_is_as_it_was(engine, account):
    closed(engine, account)
    ending = the_closing(account)
    assert ending == Closing(
        Decimal("1.27000"), Decimal("0.00288229"), Decimal("28.8229"), "manual", Decimal("0.0002"), engine.now_ms
    )  # fmt: skip
    assert (str(ending.price), str(ending.pnl_percent)) == ("1.27000", "28.8229")


def test_a_close_at_more_digits_than_the_product_has_now_loses_none(engine, account):
    closed(engine, account)
    Product.objects.filter(name="EUR-USD").update(digits=1)
    assert str(the_closing(account).price) == "1.27"


def test_another_accounts_trades_are_not_found(engine, account):
    place(engine, account)
    for other in (AccountId("live", account.user_id), AccountId("demo", account.user_id + 1)):
        assert stored_positions(other, "status = 'open'") == stored_orders(other, "status = 'activated'") == []
