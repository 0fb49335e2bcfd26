"""What do administrators ask of the engine? Rows: durable, done exactly once in the order of asking, answered in place.

A row's commands go to the engine one after the other, and the row's key with the last of them: the journal answers the
row in the transaction that writes what came of it, so neither can be without the other.
"""

import time
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils import timezone

from accounts.errors import ERRORS, Code, Refused
from accounts.models import ENVIRONMENTS, User
from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    OpenAccount,
    ResetAccount,
    SetTerms,
    Withdraw,
)
from engine.funds import MAX_MOVEMENT
from engine.margin import SATOSHI
from engine.values import AccountId, NumberInvalid, parse_number, plain
from market.models import Product
from trading import live
from trading.live import Answer
from trading.models import InboxCommand, Order, Position
from trading.snapshot import rows as rows_in
from trading.tables import INBOX

LOOK_S = 0.02
"""How often whoever waits looks for the answer."""

_ANY_WAITING = f"SELECT 1 FROM {INBOX.name} WHERE status = 'waiting' LIMIT 1"  # noqa: S608  # our own name

Params = Mapping[str, str]


def inbox_put(kind: str, params: Params, by: User | None, *, once: str = "") -> InboxCommand:
    """Ask the engine for something of `KINDS`; raises `Refused` for what no engine could do.

    `params`: `user`, `environment` and, of a movement, `amount`; the `id` of a trade; or the `product`. What the same
    person asks for `once` a second time (a form that was sent twice) is the same row.
    """
    with transaction.atomic():
        asked = _asked(by, once) if by is not None and once else None
        if asked is not None:
            return asked
        wanted = {**KINDS[kind](params), **({"once": once} if once else {})}
        row = InboxCommand.objects.create(kind=kind, params=wanted, created_by=by)
        transaction.on_commit(_tell, robust=True)  # a hint: the engine looks by itself soon
    return row


def _asked(by: User, once: str) -> InboxCommand | None:
    """Return the row if it is there; a second request of the same person waits here for the first to be through."""
    User.objects.select_for_update().get(pk=by.pk)
    return InboxCommand.objects.filter(created_by=by, params__once=once).first()


def inbox_wait(pks: Collection[int], wait_s: float) -> list[InboxCommand]:
    """Return rows, oldest first, when all are answered, or as they are after so long."""
    until_s = time.monotonic() + wait_s
    while True:
        rows = list(InboxCommand.objects.filter(pk__in=pks).order_by("pk"))
        if all(row.status != "waiting" for row in rows) or time.monotonic() >= until_s:
            return rows
        time.sleep(LOOK_S)


def inbox_waiting(limit: int) -> list[InboxCommand]:
    """Return the rows that nobody has answered, oldest first.

    Most times there is none: that is asked without the ORM, which takes ten times as long to say so.
    """
    if not rows_in(_ANY_WAITING):
        return []
    return list(InboxCommand.objects.filter(status="waiting").order_by("pk")[:limit])


def inbox_answer(row_pk: int, answer: Answer) -> bool:
    """Answer a waiting row; return whether it was waiting still."""
    fields = {"status": "refused", "code": answer.code, "answer": answer.message} if answer.code else {
        "status": "done", "answer": answer.text
    }  # fmt: skip
    return InboxCommand.objects.filter(pk=row_pk, status="waiting").update(**fields, done_at=timezone.now()) == 1


def commands_of(row: InboxCommand) -> tuple[Command, ...]:
    """Return what the engine has to do, in order; a product that is to be halted or resumed is saved as such.

    Raises `Refused` when whom or what it is about is gone.
    """
    params = row.params
    match row.kind:
        case "deposit":
            account = _account(params)
            return OpenAccount(account=account), Deposit(account=account, amount=parse_number(params["amount"]))
        case "withdraw":
            account = _account(params)
            return OpenAccount(account=account), Withdraw(account=account, amount=parse_number(params["amount"]))
        case "reset":
            account = _account(params)
            return OpenAccount(account=account), ResetAccount(account=account)
        case "cancel":
            return (CancelOrder(account=_account(params), id=params["id"]),)
        case "close":
            return (ClosePosition(account=_account(params), id=params["id"]),)
        case "halt" | "resume":
            product = _product(params["product"])
            product.halted = row.kind == "halt"
            product.save(update_fields=["halted"])
            return (SetTerms(terms=product.terms()),)
        case kind:
            raise ValueError(f"no such kind: {kind}")


