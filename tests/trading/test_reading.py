"""How rows are shown to administrators: numbers, times, links, lists that do not count."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from trading.models import Balance, LedgerEntry, Order
from trading.reading import (
    MAX_COUNTED,
    BoundedPaginator,
    list_link,
    money_column,
    named_filter,
    percent_column,
    price_column,
    row_link,
    time_column,
    time_text,
    uuid_of,
)


class Row:
    """Anything with a product."""

    def __init__(self, digits=5, **fields):
        self.product = self
        self.digits = digits
        self.__dict__.update(fields)


@pytest.mark.parametrize(
    ("price", "digits", "shown"),
    [
        ("1.2", 5, "1.20000"),
        ("1E+2", 1, "100.0"),
        ("38000", 0, "38000"),
        ("1.234567", 5, "1.234567"),  # from a time when the product had more digits
        ("0.00000001", 8, "0.00000001"),
    ],
)
def test_a_price_has_its_products_digits_and_hides_none(price, digits, shown):
    assert price_column("price")(Row(digits, price=Decimal(price))) == shown


def test_money_and_percentages_have_their_places():
    assert money_column("pnl")(Row(pnl=Decimal("-2.8428159"))) == "-2.84281590"
    assert money_column("pnl")(Row(pnl=Decimal("1E-8"))) == "0.00000001"
    assert percent_column("pnl_percent")(Row(pnl_percent=Decimal(-100))) == "-100.0000"


def test_what_is_not_there_is_a_dash():
    for column in (money_column, price_column, percent_column, time_column):
        assert column("pnl")(Row(pnl=None)) == "-"


@pytest.mark.parametrize(
    ("time_ms", "shown"),
    [
        (0, "1970-01-01 00:00:00.000"),
        (1_709_742_000_123, "2024-03-06 16:20:00.123"),
        (253_402_300_799_999, "9999-12-31 23:59:59.999"),
        (253_402_300_800_000, "after 9999"),
        (10**15 - 1, "after 9999"),
    ],
)
def test_a_time_is_readable_to_the_last_ms_and_however_late(time_ms, shown):
    assert time_text(time_ms) == shown


def test_djangos_times_are_shown_like_the_engines():
    moment = datetime(2024, 3, 6, 16, 20, 0, 123_000, tzinfo=UTC)
    assert time_column("done_at")(Row(done_at=moment)) == "2024-03-06 16:20:00.123"


def test_a_column_sorts_by_its_field_and_has_its_name():
    column: Any = time_column("opened_ms")
    assert (column.__name__, column.admin_order_field, column.short_description) == (
        "opened_ms", "opened_ms", "opened (UTC)"
    )  # fmt: skip


def test_links_are_escaped():
    assert list_link(Order, "<orders>", q="a b&c") == (
        '<a href="/admin/trading/order/?q=a+b%26c">&lt;orders&gt;</a>'
    )  # fmt: skip
    assert row_link(LedgerEntry, 7, "7") == '<a href="/admin/trading/ledgerentry/7/change/">7</a>'


@pytest.mark.parametrize("word", ["", "7", "till-7", "0" * 31, "0" * 33, "g" * 32, "\0" * 32])
def test_what_is_no_id_is_none(word):
    assert uuid_of(word) is None


def test_an_id_is_known_with_and_without_its_dashes():
    assert uuid_of("0A1B2C3D-0000-4000-8000-000000000001") == uuid_of("0a1b2c3d000040008000000000000001")
    assert uuid_of("0a1b2c3d000040008000000000000001") is not None


@pytest.mark.django_db
def test_a_list_is_counted_up_to_its_bound(monkeypatch, django_assert_num_queries):
    for name in ("ann", "bob", "cid"):
        Balance.objects.create(user=User.objects.create_user(name), environment="live", cash=0, margin=0, log_offset=0)
    rows = Balance.objects.order_by("-pk")
    with django_assert_num_queries(1):
        assert BoundedPaginator(rows, 2).count == 3 <= MAX_COUNTED
    monkeypatch.setattr("trading.reading.MAX_COUNTED", 2)
    paginator = BoundedPaginator(rows, 1)
    assert (paginator.count, paginator.num_pages) == (2, 2)
    assert list(paginator.page(2)) == [rows[1]]


@pytest.mark.django_db
def test_a_named_filter_knows_its_values_without_asking_the_table(rf, django_assert_num_queries):
    environments = named_filter("environment", ("live", "demo"))
    user = User.objects.create_user("ann")
    for name in ("live", "demo"):
        Balance.objects.create(user=user, environment=name, cash=0, margin=0, log_offset=0)
    with django_assert_num_queries(0):
        chosen, all_of_them = (environments(rf.get("/"), given, Balance, None)  # type: ignore[arg-type]
                               for given in ({"environment": ["demo"]}, {}))  # fmt: skip
    assert chosen.lookup_choices == [("live", "live"), ("demo", "demo")]
    assert [row.environment for row in chosen.queryset(rf.get("/"), Balance.objects.all())] == ["demo"]  # type: ignore[union-attr]
    assert all_of_them.queryset(rf.get("/"), Balance.objects.all()).count() == 2  # type: ignore[union-attr]
