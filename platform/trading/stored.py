"""How does a stored trade become the engine's value of it? Prices get the places back that they had on the wire."""

from decimal import Decimal
from typing import Any

from engine import events
from engine.events import Closing
from engine.values import AccountId
from trading.models import Order, Position, Trade

PERCENT_STEP = Decimal("0.0001")


def order_value(row: Order) -> events.Order:
    """Return an order; its product has to be selected with it."""
    return events.Order(**_shared(row), valid_until_ms=row.valid_until_ms)


def position_value(row: Position) -> events.Position:
    return events.Position(**_shared(row), opened_ms=row.opened_ms, parent_id=str(row.parent_id or ""))


def closing_value(row: Position) -> Closing:
    """Return how a closed position ended."""
    price, pnl, percent, decay, time_ms = row.close_price, row.pnl, row.pnl_percent, row.decay, row.closed_ms
    assert price is not None
    assert pnl is not None
    assert percent is not None
    assert decay is not None
    assert time_ms is not None
    shown = _at_least(price, row.product.digits), pnl, percent.quantize(PERCENT_STEP)
    return Closing(*shown, row.reason, decay, time_ms)  # type: ignore[arg-type]  # reason: one of the field's choices


def _at_least(price: Decimal, places: int) -> Decimal:
    """Return a closing price with its product's digits; one that had more before keeps what it has."""
    exponent = price.as_tuple().exponent
    assert isinstance(exponent, int)
    return price.quantize(Decimal(1).scaleb(min(-places, exponent)))


def _with_places(price: Decimal | None, places: int) -> Decimal | None:
    return None if price is None else price.quantize(Decimal(1).scaleb(-places))


def _shared(row: Trade) -> dict[str, Any]:
    places = [row.price_places // 10**at % 10 for at in (3, 2, 1, 0)]
    return {
        "account": AccountId(row.environment, row.user_id),  # type: ignore[arg-type]  # one of the field's choices
        "id": str(row.pk),
        "product": row.product.name,
        "side": row.side,
        "kind": row.kind,
        "price": _with_places(row.price, places[0]),
        "leverage": row.leverage,
        "amount": row.amount,
        "margin": row.margin,
        "liquidation_price": _with_places(row.liquidation_price, places[1]),
        "take_profit": _with_places(row.take_profit, places[2]),
        "stop_loss": _with_places(row.stop_loss, places[3]),
        "decay_rate": row.decay_rate,
        "created_ms": row.created_ms,
        "updated_ms": row.updated_ms,
        "client_order_id": row.client_order_id,
    }
