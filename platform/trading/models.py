"""What the engine has committed: orders, positions, balances, the ledger, every account's events, the journal.

Only the engine's journal writes these rows, in one transaction per batch of commands (`journal.py`); pages and REST
read them. An administrator's wishes are rows of the inbox, which the engine takes. Times are ms UTC.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import ENVIRONMENTS
from engine.events import LEDGER_ACCOUNTS
from engine.wire import CURRENCY
from market.fields import MONEY_PLACES, ExactField
from market.models import Product


def _choices(*names: str) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class OwnedRow(models.Model):
    """Belongs to one of a user's two accounts, which share no row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    environment = models.CharField(max_length=4, choices=_choices(*ENVIRONMENTS))

    class Meta:
        abstract = True


class Trade(OwnedRow):
    """What orders and positions have in common; a position has the id of its order."""

    id = models.UUIDField(primary_key=True, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=4, choices=_choices("buy", "sell"))
    kind = models.CharField(max_length=5, blank=True, choices=_choices("limit", "stop"), help_text="Empty: market.")
    price = ExactField(help_text="Fill price of a market order and of a position, trigger price of a pending order.")
    leverage = ExactField()
    amount = models.BigIntegerField(help_text="Contracts; one is 0.001 BTC of size.")
    margin = ExactField(places=MONEY_PLACES)
    liquidation_price = ExactField()
    take_profit = ExactField(null=True)
    stop_loss = ExactField(null=True)
    decay_rate = ExactField()
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField(null=True)
    client_order_id = models.CharField(max_length=64, blank=True)
    price_places = models.PositiveSmallIntegerField(
        help_text="Decimal places of price, liquidation price, take profit, stop loss on the wire: a digit each."
    )
    made_serial = models.BigIntegerField(
        help_text="The journal entry that made it: the order in which the engine holds what is open."
    )
    changed_serial = models.BigIntegerField(
        help_text="The journal entry that changed it last: the order in which one quote reaches several."
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.side} {self.amount} {self.product}"


class Order(Trade):
    """`activated` orders have become positions; market orders are so from the beginning."""

    status = models.CharField(max_length=9, choices=_choices("open", "activated", "cancelled"))
    valid_until_ms = models.BigIntegerField(null=True)
    ended_ms = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "environment", "status"], name="order_of_account"),
            models.Index(fields=["status"], condition=Q(status="open"), name="order_open"),
            models.Index(fields=["made_serial"], name="order_made"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, margin__gt=0), name="order_is_of_something"),
            models.CheckConstraint(
                condition=Q(status="open", ended_ms=None) | (~Q(status="open") & Q(ended_ms__isnull=False)),
                name="order_ends_once",
            ),
        ]
        ordering = ["-made_serial"]


class Position(Trade):
    """`split` positions have become two others, which name their `parent_id`."""

    status = models.CharField(max_length=6, choices=_choices("open", "closed", "split"))
    parent_id = models.UUIDField(null=True)
    part = models.PositiveSmallIntegerField(default=0, help_text="1 or 2: which part of its parent it is.")
    opened_ms = models.BigIntegerField()
    closed_ms = models.BigIntegerField(null=True)
    close_price = ExactField(null=True)
    pnl = ExactField(places=MONEY_PLACES, null=True)
    pnl_percent = ExactField(places=4, null=True)
    decay = ExactField(places=MONEY_PLACES, null=True)
    reason = models.CharField(
        max_length=11, blank=True, choices=_choices("manual", "take_profit", "stop_loss", "liquidation")
    )

    class Meta:
        indexes = [
            models.Index(fields=["user", "environment", "status", "closed_ms"], name="position_of_account"),
            models.Index(fields=["status"], condition=Q(status="open"), name="position_open"),
            models.Index(fields=["made_serial"], name="position_made"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, margin__gt=0), name="position_is_of_something"),
            models.CheckConstraint(
                condition=Q(status="closed", closed_ms__isnull=False, pnl__isnull=False, decay__gte=0)
                | Q(status="split", closed_ms__isnull=False, pnl=None)
                | Q(status="open", closed_ms=None, pnl=None),
                name="position_ends_once",
            ),
        ]
        ordering = ["-made_serial", "-part"]


