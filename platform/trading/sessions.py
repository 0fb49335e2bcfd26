"""The engine's own sessions on PostgreSQL, beside Django's pool: they outlive requests and have their own settings."""

from typing import Any

import psycopg
from django.db import connection


def own_session(name: str, **parameters: Any) -> psycopg.Connection[Any]:
    """Return a session of this name with the PostgreSQL database that Django uses; the caller closes it."""
    django = connection.get_connection_params()
    for own in ("cursor_factory", "context", "prepare_threshold"):
        django.pop(own, None)
    return psycopg.connect(**{**django, **parameters}, application_name=name, autocommit=True)
