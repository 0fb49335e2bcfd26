"""The one model field for prices, rates and amounts: exact integers in the database, `Decimal` in Python."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

PLACES = 10
"""Decimal places kept. int64 then holds values up to 922 million: any price, and any rate to the last digit."""

SCALE = Decimal(1).scaleb(PLACES)
_MAX = 2**63 - 1


def to_scaled(value: Decimal) -> int:
    """Return the integer that stands for a value; raises `ValueError` when it does not fit exactly.

    >>> to_scaled(Decimal("1.26635"))
    12663500000
    """
    scaled = value * SCALE
    if scaled != scaled.to_integral_value() or abs(scaled) > _MAX:
        raise ValueError(f"{value} does not fit into {PLACES} decimal places of an int64")
    return int(scaled)


def from_scaled(scaled: int) -> Decimal:
    """Return the value without trailing zeros.

    >>> from_scaled(12663500000)
    Decimal('1.26635')
    """
    value = (Decimal(scaled) / SCALE).normalize()
    return value if value == 0 or value.as_tuple().exponent <= 0 else value.quantize(Decimal(1))  # type: ignore[operator]


class ExactField(models.BigIntegerField):
    """A number stored as an integer scaled by 10^10 (SQLite would keep a `DecimalField` as a float)."""

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else from_scaled(value)

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValidationError("This is not a number.") from None

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else to_scaled(self.to_python(value))

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        try:
            self.get_prep_value(value)
        except (ValueError, ArithmeticError) as error:
            raise ValidationError(str(error)) from None

    @property
    def validators(self) -> list[Any]:
        # BigIntegerField's own limits are about the unscaled number.
        return list(self._validators)

    def formfield(self, **kwargs: Any) -> forms.Field:  # type: ignore[override]
        return models.Field.formfield(self, form_class=forms.DecimalField, **kwargs)  # type: ignore[return-value]

    def value_to_string(self, obj: models.Model) -> str:
        return format(self.value_from_object(obj), "f")
