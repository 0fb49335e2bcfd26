"""How does an administrator read what the engine wrote? On pages that change nothing and stay cheap on big tables."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from engine.wire import money
from market.models import Product
from trading.models import Order, Position

MAX_COUNTED = 10_000
"""Rows of a list that are counted and can be leafed through: counting millions would take seconds."""

MAX_USERS = 100
"""Users whose name has the word that is looked for."""

MAX_WORDS = 5

LAST_MS = 253_402_300_799_999
"""The last time that has a date; an order's `valid_until` may be later."""

NOTHING = "-"
"""What is shown where there is nothing (Django says None on a row's own page)."""

Column = Callable[[Any], Any]

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator


class BoundedPaginator(_Paginator):
    """Counts no further than `MAX_COUNTED`; what lies behind is found by a narrower search."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:MAX_COUNTED].count()


class ReadOnlyAdmin(_ModelAdmin):
    """Nobody adds, changes or deletes here. Each word of a search has to be found, in any of the `search_fields`."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator

    shown: ClassVar[list[Any]]
    """Names and columns of a row's own page; those in a tuple stand side by side."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten(self.shown)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for word in search_term.split()[:MAX_WORDS]:
            queryset = queryset.filter(self.found(word))
        return queryset, False

    def found(self, word: str) -> Q:
        """Return where a word is looked for; values as a whole, as a LIKE over millions of rows would be slow."""
        found = Q(pk__in=[])
        for name in self.search_fields:
            found |= self._found_in(name, word)
        return found

    def _found_in(self, name: str, word: str) -> Q:
        field = self.opts.get_field(name)
        if field.related_model is User:
            users = User.objects.filter(username__icontains=word).values_list("pk", flat=True)
            return Q(**{f"{name}__in": list(users[:MAX_USERS])})
        if field.related_model is Product:
            return Q(**{f"{name}__in": list(Product.objects.filter(name__icontains=word))})
        if isinstance(field, models.UUIDField):
            identifier = uuid_of(word)
            return Q() if identifier is None else Q(**{name: identifier})
        if isinstance(field, models.IntegerField):
            return Q(**{name: int(word)}) if word.isascii() and word.isdecimal() and len(word) < 19 else Q()
        return Q(**{name: word})


def of_trade(word: str, **conditions: object) -> Q:
    """Return what concerns a trade, by way of its account: only accounts have an index there."""
    identifier = uuid_of(word)
    models_of_trades: tuple[type[Order] | type[Position], ...] = (Order, Position)
    for model in models_of_trades:
        trade = model._default_manager.filter(pk=identifier).first() if identifier else None
        if trade is not None:
            return Q(user=trade.user_id, environment=trade.environment, **conditions)
    return Q()


def uuid_of(word: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(word)
    except ValueError:
        return None


# ---- columns; each has its field's name, under which Django finds the label and the help text


def money_column(name: str) -> Column:
    """Show an amount of money with its 8 places."""
    return _column(name, lambda row, value: money(value))


def price_column(name: str) -> Column:
    """Show a price with its product's digits."""
    return _column(name, lambda row, value: price_text(value, row.product.digits))


def percent_column(name: str) -> Column:
    return _column(name, lambda row, value: f"{value:.4f}")


def time_column(name: str) -> Column:
    """Show a time (in ms or Django's) as a date and time, UTC."""
    label = name.removesuffix("_ms").removesuffix("_at") + " (UTC)"
    return _column(name, lambda row, value: time_text(ms_of(value)), label=label)


def _column(name: str, text: Callable[[Any, Any], str], *, label: str = "") -> Column:
    def column(row: Any) -> str:
        value = getattr(row, name)
        return NOTHING if value is None else text(row, value)

    column.__name__ = name
    return admin.display(description=label or name.replace("_", " "), ordering=name)(column)


def ms_of(moment: int | datetime) -> int:
    return moment if isinstance(moment, int) else round(moment.timestamp() * 1000)


def price_text(price: Decimal, digits: int) -> str:
    """Return a price with at least the product's digits: what an older number of digits left is not hidden.

    >>> price_text(Decimal("1.2"), 5), price_text(Decimal("1.234567"), 5)
    ('1.20000', '1.234567')
    """
    exponent = price.as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{price:.{max(digits, -exponent)}f}"


def time_text(time_ms: int) -> str:
    """Return a time as people read it.

    >>> time_text(1709742000123), time_text(253402300800000)
    ('2024-03-06 16:20:00.123', 'after 9999')
    """
    if time_ms > LAST_MS:
        return "after 9999"
    seconds, ms = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{ms:03d}"


# ---- links


def list_link(model: type[models.Model], text: str, **filters: object) -> SafeString:
    """Return a link to a list of what the filters let through."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), text)


def row_link(model: type[models.Model], pk: object, text: str) -> SafeString:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    return format_html('<a href="{}">{}</a>', url, text)


def named_filter(name: str, values: Sequence[str]) -> type[admin.SimpleListFilter]:
    """Return a filter by a field's known values: to ask the table for its values would mean reading all of it."""

    class NamedFilter(admin.SimpleListFilter):
        title = name
        parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in values]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{name: self.value()}) if self.value() else queryset

    return NamedFilter
