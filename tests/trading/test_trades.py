"""Stored trades as the engine knew them, to the last digit."""

from decimal import Decimal

import pytest

from engine.wire import trade_object
from tests.trading.books import given_everything
from trading.models import Order, Position
from trading.snapshot import rows
from trading.trades import ENDED, STATUS, closing_of, dashed, orders_sql, positions_sql, product_names, trade_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def history():
    return given_everything()


def test_open_trades_are_what_the_engine_holds(history):
    stored = rows(orders_sql("status = 'open'")) + rows(positions_sql("status = 'open'"))
    trades = [trade_of(row, product_names()) for row in stored]
    held = [history.book.state.trade(trade.id) for trade in trades]
    assert trades == held
    assert [trade_object(trade) for trade in trades] == [trade_object(trade) for trade in held if trade is not None]
    assert len(trades) == len(history.book.state.owners)


def test_how_a_position_ended_is_read(history):
    for row in rows(positions_sql("status = 'closed'")):
        closing, stored = closing_of(row), Position.objects.get(pk=trade_of(row, product_names()).id)
        assert (closing.price, closing.pnl, closing.decay) == (stored.close_price, stored.pnl, stored.decay)
        assert (closing.pnl_percent, closing.reason) == (stored.pnl_percent, stored.reason)
        assert closing.time_ms == row[ENDED] == stored.closed_ms


def test_a_condition_has_parameters(history):
    order = Order.objects.filter(status="cancelled").earliest("pk")
    which = "user_id = %s AND environment = %s"
    found = rows(orders_sql(which), order.user_id, order.environment)
    assert len(found) == Order.objects.filter(user=order.user_id, environment=order.environment).count()
    assert {row[STATUS] for row in found} <= {"open", "activated", "cancelled"}


def test_a_price_with_more_places_than_it_should_have_loses_none(history):
    """Nobody writes such a price but who tampers; what is read has to show it."""
    position = Position.objects.filter(status="open").earliest("pk")
    odd = position.price + Decimal("0.0000000001")
    Position.objects.filter(pk=position.pk).update(price=odd)
    assert odd in [trade_of(row, product_names()).price for row in rows(positions_sql("status = 'open'"))]


def test_a_closing_price_has_its_products_digits_and_more_where_it_needs_them(history):
    row = rows(positions_sql("status = 'closed'"))[0]
    price = closing_of(row).price
    assert str(closing_of(row, 9).price) == f"{price:.9f}"
    assert closing_of(row, 0).price.as_tuple() == price.as_tuple()


def test_ids_have_dashes_whatever_the_database():
    plain = "0a1b2c3d000040008000" + "00000000000a"
    assert dashed(plain) == dashed(dashed(plain)) == "0a1b2c3d-0000-4000-8000-00000000000a"
    assert dashed("") == ""
