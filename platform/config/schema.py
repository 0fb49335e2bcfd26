"""What are the REST calls called in the OpenAPI description? As their addresses are: `trade_new`, `asset_balance`."""

from django.urls import resolve
from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """drf-spectacular's own names leave the address's parameters out: `/balances` and `/balances/{asset}` were one."""

    def get_operation_id(self) -> str:
        name = resolve(self.path).url_name
        assert name is not None
        # An address that is read and written, too, has a name for each.
        is_second = self.method != "GET" and hasattr(self.view, "get")
        return name.replace("-", "_") + (f"_{self.method.lower()}" if is_second else "")
