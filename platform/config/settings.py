"""Django's settings, read from the environment in one place (`env.py` lists every variable)."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import environ

from config import env

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()


def _kept_secret(path: Path) -> str:
    """Return the secret kept in a file of mode 0600, generated on first use."""
    if not path.exists():
        # Complete before it has its name: another process that starts now must not read half a secret.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


HOST = env.text("HOST")
PORT = env.whole("PORT")
REDIS_URL = env.text("REDIS_URL")
FEED = env.text("FEED")
SECRET_KEY = env.text("SECRET_KEY") or _kept_secret(DATA_DIR / "secret-key")
KEY_SECRETS = env.names("KEY_SECRETS") or [_kept_secret(DATA_DIR / "key-secret")]
DEBUG = env.whole("DEBUG") == 1
if DEBUG and HOST not in ("127.0.0.1", "localhost", "::1"):
    raise env.SettingInvalid("DEBUG=1 shows internals to everyone who can connect: use it with a loopback HOST only")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS")
ORIGINS = env.names("ORIGINS")
CSRF_TRUSTED_ORIGINS = ORIGINS
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES")
# What we write into mails and samples is the address that the browser has, https behind a proxy that says so.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None

AUTH_WINDOW_S = env.number("AUTH_WINDOW_S")
SUBSCRIBE_INTERVAL_S = env.number("SUBSCRIBE_INTERVAL_S")
APP_SUBSCRIBES_PER_S = env.whole("APP_SUBSCRIBES_PER_S")
REST_LIMIT_PER_S = env.whole("REST_LIMIT_PER_S")
REST_IDENTITY_LIMIT_PER_S = env.whole("REST_IDENTITY_LIMIT_PER_S")
CONNECTIONS_PER_ADDRESS = env.whole("CONNECTIONS_PER_ADDRESS")
CONNECTIONS_PER_KEY = env.whole("CONNECTIONS_PER_KEY")
SIGNATURE_SINGLE_USE = env.whole("SIGNATURE_SINGLE_USE") == 1
METRICS_TOKEN = env.text("METRICS_TOKEN")
STALE_AFTER_S = env.number("STALE_AFTER_S")
SIGNUP = env.whole("SIGNUP") == 1

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "config",
    "accounts",
    "market",
    "trading",
    "streaming",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "accounts.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionSeenMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# SQLite: WAL, IMMEDIATE and FULL together keep every committed row through kill -9 and power loss, and turn
# "database is locked" into waiting. PostgreSQL: Django's persistent connections do not work under ASGI, its pool does.
if env.text("DATABASE_URL"):
    _database = environ.Env.db_url_config(env.text("DATABASE_URL"))
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "pool": {"min_size": 0, "max_size": 12, "timeout": 5}}
else:
    _database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "tickwire.sqlite3",
        # A few threads keep theirs: opening one takes as long as ten queries.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            # 32 MB of pages for each connection, taken as they are needed: with the usual 2 the journal reads the
            # same pages of its indexes for every batch again.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
            "PRAGMA cache_size=-32768;",
        },
        # A test's server process needs the same database, so it is a file.
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Pub/sub, not the core layer: that one's capacity is shared by all consumers of a process and overflows in silence.
# redis-py 8 would otherwise give up on idle reads after 5 s.
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "tickwire"},
        }
    }
else:
    CHANNEL_LAYERS = {
        # A hub reads its one channel at once; the capacity only has to hold one loop turn's burst.
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
    }

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

# Log-in, second factor, mails: django-allauth behind our own pages (accounts/urls.py).
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Tickwire] "
# Its own limits count per process; ours (accounts/attempts.py) in all of them.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "accounts.adapters.TwoFactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODE_DIGITS = 10
# A phone's clock may be a step off (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Tickwire"

vars().update(environ.Env.email_url_config(env.text("EMAIL_URL")))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.SignedAuthentication",
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.authentication.RestThrottle"],
    "DEFAULT_PARSER_CLASSES": [
        "config.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.schema.Schema",
    "EXCEPTION_HANDLER": "accounts.authentication.rest_error",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tickwire REST API",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [
    (f"vendor/{name}", BASE_DIR / "node_modules" / name / "dist") for name in ("lightweight-charts", "uplot")
]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False


def SERVESTATIC_ADD_HEADERS_FUNCTION(headers: Any, _path: str, _url: str) -> None:  # a setting's name
    """Files pass no middleware that would say so."""
    headers["X-Content-Type-Options"] = "nosniff"


LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "secrets": {"()": "accounts.logs.MaskSecrets"},
        "one_line": {"()": "accounts.logs.OneLine"},
        "refusals": {"()": "accounts.logs.RefusalsInOneLine"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secrets"]}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL")},
    "loggers": {
        # One line per request is what a reverse proxy's log is for.
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "django.request": {"filters": ["refusals"]},
        "channels_redis.pubsub": {"filters": ["one_line"]},
    },
}
