"""The exact number: what goes into a database, or a page, comes out of it."""

from decimal import Decimal

import pytest
from django import forms
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from market.fields import ExactField, from_scaled, to_scaled
from market.models import Product
from market.seed import SEEDS, product_create

LARGEST = Decimal(2**63 - 1).scaleb(-10)
EXACT = st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1).map(lambda scaled: Decimal(scaled).scaleb(-10))


class StoredNumbers(TestCase):
    """Laws that need a database, a fresh state for each example."""

    def setUp(self):
        Product.objects.filter(name=SEEDS[0].name).delete()
        self.product = product_create(SEEDS[0])

    @given(EXACT)
    def test_what_is_stored_is_read_back(self, value):
        Product.objects.filter(pk=self.product.pk).update(max_size=value)
        assert Product.objects.get(pk=self.product.pk).max_size == value
        assert Product.objects.filter(max_size=value, pk=self.product.pk).exists()

    @given(EXACT, EXACT)
    def test_the_database_compares_numbers_as_numbers(self, one, other):
        Product.objects.filter(pk=self.product.pk).update(max_size=one)
        assert Product.objects.filter(pk=self.product.pk, max_size__lt=other).exists() == (one < other)

    @given(EXACT)
    def test_a_dump_loads_the_same_number(self, value):
        self.product.max_size = value
        text = serializers.serialize("json", [self.product])
        [loaded] = serializers.deserialize("json", text)
        assert isinstance(loaded.object, Product)
        assert loaded.object.max_size == value


def test_the_database_holds_an_integer(products):
    with connection.cursor() as cursor:
        cursor.execute("SELECT start_price FROM market_product WHERE name = 'EUR-USD'")
        assert cursor.fetchone() == (10_850_000_000,)


@given(EXACT)
def test_scaling_there_and_back_is_exact_and_leaves_no_trailing_zeros(value):
    read = from_scaled(to_scaled(value))
    assert read == value
    text = format(read, "f")
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    "value",
    [
        "0.00000000001", "1.00000000000000000000000000000000000001", "922337203.6854775808", "1e999999", "1e-999999",
        "NaN", "sNaN", "Infinity", "-Infinity",
    ],
)  # fmt: skip
def test_what_does_not_fit_exactly_is_refused_and_never_rounded(value):
    with pytest.raises(ValueError, match="does not fit"):
        to_scaled(Decimal(value))


def test_the_largest_number_fits():
    assert to_scaled(LARGEST) == 2**63 - 1
    assert from_scaled(2**63 - 1) == LARGEST


class ExactForm(forms.Form):
    price = ExactField().formfield()


@given(EXACT.filter(lambda value: value >= 0))
def test_what_a_page_shows_is_what_it_takes(value):
    shown = ExactForm(initial={"price": value})["price"].value()
    form = ExactForm({"price": shown}, initial={"price": value})
    assert form.is_valid()
    assert form.cleaned_data["price"] == value
    assert not form.has_changed()


@pytest.mark.parametrize("text", ["1e5", "NaN", "Infinity", "1_000", "\u0661\u0662", "1,5", "0x10", "1" * 16, "abc"])
def test_a_page_takes_plain_digits_only(text):
    form = ExactForm({"price": text})
    assert form.errors == {"price": ["This is not a plain decimal number."]}


def test_an_empty_field_of_a_page_is_missing():
    assert ExactForm({"price": ""}).errors == {"price": ["This field is required."]}


def test_a_model_says_what_does_not_fit():
    with pytest.raises(ValidationError, match="does not fit"):
        ExactField().clean(Decimal("1e20"), None)
    with pytest.raises(ValidationError, match="This is not a number"):
        ExactField().clean("abc", None)
    assert ExactField().clean("1.50", None) == Decimal("1.5")


@given(st.integers(0, 10), st.integers(-(2**63) + 1, 2**63 - 1))
def test_whatever_the_places_scaling_there_and_back_is_exact(places, scaled):
    assert to_scaled(from_scaled(scaled, places), places) == scaled


@pytest.mark.parametrize(
    ("places", "value"), [(8, "0.000000001"), (8, "92233720368.54775808"), (4, "0.00001"), (4, "922337203685477.5808")]
)
def test_fewer_places_hold_less_of_a_number_and_larger_ones(places, value):
    with pytest.raises(ValueError, match=f"does not fit into {places} decimal places"):
        to_scaled(Decimal(value), places)
    largest = Decimal(2**63 - 1).scaleb(-places)
    assert to_scaled(largest, places) == 2**63 - 1


def test_a_field_has_its_own_places():
    money: ExactField[Decimal, Decimal] = ExactField(places=8)
    assert money.get_prep_value(Decimal("1.5")) == 150_000_000
    assert money.from_db_value(150_000_000) == Decimal("1.5")
    assert money.clean(Decimal("0.00000001"), None) == Decimal("0.00000001")
    with pytest.raises(ValidationError, match="does not fit into 8 decimal places"):
        money.clean(Decimal("0.000000001"), None)


@pytest.mark.parametrize(("field", "arguments"), [(ExactField(), {}), (ExactField(places=8), {"places": 8})])
def test_a_migration_names_the_places_when_they_are_not_the_usual_ones(field, arguments):
    _, path, _, named = field.deconstruct()
    assert path == "market.fields.ExactField"
    assert named == arguments
    assert field.clone().places == field.places


def test_a_number_that_may_be_missing_is_none_both_ways():
    maybe: ExactField[Decimal | None, Decimal | None] = ExactField(null=True, blank=True)
    assert maybe.get_prep_value(None) is None
    assert maybe.from_db_value(None) is None
    assert maybe.clean(None, None) is None
