"""The market as a Django app."""

from django.apps import AppConfig


class MarketConfig(AppConfig):
    name = "market"
