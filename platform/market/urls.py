"""Addresses of the public REST calls; a trailing slash is fine everywhere."""

from django.urls import re_path

from market import api, favourites

urlpatterns = [
    re_path(r"^time/?$", api.TimeView.as_view(), name="time"),
    re_path(r"^trading/products/?$", api.ProductsView.as_view(), name="products"),
    re_path(r"^trading/products/(?P<product>[^/]+)/?$", api.ProductsView.as_view(), name="product"),
    re_path(r"^trading/quotes/(?P<products>[^/]+)/?$", api.QuotesView.as_view(), name="quotes"),
    re_path(r"^trading/candles/(?P<product>[^/]+)/(?P<resolution>[^/]+)/?$", api.CandlesView.as_view(), name="candles"),
    re_path(r"^account/favourites/?$", favourites.FavouritesView.as_view(), name="account-favourites"),
    re_path(r"^feed/ticks/?$", api.TicksView.as_view(), name="feed-ticks"),
]
