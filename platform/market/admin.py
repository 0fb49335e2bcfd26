"""Products and candles in the administrator's pages. Trading adds what halts a product at once."""

from django.contrib import admin
from django.http import HttpRequest

from market.models import Candle, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """A change is known in every process within two seconds."""

    list_display = ["name", "title", "group", "digits", "max_leverage", "hours", "enabled", "halted"]
    list_filter = ["group", "enabled", "halted"]
    search_fields = ["name", "symbol", "title"]

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
