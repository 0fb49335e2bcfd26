"""Products and candles in the administrator's pages. Trading adds what halts a product at once."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from market.models import Candle, Product

CONSEQUENCES = {
    "digits": "Decimal places of a price, from the next quote and order on; prices of open trades stay as they are.",
    "max_leverage": "The highest of a new order. Open positions keep theirs; a new margin has to stay within it.",
    "max_size": "Largest size of a new order, in BTC. What is open stays.",
    "decay_rate": "Taken from a position per 8 h, as a part of its size. Open trades keep the rate of their placing.",
    "liquidation_numerator": "A position is liquidated when it has lost this part…",
    "liquidation_denominator": "… of its margin: 2 / 3 by default, 4 / 5 is 80 %. Open trades keep their liquidation "
    "price until their margin changes.",
    "liquidation_loss": "What a liquidated position loses: its whole margin, or what the price says (at most the "
    "margin). Counts from the next liquidation on, for open positions too.",
    "hours": "When it trades, UTC, such as Sun 22:00-Fri 22:00, several separated by commas; empty: always. Outside "
    "them orders and closes are refused (market_closed), and what a price would trigger waits.",
    "halted": "Quotes flow on. Orders and closes are refused; take profit, stop loss and liquidation wait, and are "
    "judged by the first quote after the halt.",
    "enabled": "Without it clients do not see the product and its ticks are refused: positions open in it find "
    "no price to close at. Close them first.",
}
"""What a dealer has to know before a change; the model's own words say what a field is."""


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """A change is known in every process within two seconds."""

    list_display = [
        "name",
        "title",
        "group",
        "trading",
        "max_leverage",
        "liquidated_at",
        "hours_utc",
        "digits",
        "enabled",
    ]
    list_filter = ["halted", "enabled", "group"]
    search_fields = ["name", "symbol", "title"]
    search_help_text = "A name, a symbol of the tick stream, a title."
    show_facets = admin.ShowFacets.NEVER
    fieldsets = [
        (None, {"fields": ["name", "title", "group", "enabled"]}),
        ("Trading", {"fields": ["halted", "hours", "max_leverage", "max_size", "decay_rate", "digits"]}),
        ("Liquidation", {"fields": [("liquidation_numerator", "liquidation_denominator"), "liquidation_loss"]}),
        ("Which ticks are refused", {"fields": [("band_low", "band_high"), "jump_limit"]}),
        ("Simulator", {"fields": [("start_price", "volatility")]}),
    ]

    @admin.display(description="trading", ordering="halted")
    def trading(self, product: Product) -> str:
        return "halted" if product.halted else "on"

    @admin.display(description="liquidated at a loss of")
    def liquidated_at(self, product: Product) -> str:
        return f"{product.liquidation_numerator} / {product.liquidation_denominator} of the margin"

    @admin.display(description="hours (UTC)", ordering="hours")
    def hours_utc(self, product: Product) -> str:
        return product.hours or "always"

    def get_form(self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, help_texts=CONSEQUENCES, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        # Streams, REST and stored candles know a product by its name.
        return [] if obj is None else ["name"]


@admin.register(Candle)
class CandleAdmin(admin.ModelAdmin):
    """Candles are what the ticks made of them: to read, not to change."""

    list_display = ["product", "resolution", "start_s", "mid_open", "mid_high", "mid_low", "mid_close", "closed"]
    list_filter = ["product", "resolution", "closed"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Candle | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Candle | None = None) -> bool:
        return False
