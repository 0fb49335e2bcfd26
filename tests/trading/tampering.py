"""Every kind of row there is, and ways to change one behind the engine's back."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction

from market.fields import ExactField
from trading.immutable import unguarded
from trading.models import AccountEvent, Balance, JournalEntry, LedgerEntry, Order, Position

ROWS: Mapping[str, Callable[[], models.QuerySet[Any]]] = {
    "an open order": lambda: Order.objects.filter(status="open"),
    "an activated order": lambda: Order.objects.filter(status="activated"),
    "a cancelled order": lambda: Order.objects.filter(status="cancelled"),
    "an open position": lambda: Position.objects.filter(status="open", parent_id=None),
    "a closed position": lambda: Position.objects.filter(status="closed"),
    "a liquidated position": lambda: Position.objects.filter(reason="liquidation"),
    "a split position": lambda: Position.objects.filter(status="split"),
    "a part of a position": lambda: Position.objects.exclude(parent_id=None),
    "a balance": Balance.objects.all,
    "a deposit's entry": lambda: LedgerEntry.objects.filter(kind="deposit"),
    "a margin's entry": lambda: LedgerEntry.objects.filter(kind="margin"),
    "a loss's entry": lambda: LedgerEntry.objects.filter(kind="loss"),
    "a balance event": lambda: AccountEvent.objects.filter(name="balance"),
    "an order event": lambda: AccountEvent.objects.filter(name="order:new"),
    "an activation": lambda: AccountEvent.objects.filter(name="order:activate"),
    "a split event": lambda: AccountEvent.objects.filter(name="position:split"),
    "a close event": lambda: AccountEvent.objects.filter(name="position:close"),
    "an order's journal entry": lambda: JournalEntry.objects.filter(kind="place_order", code=""),
    "a trigger's journal entry": lambda: JournalEntry.objects.filter(kind="trigger"),
    "a split's journal entry": lambda: JournalEntry.objects.filter(kind="split_position"),
    "terms' journal entry": lambda: JournalEntry.objects.filter(kind="set_terms"),
}
"""Rows of every table, by what they are."""

STATUSES: Mapping[str, dict[str, Any]] = {
    "open": {"status": "cancelled", "ended_ms": 1}, "activated": {"status": "cancelled"},
    "cancelled": {"status": "activated"},
}  # fmt: skip
POSITION_STATUSES: Mapping[str, dict[str, Any]] = {
    "open": {"status": "split", "closed_ms": 1}, "closed": {"status": "split", "pnl": None},
    "split": {"status": "open", "closed_ms": None},
}  # fmt: skip


def changed(row: Any, name: str) -> dict[str, Any]:
    """Return something else for a column, and for those that have to go with it."""
    field, value = row._meta.get_field(name), getattr(row, name)
    if name == "status":
        return STATUSES[value] if isinstance(row, Order) else POSITION_STATUSES[value]
    if isinstance(field, models.ForeignKey):
        others: Any = field.related_model
        return {name: others._default_manager.exclude(pk=getattr(value, "pk", None)).first()}
    if isinstance(field, ExactField):
        return {name: (value or 0) + Decimal(1).scaleb(-field.places)}
    if isinstance(field, models.UUIDField):
        return {name: UUID(int=7)}
    if isinstance(field, models.CharField | models.TextField):
        choices = [choice for choice, _ in field.choices or () if choice != value]
        return {name: choices[0] if choices else f"{value or ''}x"[-(field.max_length or 9_999) :]}
    return {name: (value or 0) + (9_999 if name == "offset" else 1)}


def is_seen(tamper: Callable[[], object], check: Callable[[], list[str]]) -> bool:
    """Do something behind everybody's back, and undo it; return whether it was refused or the check sees it."""
    with transaction.atomic():
        try:
            with unguarded():
                tamper()
            return check() != []
        except IntegrityError:
            return True
        finally:
            transaction.set_rollback(True)


def change(row: Any, name: str) -> None:
    assert type(row)._default_manager.filter(pk=row.pk).update(**changed(row, name)) == 1
