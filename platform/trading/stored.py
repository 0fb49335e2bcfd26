"""Which trades of an account are stored? A few at a time, as the engine's values, each with what became of it."""

from collections.abc import Iterable
from typing import NamedTuple

from engine.events import Closing, Order
from engine.values import AccountId
from market.models import Product
from trading.snapshot import rows
from trading.tables import Row
from trading.trades import PRODUCT, STATUS, closing_of, orders_sql, positions_sql, trade_of

_OF_ACCOUNT = "user_id = %s AND environment = %s AND "


class Stored(NamedTuple):
    """An order or a position; `closing` is how one with the status `closed` ended."""

    trade: Order
    status: str
    closing: Closing | None


def stored_orders(account: AccountId, which: str, *parameters: int | str) -> list[Stored]:
    """Return the account's orders that a condition names; an order of rows and a limit may follow it."""
    return _stored(rows(orders_sql(_OF_ACCOUNT + which), account.user_id, account.environment, *parameters))


def stored_positions(account: AccountId, which: str, *parameters: int | str) -> list[Stored]:
    return _stored(rows(positions_sql(_OF_ACCOUNT + which), account.user_id, account.environment, *parameters))


def _stored(found: list[Row]) -> list[Stored]:
    names, digits = _products({row[PRODUCT] for row in found})
    return [
        Stored(
            trade_of(row, names),
            row[STATUS],
            closing_of(row, digits[row[PRODUCT]]) if row[STATUS] == "closed" else None,
        )
        for row in found
    ]


def _products(keys: Iterable[int]) -> tuple[dict[int, str], dict[int, int]]:
    products = list(Product.objects.filter(pk__in=keys).values_list("pk", "name", "digits"))
    return {key: name for key, name, _ in products}, {key: digits for key, _, digits in products}
