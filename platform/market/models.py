"""What can be traded, and the candles of its past."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from engine import values
from engine.values import RESOLUTIONS
from market.fields import ExactField
from market.hours import parse_hours

GROUPS = ("forex", "metals", "stocks", "indices", "crypto")
MAX_DIGITS = 8
"""A price's digits: satoshis are the finest unit anybody quotes."""

BOUNDS = {
    "max_leverage": "At least 1: with less nobody could place an order.",
    "max_size": "Above 0: with none nobody could place an order.",
    "decay_rate": "Between -1 and 1: it is a part of the size, whatever its sign.",
    "jump_limit": "Above 0: with none every change of a price would be refused.",
    "volatility": "Not below 0.",
}
"""What is said of a number with which a product could not be traded."""


def validate_hours(text: str) -> None:
    try:
        parse_hours(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class Product(models.Model):
    """What is traded. Its `name` is `EUR-USD` on the event stream and in REST, `EURUSD` on the tick stream."""

    name = models.CharField(max_length=32, unique=True, validators=[RegexValidator(r"^[A-Z0-9][A-Z0-9._-]{0,31}\Z")])
    symbol = models.CharField(max_length=32, unique=True, editable=False)
    title = models.CharField(max_length=64, help_text="What people call it, such as EUR/USD.")
    group = models.CharField(max_length=16, choices=[(group, group) for group in GROUPS])
    digits = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(MAX_DIGITS)], help_text="Decimal places of a price."
    )
    max_leverage = models.PositiveIntegerField(default=100)
    decay_rate = ExactField(
        default=Decimal("0.0002"), help_text="Taken from a position per 8 h, as a part of its size."
    )
    max_size = ExactField(default=Decimal(10_000), help_text="Largest position, in BTC.")
    band_low = ExactField(help_text="Ticks below are refused as out_of_band.")
    band_high = ExactField(help_text="Ticks above are refused as out_of_band.")
    jump_limit = ExactField(
        default=Decimal("0.2"), help_text="Largest change against a quote of the last 60 s, as a part of it."
    )
    hours = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_hours],
        help_text="When it trades, UTC, such as `Sun 22:00-Fri 22:00`, several separated by commas; empty: always.",
    )
    liquidation_numerator = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text="A position is liquidated when it has lost this part…"
    )
    liquidation_denominator = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1)], help_text="… of its margin: 2 / 3 by default, 4 / 5 is 80 %."
    )
    liquidation_loss = models.CharField(
        max_length=11,
        default="full_margin",
        choices=[(name, name) for name in ("full_margin", "market")],
        help_text="What a liquidated position loses: its whole margin, or what the price says (at most the margin).",
    )
    enabled = models.BooleanField(default=True, help_text="Whether clients can see it.")
    halted = models.BooleanField(default=False, help_text="Quotes flow on, orders are refused.")
    start_price = ExactField(help_text="Where the simulator begins.")
    volatility = ExactField(default=Decimal("0.1"), help_text="The simulator's, per year, as a part of the price.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        self.symbol = symbol_of(self.name)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        if None not in (self.band_low, self.band_high) and not 0 < self.band_low < self.band_high:
            raise ValidationError("The band's low end has to be above 0 and below its high end.")
        if None not in (self.band_low, self.band_high, self.start_price) and not (
            self.band_low <= self.start_price <= self.band_high
        ):
            raise ValidationError({"start_price": "The price lies outside the band: all ticks would be refused."})
        if None not in (self.liquidation_numerator, self.liquidation_denominator) and (
            self.liquidation_numerator > self.liquidation_denominator
        ):
            raise ValidationError({"liquidation_numerator": "A position cannot lose more than its margin."})
        beyond = {
            "max_leverage": self.max_leverage is not None and self.max_leverage < 1,
            "max_size": self.max_size is not None and self.max_size <= 0,
            "decay_rate": self.decay_rate is not None and abs(self.decay_rate) >= 1,
            "jump_limit": self.jump_limit is not None and self.jump_limit <= 0,
            "volatility": self.volatility is not None and self.volatility < 0,
        }
        if any(beyond.values()):
            raise ValidationError({name: BOUNDS[name] for name, is_beyond in beyond.items() if is_beyond})
        clash = Product.objects.filter(symbol=symbol_of(self.name)).exclude(pk=self.pk)
        if clash.exists():
            raise ValidationError({"name": f"The tick stream's symbol {symbol_of(self.name)} is taken."})

    def value(self) -> values.Product:
        """Return the product as the streams need it."""
        return values.Product(self.name, self.symbol, self.digits, self.halted)

    def terms(self) -> values.Terms:
        """Return what the product may be traded for."""
        return values.Terms(
            product=self.name,
            digits=self.digits,
            max_leverage=Decimal(self.max_leverage),
            max_size=self.max_size,
            decay_rate=self.decay_rate,
            liquidation_fraction=(self.liquidation_numerator, self.liquidation_denominator),
            liquidation_loss=self.liquidation_loss,  # type: ignore[arg-type]  # one of its choices
            halted=self.halted,
        )


def symbol_of(name: str) -> str:
    """Return the tick stream's spelling: the name without its dashes."""
    return name.replace("-", "")


class Candle(models.Model):
    """A candle of the past, or (`closed` false) one that was open when it was stored."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="candles")
    resolution = models.CharField(max_length=3, choices=[(name, name) for name in RESOLUTIONS])
    start_s = models.BigIntegerField(help_text="Start of the bucket, seconds UTC.")
    closed = models.BooleanField()
    mid_open = ExactField()
    mid_high = ExactField()
    mid_low = ExactField()
    mid_close = ExactField()
    bid_open = ExactField()
    bid_high = ExactField()
    bid_low = ExactField()
    bid_close = ExactField()
    ask_open = ExactField()
    ask_high = ExactField()
    ask_low = ExactField()
    ask_close = ExactField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "resolution", "start_s"], name="one_candle_per_bucket")
        ]
        ordering = ["-start_s"]

    def __str__(self) -> str:
        return f"{self.product} {self.resolution} {self.start_s}"


class Favourite(models.Model):
    """A product that somebody wants to see first."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "product"], name="one_favourite_per_product")]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.user}: {self.product}"
