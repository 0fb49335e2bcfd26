"""The one model field for prices, rates and amounts: exact integers in the database, `Decimal` in Python."""

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from engine.values import NumberInvalid, parse_number, plain

PLACES = 10
"""Decimal places kept. int64 then holds values up to 922 million: any price, and any rate to the last digit."""

MONEY_PLACES = 8
"""Satoshis: int64 then holds 92 billion BTC, more than any price move can make of a position."""
_LARGEST = 2**63 - 1

# Anything longer than int64 is refused, never rounded to what would fit; nor is an int of a million digits made, which
# would take seconds.
_EXACT = Context(prec=28, Emax=27, Emin=-27, traps=[Inexact, InvalidOperation, Overflow])
_SCALES = {places: Decimal(1).scaleb(places) for places in range(PLACES + 1)}


def to_scaled(value: Decimal, places: int = PLACES) -> int:
    """Return the integer that stands for a value; raises `ValueError` when it does not fit exactly.

    >>> to_scaled(Decimal("1.26635"))
    12663500000
    """
    try:
        # The engine's journal calls this most: half the time of `scaleb` and a comparison of the int with the Decimal.
        scaled = int(_EXACT.to_integral_exact(_EXACT.multiply(value, _SCALES[places])))
        if -_LARGEST <= scaled <= _LARGEST:
            return scaled
    except (ArithmeticError, ValueError):  # ValueError: not a number
        pass
    raise ValueError(f"{value} does not fit into {places} decimal places of an int64")


def from_scaled(scaled: int, places: int = PLACES) -> Decimal:
    """Return the value without trailing zeros.

    >>> from_scaled(12663500000)
    Decimal('1.26635')
    """
    value = Decimal(scaled).scaleb(-places).normalize()
    return value if value == 0 or value.as_tuple().exponent <= 0 else value.quantize(Decimal(1))  # type: ignore[operator]


_Set_contra = TypeVar("_Set_contra", contravariant=True)
_Get_co = TypeVar("_Get_co", covariant=True)

if TYPE_CHECKING:
    _Stored = models.BigIntegerField
else:

    class _Stored(models.BigIntegerField):
        """Django's field, generic in the stubs only: what is set and got may be None where the column may be null."""

        def __class_getitem__(cls, _types):
            return cls


class PlainNumberField(forms.DecimalField):
    """A form's number, read by the one parser: what the page shows is what may be sent."""

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # (DecimalField's own, in the stubs)
        if value in self.empty_values:
            return None
        try:
            return parse_number(str(value).strip())
        except NumberInvalid:
            raise ValidationError("This is not a plain decimal number.") from None

    def prepare_value(self, value: Any) -> Any:
        return plain(value) if isinstance(value, Decimal) else value


class ExactField(_Stored[_Set_contra, _Get_co]):
    """A number stored as an integer scaled by 10^places (SQLite would keep a `DecimalField` as a float)."""

    def __init__(self, *args: Any, places: int = PLACES, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs if self.places == PLACES else {**kwargs, "places": self.places}

    if TYPE_CHECKING:
        # Where django-stubs looks for what may be assigned and what is read.
        _pyi_private_set_type: Decimal | int | str  # type: ignore[assignment]
        _pyi_private_get_type: Decimal  # type: ignore[assignment]

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else from_scaled(value, self.places)

    def to_python(self, value: Any) -> Any:
        """Return the number in what our own code or a dump of ours says (there, 1E-10 is one); pages have their own."""
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValidationError("This is not a number.") from None

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else to_scaled(self.to_python(value), self.places)

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        try:
            self.get_prep_value(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    @property
    def validators(self) -> list[Any]:
        # BigIntegerField's own limits are about the unscaled number.
        return list(self._validators)  # type: ignore[attr-defined]  # the stubs leave it out

    def formfield(self, **kwargs: Any) -> forms.Field:  # type: ignore[override]
        return models.Field.formfield(self, form_class=PlainNumberField, **kwargs)  # type: ignore[return-value]

    def value_to_string(self, obj: models.Model) -> str:
        return plain(cast(Decimal, self.value_from_object(obj)))
