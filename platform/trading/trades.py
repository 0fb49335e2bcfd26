"""How does a stored order or position become the engine's again? To the last digit of what was told of it."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection

from engine.events import Closing, Order, Position
from engine.values import AccountId
from market.fields import MONEY_PLACES, PLACES, from_scaled
from market.models import Product
from trading.tables import Row

_SQL = """SELECT made_serial, {part}, changed_serial, status, environment, user_id, {id}, product_id, side, kind,
amount, decay_rate, created_ms, client_order_id, leverage, margin, updated_ms, price_places, price, liquidation_price,
take_profit, stop_loss, {rest} FROM {table} WHERE {which}"""

MADE, PART, CHANGED, STATUS, PRODUCT, PRICE_PLACES, ENDED = 0, 1, 2, 3, 7, 17, -1
"""Where in a row these columns are."""
ENDING = slice(-6, -1)
"""Where in a position's row is how it ended."""

OPEN = "status = 'open'"


def orders_sql(which: str) -> str:
    """Return the query of the orders that a condition names."""
    return _SQL.format(part=0, id=id_column("id"), rest="valid_until_ms, ended_ms", table="trading_order", which=which)


def positions_sql(which: str) -> str:
    rest = f"opened_ms, {id_column('parent_id')}, close_price, pnl, pnl_percent, decay, reason, closed_ms"
    return _SQL.format(part="part", id=id_column("id"), rest=rest, table="trading_position", which=which)


def id_column(name: str) -> str:
    """Return how to read an id as text."""
    return f"{name}::text" if connection.vendor == "postgresql" else name


def id_parameter(identifier: str) -> str:
    """Return an id as the database compares it; SQLite has it without dashes."""
    return identifier if connection.vendor == "postgresql" else identifier.replace("-", "")


def product_names() -> dict[int, str]:
    return dict(Product.objects.values_list("pk", "name"))


def trade_of(row: Row, products: Mapping[int, str]) -> Order:
    """Return the order or position of a row; those of a position are longer."""
    (
        _, _, _, _, environment, user, identifier, product, side, kind, amount, decay_rate, created_ms, client_order_id,
        leverage, margin, updated_ms, places, price, liquidation_price, take_profit, stop_loss, *rest,
    ) = row  # fmt: skip
    price_places, liquidation_places, profit_places, loss_places = _PLACES[places]
    shared: dict[str, Any] = {
        "account": AccountId(environment, user),
        "id": dashed(identifier),
        "product": products[product],
        "side": side,
        "kind": kind,
        "amount": amount,
        "decay_rate": _plain_number(decay_rate),
        "created_ms": created_ms,
        "client_order_id": client_order_id,
        "leverage": _plain_number(leverage),
        "margin": money(margin),
        "updated_ms": updated_ms,
        "price": _price(price, price_places),
        "liquidation_price": _price(liquidation_price, liquidation_places),
        "take_profit": None if take_profit is None else _price(take_profit, profit_places),
        "stop_loss": None if stop_loss is None else _price(stop_loss, loss_places),
    }
    if len(rest) == 2:
        return Order(**shared, valid_until_ms=rest[0])
    return Position(**shared, opened_ms=rest[0], parent_id=dashed(rest[1] or ""))


def closing_of(row: Row, digits: int = 0) -> Closing:
    """Return how a closed position ended; the price has its product's digits, or more where it needs them."""
    price, pnl, pnl_percent, decay, reason = row[ENDING]
    return Closing(
        _at_least(from_scaled(price), digits), money(pnl), Decimal(pnl_percent).scaleb(-4), reason, money(decay),
        row[ENDED],
    )  # fmt: skip


def _at_least(price: Decimal, digits: int) -> Decimal:
    places = -price.as_tuple().exponent  # type: ignore[operator]  # a stored price is finite
    return price if places >= digits else price.quantize(Decimal(1).scaleb(-digits))


class _Places(dict[int, tuple[int, int, int, int]]):
    """`price_places` -> the decimal places of the four prices."""

    def __missing__(self, digits: int) -> tuple[int, int, int, int]:
        first, second, third, fourth = (digits // 10**at % 10 for at in (3, 2, 1, 0))
        self[digits] = first, second, third, fourth
        return self[digits]


_PLACES = _Places()


def _price(scaled: int, places: int) -> Decimal:
    whole, rest = divmod(scaled, 10 ** (PLACES - places))
    return Decimal(scaled).scaleb(-PLACES) if rest else Decimal(whole).scaleb(-places)


def money(scaled: int) -> Decimal:
    return Decimal(scaled).scaleb(-MONEY_PLACES)


@lru_cache(1_000)
def _plain_number(scaled: int) -> Decimal:
    return Decimal(scaled).scaleb(-PLACES)


def dashed(stored: str) -> str:
    """Return an id as the engine spells it; SQLite leaves out the dashes."""
    if len(stored) != 32:
        return stored
    return f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}"