def told(row: InboxCommand) -> str:
    """Return in words what has become of a row."""
    if row.status == "waiting":
        return "waits for the engine"
    if row.status == "refused":
        return f"{row.code}: {row.answer or ERRORS[Code(row.code)].message}"
    return "done"


def _tell() -> None:
    """Tell the engine of this process, on its server's loop (views run in threads); from a shell there is nobody."""
    async_to_sync(_tell_on_the_loop)()


async def _tell_on_the_loop() -> None:
    live.tell_inbox()


# ---- what is asked, checked before it is kept; a name may be somebody else's tomorrow, so ids are kept beside them


def _read_account(params: Params) -> dict[str, str]:
    user = User.objects.filter(username=params["user"]).first()
    if user is None:
        raise Refused(Code.NOT_FOUND, "There is no user of this name")
    if params["environment"] not in ENVIRONMENTS:
        raise Refused(Code.INVALID_PARAMETER, f"The environment is one of {', '.join(ENVIRONMENTS)}")
    return {"user": user.username, "user_id": str(user.pk), "environment": params["environment"]}


def _read_movement(params: Params) -> dict[str, str]:
    return {**_read_account(params), "amount": _read_amount(params["amount"])}


def _read_amount(text: str) -> str:
    try:
        amount = parse_number(text)
    except NumberInvalid:
        raise Refused(Code.INVALID_NUMBER) from None
    if not 0 < amount <= MAX_MOVEMENT or amount != amount.quantize(SATOSHI):
        raise Refused(Code.INVALID_AMOUNT)
    return plain(amount)


def _read_reset(params: Params) -> dict[str, str]:
    if params["environment"] != "demo":
        raise Refused(Code.NOT_DEMO)
    return _read_account(params)


def _read_order(params: Params) -> dict[str, str]:
    return _read_trade(Order, params["id"], Code.ORDER_ENDED)


def _read_position(params: Params) -> dict[str, str]:
    return _read_trade(Position, params["id"], Code.POSITION_CLOSED)


def _read_trade(model: type[Order] | type[Position], text: str, ended: Code) -> dict[str, str]:
    trade = model._default_manager.select_related("user").filter(pk=_uuid(text)).first()
    if trade is None:
        raise Refused(Code.NOT_FOUND, f"There is no {model._meta.verbose_name} with this id")
    if trade.status != "open":
        raise Refused(ended)
    owner = {"user": trade.user.username, "user_id": str(trade.user_id), "environment": trade.environment}
    return {"id": str(trade.pk), **owner}


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Refused(Code.INVALID_PARAMETER, "The id is a UUID") from None


def _read_product(params: Params) -> dict[str, str]:
    return {"product": _product(params["product"]).name}


KINDS: Mapping[str, Callable[[Params], dict[str, str]]] = {
    "deposit": _read_movement,
    "withdraw": _read_movement,
    "reset": _read_reset,
    "cancel": _read_order,
    "close": _read_position,
    "halt": _read_product,
    "resume": _read_product,
}
"""What can be asked for, and how what it needs is read."""


def _product(name: str) -> Product:
    product = Product.objects.filter(name=name).first()
    if product is None:
        raise Refused(Code.UNKNOWN_PRODUCT)
    return product


def _account(params: dict[str, Any]) -> AccountId:
    """Return whose account it is; a user who is gone since has none, and the journal could not write of one."""
    user_id = int(params["user_id"])
    if not User.objects.filter(pk=user_id).exists():
        raise Refused(Code.NOT_FOUND, "The user does not exist any more")
    return AccountId(params["environment"], user_id)
