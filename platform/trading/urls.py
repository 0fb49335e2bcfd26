"""Addresses of the REST calls about orders, positions and money; a trailing slash is fine everywhere."""

from django.urls import re_path

from trading import api

urlpatterns = [
    re_path(r"^trading/trade/?$", api.OutcomeView.as_view(), name="trade"),
    re_path(r"^trading/trade/new/?$", api.NewView.as_view(), name="trade-new"),
    re_path(r"^trading/trade/cancel/?$", api.CancelView.as_view(), name="trade-cancel"),
    re_path(r"^trading/trade/update/?$", api.UpdateView.as_view(), name="trade-update"),
    re_path(r"^trading/trade/close/?$", api.CloseView.as_view(), name="trade-close"),
    re_path(r"^trading/trade/split/?$", api.SplitView.as_view(), name="trade-split"),
    re_path(r"^trading/orders/?$", api.OrdersView.as_view(), name="orders"),
    re_path(r"^trading/positions/?$", api.PositionsView.as_view(), name="positions"),
    re_path(r"^trading/history/?$", api.HistoryView.as_view(), name="history"),
    re_path(r"^trading/history/(?P<product>[^/]+)/?$", api.HistoryView.as_view(), name="product-history"),
    re_path(r"^trading/balances/?$", api.BalancesView.as_view(), name="balances"),
    re_path(r"^trading/balances/(?P<asset>[^/]+)/?$", api.BalancesView.as_view(), name="asset-balance"),
    re_path(r"^trading/transactions/?$", api.TransactionsView.as_view(), name="transactions"),
    re_path(r"^trading/transactions/(?P<type>[^/]+)/?$", api.TransactionsView.as_view(), name="typed-transactions"),
    re_path(r"^trading/events/?$", api.EventsView.as_view(), name="events"),
    re_path(r"^trading/account/?$", api.AccountView.as_view(), name="account"),
    re_path(r"^account/demo/reset/?$", api.ResetView.as_view(), name="demo-reset"),
]
