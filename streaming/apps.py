"""The sockets as a Django app: templates, static files and the live page."""

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"
