"""What a first start does, done once for a run and then copied: tables, products, logins, three days of candles.

That takes a process seconds, and most journeys are about something else. The first start itself is what `test_prepare`
and `test_serve` are about, and the server that most journeys share has made one.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from tests.journeys.harness import database_url, environment, fresh_database, manage
from tests.plugins.services import on_postgres

_PREPARE = "from django.core.management import call_command; call_command('prepare')"
_HISTORY = "from market.sources.simulator import back_fill; back_fill(seed=1, say=print)"


@contextmanager
def prepared_env(data_dir: Path, *, history: bool = False) -> Iterator[dict[str, str]]:
    """Make a start in this folder one of many; give the settings of its database. `history`: with candles."""
    folder, database = _prepared(history)
    shutil.copytree(folder, data_dir, dirs_exist_ok=True)
    if database:
        with fresh_database(database) as url:
            yield {"DATABASE_URL": url}
    else:
        yield {}


@cache
def _prepared(history: bool) -> tuple[Path, str]:
    """Return a folder, and a database in the run's PostgreSQL; both end with the run."""
    name = f"prepared_{uuid.uuid4().hex}"
    folder = Path(os.environ["TEST_DATA_DIR"]) / name
    folder.mkdir()
    env: dict[str, str] = {}
    if on_postgres():
        with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        env = {"DATABASE_URL": database_url(name)}
    manage(environment(folder, env), "shell", "-v", "0", "-c", f"{_PREPARE}; {_HISTORY}" if history else _PREPARE)
    return folder, name if env else ""
