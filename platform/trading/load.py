"""What has the engine committed? Its state, rebuilt from the rows: the same as in the memory of who wrote them."""

import gc
import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from operator import itemgetter
from typing import cast

import msgspec

from engine.commands import PlaceOrder, SetTerms
from engine.events import Order, Position, TermsSet
from engine.placing import fingerprint
from engine.state import MAX_REQUESTS, AccountState, Request, State, count_interest, evolve, levels_of
from engine.triggers import TriggerIndex
from engine.values import AccountId
from trading.book import Book
from trading.entries import entry_read
from trading.snapshot import rows
from trading.trades import CHANGED, MADE, OPEN, PART, money, orders_sql, positions_sql, product_names, trade_of

_SERIAL = "SELECT COALESCE(MAX(serial), 0) FROM trading_journalentry"
_LEDGER_SERIAL = "SELECT COALESCE(MAX(serial), 0) FROM trading_ledgerentry"
_TERMS = "SELECT entry FROM trading_journalentry WHERE kind = 'set_terms' ORDER BY serial"
_BALANCES = "SELECT environment, user_id, cash, margin, log_offset FROM trading_balance ORDER BY id"
_HOUSE = """SELECT environment, place, SUM(change) FROM (
SELECT environment, target AS place, SUM(amount) AS change FROM trading_ledgerentry GROUP BY environment, target
UNION ALL
SELECT environment, source, -SUM(amount) FROM trading_ledgerentry GROUP BY environment, source
) AS changes WHERE place NOT IN ('user.cash', 'user.margin') GROUP BY environment, place ORDER BY environment, place"""

_REQUESTS = """SELECT environment, user_id, client_order_id, entry, code, answer FROM trading_journalentry
WHERE client_order_id IS NOT NULL ORDER BY serial DESC LIMIT %s"""


def load_book() -> Book:
    """Return what the holder of the lease goes on from.

    The journal's end is read first: should an earlier engine's last commit come in meanwhile, the first batch would
    have a serial that is taken, and nothing would be lost.
    """
    with _no_collections():
        book = Book(serial=_number(_SERIAL), ledger_serial=_number(_LEDGER_SERIAL))
        for (entry,) in rows(_TERMS):
            command = cast(SetTerms, entry_read(entry).command)
            evolve(book.state, TermsSet(command.terms))
        _load_accounts(book)
        for environment, place, total in rows(_HOUSE):
            book.state.house[environment, place] = money(int(total))
        _load_trades(book.state)
        for row in reversed(rows(_REQUESTS, MAX_REQUESTS)):
            account = AccountId(row[0], row[1])
            book.state.requests[account, row[2]] = _request(account, *row[3:])
        return book


@contextmanager
def _no_collections() -> Iterator[None]:
    """Leave out the collections of garbage that a million new objects would cause; there is none among them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load_accounts(book: Book) -> None:
    for environment, user, cash, margin, offset in rows(_BALANCES):
        account = AccountId(environment, user)
        book.state.accounts[account] = AccountState(money(cash), money(margin))
        book.offsets[account] = offset


# ---- open trades


def _load_trades(state: State) -> None:
    """Put in the open trades: held in the order in which they were made, watched in that of their last changes."""
    names = product_names()
    stored = sorted(rows(orders_sql(OPEN)) + rows(positions_sql(OPEN)), key=itemgetter(MADE, PART))
    trades = [trade_of(row, names) for row in stored]
    for trade in trades:
        _hold(state, trade)
    for _, trade in sorted(zip(stored, trades, strict=True), key=lambda pair: pair[0][CHANGED]):
        _watch(state, trade)


def _hold(state: State, trade: Order) -> None:
    state.owners[trade.id] = trade.account
    owner = state.accounts[trade.account]
    if isinstance(trade, Position):
        owner.positions[trade.id] = trade
        count_interest(state, trade, trade.amount)
    else:
        owner.orders[trade.id] = trade
        if trade.valid_until_ms is not None:
            heapq.heappush(state.expiries, (trade.valid_until_ms, trade.id))


def _watch(state: State, trade: Order) -> None:
    index = state.triggers.get(trade.product)
    if index is None:
        index = state.triggers[trade.product] = TriggerIndex()
    for price, direction, level in levels_of(trade):
        index.add(price, direction, level, trade.id)


# ---- orders with a client_order_id


class _Placed(msgspec.Struct):
    """An order as it was answered: its prices have the places of the wire."""

    id: str
    product: str
    price: str
    side: str
    leverage: str
    amount: int
    margin: str
    liquidation_price: str
    decay_rate: str
    created_at: int
    take_profit: str | None = None
    stop_loss: str | None = None
    order_type: str = ""
    valid_until: int | None = None


_placed = msgspec.json.Decoder(_Placed)


def _request(account: AccountId, entry: str, code: str, answer: str) -> Request:
    command = cast(PlaceOrder, entry_read(entry).command)
    if code:
        return Request(fingerprint(command), code=code, message=answer)
    return Request(fingerprint(command), _order_placed(command, answer))


def _order_placed(command: PlaceOrder, answer: str) -> Order:
    """Return the order as it was when it was placed, whatever has become of it since."""
    placed = _placed.decode(answer)
    return Order(
        account=command.account, id=placed.id, product=placed.product, side=command.side,
        kind=placed.order_type,  # type: ignore[arg-type]  # our own text
        price=Decimal(placed.price), leverage=Decimal(placed.leverage), amount=placed.amount,
        margin=Decimal(placed.margin), liquidation_price=Decimal(placed.liquidation_price),
        decay_rate=Decimal(placed.decay_rate), created_ms=placed.created_at,
        take_profit=None if placed.take_profit is None else Decimal(placed.take_profit),
        stop_loss=None if placed.stop_loss is None else Decimal(placed.stop_loss),
        valid_until_ms=placed.valid_until, client_order_id=command.client_order_id,
    )  # fmt: skip


def _number(sql: str) -> int:
    [(number,)] = rows(sql)
    return cast(int, number)
