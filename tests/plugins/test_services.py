"""Does every test run on what it says it runs on?"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from config.env import VARIABLES
from tests.plugins.services import free_port, on_postgres, start_valkey

GIVEN = {"DATA_DIR", "DATABASE_URL", "REDIS_URL"}


def test_the_data_is_not_the_developers():
    assert settings.DATA_DIR.is_relative_to(Path(tempfile.gettempdir()))


def test_none_of_the_developers_settings_is_left():
    assert not [variable.name for variable in VARIABLES if variable.name in os.environ and variable.name not in GIVEN]


def test_the_database_is_the_one_of_this_run(db):
    assert connection.vendor == ("postgresql" if on_postgres() else "sqlite")


def test_a_commit_waits_for_no_disk(db):
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync" if on_postgres() else "PRAGMA synchronous")
        assert cursor.fetchone() == ("off" if on_postgres() else 0,)


def test_the_layer_is_the_one_of_this_run():
    backend = str(settings.CHANNEL_LAYERS["default"]["BACKEND"])
    assert backend.endswith("RedisPubSubChannelLayer" if on_postgres() else "InMemoryChannelLayer")
    if on_postgres():
        assert redis.Redis.from_url(settings.REDIS_URL).ping()


def test_a_valkey_of_ones_own_ends_with_its_resources():
    with ExitStack() as resources:
        server = start_valkey(resources)
        assert redis.Redis.from_url(server.connection_url).info()["server_name"] == "valkey"
    assert not server.is_running()


def test_free_ports_differ():
    assert len({free_port() for _ in range(20)}) == 20
