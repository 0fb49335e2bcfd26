"""The project itself as an app: it holds the server's management commands."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
