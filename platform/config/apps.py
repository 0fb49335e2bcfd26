"""The project itself as an app: it holds the server's management commands, and the roles of staff."""

from django.apps import AppConfig, apps


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config.roles import write_after_migrations

        write_after_migrations(apps.get_app_config("trading"))
