"""What has become of an account? Reads of what the engine has committed, for REST and the private channels.

All of them are for threads. Trades come as the wire's own objects, JSON text. An account that was never used reads as
it will be when it is opened.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from accounts.errors import Code, Refused
from engine.checks import MAX_TRADES
from engine.commands import CancelOrder, ClosePosition, Command, PlaceOrder, SplitPosition, UpdateTrade
from engine.events import Order as OrderValue
from engine.funds import opening_cash
from engine.margin import pnl_of
from engine.placing import fingerprint
from engine.values import AccountId, Quote
from engine.wire import CURRENCY, money, trade_object
from market.models import Product
from streaming.messages import PrivateEvent
from trading.entries import entry_read
from trading.live import Answer
from trading.models import AccountEvent, Balance, JournalEntry, LedgerEntry, Order, Position
from trading.snapshot import rows as rows_in
from trading.snapshot import snapshot as one_moment
from trading.stored import Stored, stored_orders, stored_positions
from trading.tables import BALANCES, LEASE_TABLE
from trading.trades import id_parameter

EVENT_RETENTION_MS = 7 * 86_400_000
"""How far back a stream can be resumed; older events stay in the log all the same."""

MAX_ROWS = 100
"""Rows in one answer of REST (the vendor's own bound)."""

_OFFSETS = f"SELECT environment, user_id, log_offset FROM {BALANCES.name} WHERE user_id IN"  # noqa: S608  # our own name
_EPOCH = f"SELECT epoch FROM {LEASE_TABLE} WHERE id = 1"  # noqa: S608  # our own name

TRANSACTIONS: Mapping[str, str] = {"deposit": "deposit", "withdraw": "withdrawal"}
"""What REST calls a movement -> what the ledger calls it."""


# ---- the account's log


def head(accounts: Iterable[AccountId]) -> tuple[str, dict[AccountId, int]]:
    """Return the epoch of the logs and the newest offset of each account's, whatever their number in two queries."""
    asked = list(accounts)
    users = {account.user_id for account in asked}
    if not users:
        return _epoch(), {}
    # Without the ORM: each process asks five times a second.
    found = rows_in(f"{_OFFSETS} ({', '.join(['%s'] * len(users))})", *users)
    offsets = {(environment, user): offset for environment, user, offset in found}
    return _epoch(), {account: offsets.get(account, 0) for account in asked}


def page(account: AccountId, after: int, limit: int) -> list[PrivateEvent]:
    """Return the events behind an offset, oldest first."""
    rows = _of(AccountEvent, account).filter(offset__gt=after).order_by("offset")[:limit]
    return [PrivateEvent(*account, row.offset, row.name, row.data) for row in rows]


def resumable(account: AccountId, after: int, epoch: str) -> bool:
    """Tell whether exactly what came behind an offset can be given: this history's, not older than the retention."""
    offset = _offset(account)  # once: it may grow at any moment
    if epoch != _epoch() or not 0 <= after <= offset:
        return False
    if after == offset:
        return True
    first_missed = _of(AccountEvent, account).filter(offset=after + 1).first()
    if first_missed is None:
        return False
    # By the log's own clock, which in a replay is another year's.
    newest_ms: int = AccountEvent.objects.order_by("-pk").values_list("time_ms", flat=True)[0]
    age_ms: int = newest_ms - first_missed.time_ms
    return age_ms <= EVENT_RETENTION_MS


def snapshot(account: AccountId) -> tuple[int, str]:
    """Return an account as it is, `{"orders","positions","balances"}`, and the offset of the last event in it."""
    with one_moment():
        offset = _offset(account)
        orders, positions = open_orders(account, MAX_TRADES), open_positions(account, MAX_TRADES)
        money_text = balances(account)
    return offset, f'{{"orders":{array(orders)},"positions":{array(positions)},"balances":{money_text}}}'


def _epoch() -> str:
    found = rows_in(_EPOCH)
    return str(uuid.UUID(str(found[0][0]))) if found else ""


def _offset(account: AccountId) -> int:
    return _of(Balance, account).values_list("log_offset", flat=True).first() or 0


# ---- what is open, and what was


def open_orders(account: AccountId, limit: int) -> list[str]:
    """Return the pending orders, newest first."""
    return _objects(stored_orders(account, "status = 'open' ORDER BY created_ms DESC, id DESC LIMIT %s", limit))


def open_positions(account: AccountId, limit: int) -> list[str]:
    """Return the open positions, the latest opened first."""
    return _objects(stored_positions(account, "status = 'open' ORDER BY opened_ms DESC, id DESC LIMIT %s", limit))


def closed_positions(account: AccountId, product: str, before_ms: int, limit: int) -> list[str]:
    """Return positions closed before a time, the latest first; of one product, or (`""`) of all.

    Raises `Refused` (UNKNOWN_PRODUCT).
    """
    which, of = "status = 'closed' AND closed_ms < %s", [before_ms]
    if product:
        which, of = f"{which} AND product_id = %s", [before_ms, _product(product).pk]
    return _objects(stored_positions(account, f"{which} ORDER BY closed_ms DESC, id DESC LIMIT %s", *of, limit))


def _objects(found: Iterable[Stored]) -> list[str]:
    return [trade_object(trade, closing) for trade, _, closing in found]


def _product(text: str) -> Product:
    """Return the product of any spelling, one that is not traded any more too."""
    name = text.upper()
    row = None
    if name.isascii() and name.isprintable():  # PostgreSQL does not even take a NUL to compare with
        row = Product.objects.filter(Q(name=name) | Q(symbol=name.replace("-", ""))).first()
    if row is None:
        raise Refused(Code.UNKNOWN_PRODUCT)
    return row


def outcome(account: AccountId, *, id: str = "", client_order_id: str = "") -> str:
    """Return what became of an order by its id or its `client_order_id`, `{"status","order","position"}`.

    `status` is refused (then with `code` and `message`), pending, open, cancelled, closed or split. A part of a split
    has had no order. Raises `Refused` (NOT_FOUND).
    """
    if client_order_id:
        entry = _of(JournalEntry, account).filter(client_order_id=client_order_id).first()
        if entry is None:
            raise Refused(Code.NOT_FOUND)
        if entry.code:
            refused = {"status": "refused", "code": entry.code, "message": entry.answer}
            return json.dumps(refused, separators=(",", ":"))
        id = json.loads(entry.answer)["id"]
    with one_moment():
        orders = stored_orders(account, "id = %s", id_parameter(id))
        positions = stored_positions(account, "id = %s", id_parameter(id))
    return _outcome_object(orders, positions)


def _outcome_object(orders: Sequence[Stored], positions: Sequence[Stored]) -> str:
    """Return what an order and its position say together; there is at most one of each."""
    if positions:
        status = positions[0].status
    elif orders:
        status = "pending" if orders[0].status == "open" else orders[0].status
    else:
        raise Refused(Code.NOT_FOUND)
    parts = [f'"status":"{status}"']
    parts += [f'"order":{text}' for text in _objects(orders)]
    parts += [f'"position":{text}' for text in _objects(positions)]
    return f"{{{','.join(parts)}}}"


# ---- money


def balances(account: AccountId) -> str:
    """Return the free cash by currency, as the wire's `balance` event has it."""
    cash, _ = _money(account)
    return f'{{"{CURRENCY}":"{money(cash)}"}}'


def transactions(account: AccountId, kind: str, before_ms: int, limit: int) -> list[dict[str, Any]]:
    """Return deposits and withdrawals (`deposit`, `withdraw`, or `""`: both) before a time, the latest first."""
    kinds = [TRANSACTIONS[kind]] if kind else list(TRANSACTIONS.values())
    rows = _of(LedgerEntry, account).filter(kind__in=kinds, time_ms__lt=before_ms).order_by("-serial")[:limit]
    names = {ledgers: name for name, ledgers in TRANSACTIONS.items()}
    return [
        {"asset": row.currency, "amount": money(row.amount), "type": names[row.kind], "timestamp": row.time_ms}
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Summary:
    """What an account is worth. `margin` is locked in positions and orders; equity is all three together."""

    balance: Decimal
    margin: Decimal
    unrealised_pnl: Decimal

    @property
    def equity(self) -> Decimal:
        return self.balance + self.margin + self.unrealised_pnl


def summary(account: AccountId, quotes: Mapping[str, Quote]) -> Summary:
    """Return an account's worth at the last quotes; a position whose product has none counts as it was opened."""
    with one_moment():
        cash, margin = _money(account)
        held = stored_positions(account, "status = 'open' LIMIT %s", MAX_TRADES)
    pnl = sum((_unrealised(position, quotes) for position, _, _ in held), start=Decimal(0))
    return Summary(cash, margin, pnl)


def _unrealised(position: OrderValue, quotes: Mapping[str, Quote]) -> Decimal:
    """Return what closing now would bring, without decay; an isolated position loses at most its margin."""
    quote = quotes.get(position.product)
    if quote is None:
        return Decimal(0)
    price = quote.bid if position.side == "buy" else quote.ask
    return max(-position.margin, pnl_of(side=position.side, size=position.size, entry=position.price, close=price))


def _money(account: AccountId) -> tuple[Decimal, Decimal]:
    row = _of(Balance, account).first()
    return (opening_cash(account), Decimal(0)) if row is None else (row.cash, row.margin)


# ---- for who asks the engine


def first_answer(command: PlaceOrder) -> Answer | None:
    """Return the answer that an order's `client_order_id` has had already; to another order: CLIENT_ORDER_ID_REUSED."""
    row = _of(JournalEntry, command.account).filter(client_order_id=command.client_order_id).first()
    if row is None:
        return None
    first = entry_read(row.entry).command
    assert isinstance(first, PlaceOrder)
    if fingerprint(first) != fingerprint(command):
        return Answer(code=str(Code.CLIENT_ORDER_ID_REUSED))
    return Answer(code=row.code, message=row.answer) if row.code else Answer(row.answer)


def how_it_ended(command: Command) -> Code | None:
    """Return how the account's own trade has ended that the engine does not find; None: it never was, or is of another.

    What the tables show as open has ended all the same: the engine is ahead of them.
    """
    match command:
        case CancelOrder():
            return Code.ORDER_ENDED if _known(Order, command) else None
        case ClosePosition() | SplitPosition():
            if _known(Position, command):
                return Code.POSITION_CLOSED
            return Code.ORDER_ENDED if _known(Order, command, status="cancelled") else None
        case UpdateTrade():
            if _known(Position, command):
                return Code.POSITION_CLOSED
            return Code.ORDER_ENDED if _known(Order, command) else None
        case _:
            return None


def _known(model: Any, command: CancelOrder | ClosePosition | SplitPosition | UpdateTrade, **having: str) -> bool:
    return bool(_of(model, command.account).filter(pk=command.id, **having).exists())


# ---- helpers


def array(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def _of(model: Any, account: AccountId) -> QuerySet[Any]:
    return model._default_manager.filter(user_id=account.user_id, environment=account.environment)  # type: ignore[no-any-return]
