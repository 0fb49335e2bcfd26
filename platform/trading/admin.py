"""Orders, positions, money and events in the administrator's pages: to read, never to edit.

What an administrator wants done goes to the engine as a row of the inbox, and its answer is shown (`asking.py`).
"""

import uuid
from typing import Any, get_args

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin import OwnUserAdmin
from accounts.models import ENVIRONMENTS, User
from engine.commands import COMMANDS
from engine.events import WIRE_NAMES, MovementKind
from market.admin import ProductAdmin
from market.models import Product
from trading.asking import AsksEngine, MovementForm
from trading.inbox import KINDS
from trading.models import AccountEvent, Balance, InboxCommand, JournalEntry, LedgerEntry, Order, Position
from trading.reading import (
    NOTHING,
    ReadOnlyAdmin,
    list_link,
    money_column,
    named_filter,
    of_trade,
    percent_column,
    price_column,
    row_link,
    time_column,
    uuid_of,
)


class TradeAdmin(ReadOnlyAdmin):
    """What the pages of orders and positions have in common. They are sorted as they were made: that has an index."""

    sortable_by = ()

    @admin.display(description="id")
    def short_id(self, trade: Order | Position) -> str:
        return f"{str(trade.pk)[:8]}…"

    list_select_related = ["user", "product"]
    search_fields = ["user", "id", "client_order_id", "product"]
    search_help_text = "A user's name, an id, a client_order_id, a product."

    @admin.display(description="see also")
    def links(self, trade: Order | Position) -> SafeString:
        account = {"user": trade.user_id, "environment__exact": trade.environment}
        twin: type[Order] | type[Position] = Position if isinstance(trade, Order) else Order
        there = twin._default_manager.filter(pk=trade.pk).exists()
        return format_html(
            "{} {} {}",
            list_link(AccountEvent, "events", **account, q=trade.pk),
            list_link(LedgerEntry, "ledger entries", **account, reference=trade.pk),
            row_link(twin, trade.pk, str(twin._meta.verbose_name)) if there else "",
        )


