"""Users and their browsers, made behind the log-in: that is limited, and one test's subject only."""

import json
from typing import Any

from tests.journeys.harness import Server

PASSWORD = "correct horse battery"


def given_user(server: Server, name: str, *, email: str = "", staff: bool = False) -> None:
    """Make a user with PASSWORD."""
    make = "create_superuser" if staff else "create_user"
    server.manage(
        "shell", "--no-imports", "-c",
        f"from accounts.models import User; User.objects.{make}({name!r}, email={email!r}, password={PASSWORD!r})",
    )  # fmt: skip


def given_session(server: Server, name: str) -> Any:
    """Log a user in; return what a browser context starts with (`storage_state`)."""
    printed = server.manage("shell", "--no-imports", "-c", _SESSION.format(name=name))
    cookie = {
        "name": "sessionid", "value": json.loads(printed.splitlines()[-1]), "domain": "127.0.0.1", "path": "/",
        "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax",
    }  # fmt: skip
    return {"cookies": [cookie], "origins": []}


_SESSION = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import User
user = User.objects.get(username={name!r})
session = SessionStore()
session.update({{
    SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
    BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
}})
session.save()
print(json.dumps(session.session_key))
"""