class Balance(OwnedRow):
    """An account: its money, and the newest offset of its events."""

    currency = models.CharField(max_length=8, default=CURRENCY)
    cash = ExactField(places=MONEY_PLACES, help_text="Free to trade with or to withdraw.")
    margin = ExactField(places=MONEY_PLACES, help_text="Locked in open positions and pending orders.")
    log_offset = models.BigIntegerField(help_text="The newest offset of the account's events.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "environment", "currency"], name="one_balance_per_account"),
            models.CheckConstraint(condition=Q(cash__gte=0, margin__gte=0), name="balance_never_below_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.environment}: {self.cash} {self.currency}"


class JournalEntry(models.Model):
    """A command with everything that deciding it depended on, and its answer. Never changed, never deleted.

    Kept: whatever changed something, and refusals of orders with a `client_order_id`.
    """

    serial = models.BigIntegerField(primary_key=True, help_text="1, 2, 3, … in the order of deciding, without a gap.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    environment = models.CharField(max_length=4, blank=True)
    kind = models.CharField(max_length=16)
    time_ms = models.BigIntegerField()
    entry = models.TextField(help_text="The input as JSON.")
    client_order_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  # null: not part of the constraint
    code = models.CharField(max_length=32, blank=True, help_text="Why it was refused.")
    answer = models.TextField(blank=True, help_text="What the asker was told: the result, or the refusal's words.")

    class Meta:
        verbose_name_plural = "journal entries"
        indexes = [
            models.Index(fields=["serial"], condition=Q(kind="set_terms"), name="journal_terms"),
            models.Index(fields=["serial"], condition=Q(client_order_id__isnull=False), name="journal_client_ids"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "environment", "client_order_id"],
                condition=Q(client_order_id__isnull=False),
                name="one_answer_per_client_id",
            )
        ]
        ordering = ["serial"]

    def __str__(self) -> str:
        return f"{self.serial} {self.kind}"


class AccountEvent(OwnedRow):
    """An event of an account's log: `offset` is 1, 2, 3, …; `data` is the text that its owner's sockets get."""

    offset = models.BigIntegerField()
    journal_serial = models.BigIntegerField(db_index=True, help_text="The journal entry that it came of.")
    time_ms = models.BigIntegerField()
    name = models.CharField(max_length=16)
    data = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "environment", "offset"], name="one_event_per_offset"),
            models.CheckConstraint(condition=Q(offset__gt=0), name="event_offset_from_one"),
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.offset} {self.name}"


class LedgerEntry(OwnedRow):
    """`amount` left one ledger account and arrived at another of the same environment: balanced by its form.

    Never changed, never deleted: the database refuses it.
    """

    serial = models.BigIntegerField(primary_key=True, help_text="1, 2, 3, … without a gap.")
    journal_serial = models.BigIntegerField(db_index=True, help_text="The journal entry that it came of.")
    time_ms = models.BigIntegerField()
    currency = models.CharField(max_length=8, default=CURRENCY)
    kind = models.CharField(max_length=10)
    source = models.CharField(max_length=15, choices=_choices(*LEDGER_ACCOUNTS))
    target = models.CharField(max_length=15, choices=_choices(*LEDGER_ACCOUNTS))
    amount = ExactField(places=MONEY_PLACES)
    reference = models.UUIDField(null=True, help_text="The order or position that it was for.")

    class Meta:
        verbose_name_plural = "ledger entries"
        indexes = [models.Index(fields=["user", "environment", "-serial"], name="ledger_of_account")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_moves_something"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="ledger_moves_elsewhere"),
        ]
        ordering = ["-serial"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.amount} {self.source} → {self.target}"


class EngineLease(models.Model):
    """The one row that says which engine may write: `fence` grows with every take-over, and who has an older one stops.

    `epoch` names this history of events; it changes when a part of it was lost (a backup was restored).
    """

    ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW, editable=False)
    fence = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=64, blank=True)
    taken_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True, help_text="When the holder last said that it lives.")
    epoch = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_engine_lease")]

    def __str__(self) -> str:
        return f"fence {self.fence}"


class InboxCommand(models.Model):
    """What an administrator asks of the engine, from the admin site or `manage.py`; answered in the row.

    Who asked stays known: their user cannot be deleted.
    """

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Empty: from the shell.",
    )  # fmt: skip
    kind = models.CharField(max_length=16)
    params = models.JSONField()
    status = models.CharField(max_length=8, default="waiting", choices=_choices("waiting", "done", "refused"))
    code = models.CharField(max_length=32, blank=True)
    answer = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("deal", "Can halt products, cancel orders and close positions"),
            ("move_money", "Can deposit and withdraw money and reset demo accounts"),
        ]
        indexes = [models.Index(fields=["status"], condition=Q(status="waiting"), name="inbox_waiting")]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
