"""What must be there before anything can be served: tables, products, an administrator, a key to try it with.

Everything here may run again at any time and changes nothing then. Secrets are returned by the run that made them
and by no later one.
"""

import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

ADMINISTRATOR = "admin"
DEMO_USER = "demo"
DEMO_SCOPES = ("market", "read", "trade")
DEMO_ENVIRONMENTS = ("demo",)

LOGIN_LENGTH = 16
LOGIN_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1, l, I and o: passwords are read from a screen. 16 of 55 letters are 92 bits."""

LOCK_NUMBER = 7_110_525_711
"""PostgreSQL's advisory lock of this file, any number that nobody else uses."""

LOGIN_LOST = f".venv/bin/python manage.py changepassword {ADMINISTRATOR}"
KEY_LOST = f".venv/bin/python manage.py issue_key {DEMO_USER} --env demo --scope market --scope read --scope trade"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What this run made: the secrets are empty when they had been made before."""

    administrator_password: str
    demo_key: str


def prepare(say: Callable[[str], object]) -> Prepared:
    """Make the database ready to serve and say what a person needs to know; several processes may do so at once."""
    from market.seed import products_seed

    with _one_at_a_time():
        migrate()
        products_seed()
        prepared = Prepared(administrator_password=administrator_create(), demo_key=demo_key_create())
    say(welcome(prepared, address=address()))
    return prepared


def migrate() -> None:
    """Bring the tables up to date; when they are, only look."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def administrator_create() -> str:
    """Create the first administrator and return the password; `""` when there is one already."""
    from accounts.models import User

    if User.objects.filter(is_superuser=True).exists() or User.objects.filter(username=ADMINISTRATOR).exists():
        return ""
    password = "".join(secrets.choice(LOGIN_LETTERS) for _ in range(LOGIN_LENGTH))
    User.objects.create_superuser(ADMINISTRATOR, password=password)
    return password


def demo_key_create() -> str:
    """Create the demo user with a key for demo trading only and return its secret; `""` when there is one already."""
    from accounts.models import User
    from accounts.services import api_key_create

    with transaction.atomic():  # a user without a key would never get one
        user, created = User.objects.get_or_create(username=DEMO_USER)
        if not created:
            return ""
        user.set_unusable_password()
        user.save()
        _, secret = api_key_create(user=user, label="demo", scopes=DEMO_SCOPES, environments=DEMO_ENVIRONMENTS)
        return secret


def address() -> str:
    """Return host and port as a client on this machine writes them."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104  # compared, not bound
    return f"[{host}]:{settings.PORT}" if ":" in host else f"{host}:{settings.PORT}"


def welcome(prepared: Prepared, *, address: str) -> str:
    """Return what to tell who started this: secrets when they are new, else the way to new ones, and a first client."""
    password, key = prepared.administrator_password, prepared.demo_key
    login = f"{password}  (shown this once)" if password else f"as you know it  (lost? {LOGIN_LOST})"
    shown_key = f"{key}  (shown this once)" if key else f"as you know it  (lost? {KEY_LOST})"
    return f"""
  Tickwire       http://{address}/
  administrator  {ADMINISTRATOR}
  password       {login}
  demo API key   {shown_key}

Ticks in another terminal:

.venv/bin/python -c '
import json, websocket
socket = websocket.create_connection("ws://{address}")
socket.send(json.dumps({{"type": "auth", "apiKey": "{key or "YOUR-KEY"}"}}))
socket.send(json.dumps({{"type": "subscribe", "symbols": ["EURUSD", "BTCUSD"]}}))
while True:
    print(socket.recv())
'
"""


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait until no other process prepares the same database."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_NUMBER])
    else:
        with (settings.DATA_DIR / "prepare.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
