"""Every setting that the environment gives: its name, default and meaning, in one table.

`manage.py settings` prints it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `default` is text, as the environment would give it."""

    name: str
    default: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("HOST", "127.0.0.1", "address to listen on"),
    Variable("PORT", "8080", "port to listen on"),
    Variable("DATA_DIR", "data", "folder of the SQLite database and the generated secrets (relative: to the project)"),
    Variable("DATABASE_URL", "", "postgres://… ; empty: SQLite in DATA_DIR"),
    Variable("REDIS_URL", "", "redis://… of a Valkey or Redis; empty: one process, everything in memory"),
    Variable("FEED", "sim", "where ticks come from: sim, replay:[SYMBOL=]FILE[,…] or none"),
    Variable("SECRET_KEY", "", "Django's secret; empty: generated once into DATA_DIR/secret-key"),
    Variable("KEY_SECRETS", "", "server keys behind the API keys, newest first, comma separated; "
             "empty: generated once into DATA_DIR/key-secret (part of the backup, the same on all hosts)"),
    Variable("ALLOWED_HOSTS", "127.0.0.1,localhost", "host names this server answers to, comma separated"),
    Variable("ORIGINS", "", "further origins (scheme://host[:port]) whose pages may use /ws/app, comma separated"),
    Variable("TRUSTED_PROXIES", "0", "how many proxies in front add to X-Forwarded-For and set X-Forwarded-Proto; "
             "0: both headers are ignored"),
    Variable("DEBUG", "0", "1: Django's debug pages; refused when HOST is not loopback"),
    Variable("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    Variable("AUTH_WINDOW_S", "30", "seconds a connection has to authenticate or to subscribe to a public channel"),
    Variable("SUBSCRIBE_INTERVAL_S", "5", "event stream: one (un)subscribe per that time and address; 0: off"),
    Variable("APP_SUBSCRIBES_PER_S", "20", "the same for /ws/app, per second and session; 0: off"),
    Variable("REST_LIMIT_PER_S", "5", "REST calls per second and address without identity; 0: off"),
    Variable("REST_IDENTITY_LIMIT_PER_S", "50", "REST calls per second and key or session; 0: off"),
    Variable("CONNECTIONS_PER_ADDRESS", "50", "open sockets per address; 0: off"),
    Variable("CONNECTIONS_PER_KEY", "20", "open sockets per API key; 0: off"),
    Variable("SIGNATURE_SINGLE_USE", "1", "0: a signature may be used again inside its 30 s (the vendor's rule)"),
    Variable("METRICS_TOKEN", "", "what GET /metrics wants as bearer token; empty: there is no such address"),
    Variable("SIGNUP", "0", "1: anybody may sign up; new users trade on a demo account only"),
    Variable("EMAIL_URL", "consolemail://", "how mails (a forgotten password, a new address) are sent: "
             "smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://…, smtp://…; consolemail:// prints them"),
    Variable("EMAIL_FROM", "tickwire@localhost", "whom mails are from"),
    Variable("STALE_AFTER_S", "8", "seconds without a tick after which a product's feed counts as stale"),
)  # fmt: skip

DEFAULTS: Mapping[str, str] = {variable.name: variable.default for variable in VARIABLES}


class SettingInvalid(ValueError):
    """An environment variable whose text cannot be used; the message names it."""


def text(name: str) -> str:
    """Return a variable's text, or its default when it is unset or empty."""
    return os.environ.get(name, "") or DEFAULTS[name]


def number(name: str) -> float:
    """Return a variable as a number >= 0; raises `SettingInvalid`."""
    raw = text(name)
    try:
        value = float(raw)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SettingInvalid(f"{name} must be a number of at least 0, not {raw!r}")
    return value


def whole(name: str) -> int:
    """Return a variable as a whole number >= 0; raises `SettingInvalid`."""
    value = number(name)
    if value != int(value):
        raise SettingInvalid(f"{name} must be a whole number, not {text(name)!r}")
    return int(value)


def names(name: str) -> list[str]:
    """Return a comma-separated variable as a list without blanks and empty entries."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def data_dir() -> Path:
    """Return the data folder, created (mode 0700) when it is not there."""
    folder = BASE_DIR / text("DATA_DIR")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