@admin.register(Order)
class OrderAdmin(AsksEngine, TradeAdmin):
    """`activated` orders have become positions."""

    list_display = ["short_id", "user", "environment", "product", "side", "kind", "amount", price_column("price"),
                    money_column("margin"), "status", time_column("created_ms"), "client_order_id"]  # fmt: skip
    list_filter = ["status", "environment", "side", "kind", "product"]
    shown = [
        "id", "user", "environment", "product", "status", "side", "kind", "amount", "leverage", money_column("margin"),
        price_column("price"), price_column("liquidation_price"), price_column("take_profit"),
        price_column("stop_loss"), "decay_rate", "client_order_id", ("created_ms", time_column("created_ms")),
        ("updated_ms", time_column("updated_ms")), ("valid_until_ms", time_column("valid_until_ms")),
        ("ended_ms", time_column("ended_ms")), "links",
    ]  # fmt: skip
    actions = ["cancel"]

    @admin.action(description="Cancel the selected orders", permissions=["deal"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self.ask_of_each(request, "cancel", queryset, lambda order: {"id": str(order.pk)})


@admin.register(Position)
class PositionAdmin(AsksEngine, TradeAdmin):
    """`split` positions have become two others, which name their parent."""

    list_display = ["short_id", "user", "environment", "product", "side", "amount", price_column("price"),
                    money_column("margin"), "status", time_column("opened_ms"), price_column("close_price"),
                    money_column("pnl"), "reason", "client_order_id"]  # fmt: skip
    list_filter = ["status", "environment", "side", "reason", "product"]
    shown = [
        "id", "user", "environment", "product", "status", "side", "kind", "amount", "leverage", money_column("margin"),
        price_column("price"), price_column("liquidation_price"), price_column("take_profit"),
        price_column("stop_loss"), "decay_rate", "client_order_id", "parent", ("created_ms", time_column("created_ms")),
        ("updated_ms", time_column("updated_ms")), ("opened_ms", time_column("opened_ms")),
        ("closed_ms", time_column("closed_ms")), "reason", price_column("close_price"), money_column("pnl"),
        percent_column("pnl_percent"), money_column("decay"), "links",
    ]  # fmt: skip
    actions = ["close"]

    @admin.display(description="split from")
    def parent(self, position: Position) -> str:
        parent = position.parent_id
        return NOTHING if parent is None else row_link(Position, parent, str(parent))

    @admin.action(description="Close the selected positions at the market", permissions=["deal"])
    def close(self, request: HttpRequest, queryset: QuerySet[Position]) -> None:
        self.ask_of_each(request, "close", queryset, lambda position: {"id": str(position.pk)})


@admin.register(Balance)
class BalanceAdmin(AsksEngine, ReadOnlyAdmin):
    """Money moves by the engine alone. Whoever has no row yet is funded by the page that "Deposit" opens."""

    list_display = ["user", "environment", money_column("cash"), money_column("margin"), "currency", "links"]
    list_filter = ["environment"]
    list_select_related = ["user"]
    search_fields = ["user"]
    search_help_text = "A user's name."
    shown = ["user", "environment", "currency", money_column("cash"), money_column("margin"), "log_offset", "links"]
    actions = ["deposit", "withdraw", "reset"]
    change_list_template = "admin/trading/balance/change_list.html"

    @admin.display(description="see also")
    def links(self, balance: Balance) -> SafeString:
        account = {"user": balance.user_id, "environment__exact": balance.environment}
        return format_html(
            "{} {} {} {}",
            list_link(Order, "orders", **account),
            list_link(Position, "positions", **account),
            list_link(LedgerEntry, "ledger entries", **account),
            list_link(AccountEvent, "events", **account),
        )

    @admin.action(description="Deposit…", permissions=["money"])
    def deposit(self, request: HttpRequest, queryset: QuerySet[Balance]) -> HttpResponse | None:
        return self._to_form(request, "deposit", queryset)

    @admin.action(description="Withdraw…", permissions=["money"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Balance]) -> HttpResponse | None:
        return self._to_form(request, "withdraw", queryset)

    @admin.action(description="Reset the selected demo accounts", permissions=["money"])
    def reset(self, request: HttpRequest, queryset: QuerySet[Balance]) -> None:
        self.ask_of_each(
            request, "reset", queryset, lambda row: {"user": row.user.username, "environment": row.environment}
        )

    def _to_form(self, request: HttpRequest, kind: str, queryset: QuerySet[Balance]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            messages.error(request, "Select one account.")
            return None
        (balance,) = chosen
        query = urlencode({"user": balance.user.username, "environment": balance.environment})
        return redirect(f"{reverse(f'admin:trading_balance_{kind}')}?{query}")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"{kind}/", wrap(self.move), {"kind": kind}, name=f"trading_balance_{kind}")
            for kind in ("deposit", "withdraw")
        ]
        return own + super().get_urls()

    def move(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Show the form of a movement, or ask the engine for what was filled in."""
        if not self.has_money_permission(request):
            raise PermissionDenied
        given = {name: request.GET.get(name, "") for name in ("user", "environment")}
        form = MovementForm(request.POST or None, initial={**given, "once": uuid.uuid4().hex})
        if form.is_valid() and self.ask_by_form(request, kind, form):
            return redirect("admin:trading_balance_changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": kind.title(), "form": form}
        return render(request, "admin/trading/balance/move.html", context)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Each entry is balanced by its form: what leaves one account arrives at another."""

    list_display = ["serial", time_column("time_ms"), "user", "environment", "kind", money_column("amount"),
                    "currency", "source", "target", "reference"]  # fmt: skip
    list_filter = [named_filter("kind", get_args(MovementKind)), "environment", "source", "target"]
    sortable_by = ["serial"]
    list_select_related = ["user"]
    search_fields = ["user", "serial"]
    search_help_text = "A user's name, a serial, an order's or position's id."
    shown = ["serial", ("time_ms", time_column("time_ms")), "user", "environment", "kind", money_column("amount"),
              "currency", "source", "target", "trade", "journal"]  # fmt: skip

    def found(self, word: str) -> Q:
        return super().found(word) | of_trade(word, reference=uuid_of(word))

    @admin.display(description="reference")
    def trade(self, entry: LedgerEntry) -> str:
        reference = entry.reference
        if reference is None:
            return NOTHING
        links = list_link(Order, "order", q=reference), list_link(Position, "position", q=reference)
        return format_html("{} {} {}", reference, *links)

    @admin.display(description="journal entry")
    def journal(self, entry: LedgerEntry) -> SafeString:
        return row_link(JournalEntry, entry.journal_serial, str(entry.journal_serial))


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    """An account's log: `data` is what its owner's sockets were sent."""

    list_display = ["id", time_column("time_ms"), "user", "environment", "offset", "name", "data"]
    list_filter = [named_filter("name", tuple(WIRE_NAMES.values())), "environment"]
    sortable_by = ["id"]
    list_select_related = ["user"]
    search_fields = ["user"]
    search_help_text = "A user's name, an order's or position's id."
    shown = ["id", ("time_ms", time_column("time_ms")), "user", "environment", "offset", "name", "data", "journal"]

    def found(self, word: str) -> Q:
        return super().found(word) | of_trade(word, data__contains=f'"{uuid_of(word)}"')

    @admin.display(description="journal entry")
    def journal(self, event: AccountEvent) -> SafeString:
        return row_link(JournalEntry, event.journal_serial, str(event.journal_serial))


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """Every command that changed something, with all that deciding it depended on."""

    list_display = ["serial", time_column("time_ms"), "user", "environment", "kind", "client_order_id", "code"]
    list_filter = [named_filter("kind", tuple(COMMANDS)), named_filter("environment", ENVIRONMENTS)]
    list_select_related = ["user"]
    ordering = ["-serial"]
    sortable_by = ["serial"]
    search_fields = ["user", "serial", "client_order_id"]
    search_help_text = "A user's name, a serial, a client_order_id."
    shown = ["serial", ("time_ms", time_column("time_ms")), "user", "environment", "kind", "client_order_id", "entry",
              "code", "answer", "links"]  # fmt: skip

    @admin.display(description="see also")
    def links(self, entry: JournalEntry) -> SafeString:
        events = list_link(AccountEvent, "events", journal_serial=entry.serial)
        return format_html("{} {}", events, list_link(LedgerEntry, "ledger entries", journal_serial=entry.serial))


@admin.register(InboxCommand)
class InboxCommandAdmin(ReadOnlyAdmin):
    """What administrators have asked of the engine, and its answers."""

    list_display = ["id", time_column("created_at"), "created_by", "kind", "about", "status", "code",
                    time_column("done_at")]  # fmt: skip
    list_filter = ["status", named_filter("kind", tuple(KINDS))]
    list_select_related = ["created_by"]
    search_fields = ["params__user", "params__id", "params__product", "created_by__username"]
    search_help_text = "The name of whom it is about or of who asked, a trade's id, a product."
    shown = ["id", time_column("created_at"), "created_by", "kind", "params", "status", "code", "answer",
             time_column("done_at")]  # fmt: skip

    @admin.display(description="about")
    def about(self, row: InboxCommand) -> str:
        known = (row.params.get(name) for name in ("product", "id", "user", "environment", "amount"))
        return " ".join(word for word in known if word)

    def found(self, word: str) -> Q:
        conditions = [Q(**{f"{name}__icontains": word}) for name in self.search_fields]
        return Q(*conditions, _connector=Q.OR)


admin.site.unregister(User)
admin.site.unregister(Product)


@admin.register(User)
class TradedUserAdmin(OwnUserAdmin):
    """Whoever has an account or has asked the engine for something stays, as the record does; make them inactive."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Django would read all that hangs on a user, and then name its kinds only.
        kept = [str(balance) for balance in Balance.objects.filter(user__in=objs).select_related("user")]
        asked = (
            InboxCommand.objects.filter(created_by__in=objs).order_by("created_by").values_list("created_by__username")
        )
        kept += [f"{name} has asked the engine: {count} times" for name, count in asked.annotate(count=Count("pk"))]
        return ([], {}, set(), kept) if kept else super().get_deleted_objects(objs, request)


@admin.register(Product)
class TradedProductAdmin(AsksEngine, ProductAdmin):
    """The market's page, with what only the engine can do at once: no order is filled after the answer."""

    actions = ["halt", "resume"]
    change_form_template = "admin/market/product/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"<int:pk>/{kind}", wrap(require_POST(self.switch)), {"kind": kind}, name=f"market_product_{kind}")
            for kind in ("halt", "resume")
        ]
        return own + super().get_urls()

    def switch(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Halt or resume one product, from its own page."""
        if not (self.has_view_permission(request) and self.has_deal_permission(request)):
            raise PermissionDenied
        get_object_or_404(Product, pk=pk)
        self.ask_of_each(request, kind, Product.objects.filter(pk=pk), lambda one: {"product": one.name})
        return redirect("admin:market_product_change", pk)

    @admin.action(description="Halt: quotes flow on, orders are refused", permissions=["deal"])
    def halt(self, request: HttpRequest, queryset: Any) -> None:
        self.ask_of_each(request, "halt", queryset, lambda product: {"product": product.name})

    @admin.action(description="Resume trading", permissions=["deal"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self.ask_of_each(request, "resume", queryset, lambda product: {"product": product.name})
