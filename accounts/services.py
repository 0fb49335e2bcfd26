"""What happens to keys, and who a token, a signature or a browser session is."""

import hashlib
import ipaddress
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts import keys, signing
from accounts.addresses import in_networks, parse_networks
from accounts.errors import Code, Refused
from accounts.identity import Identity
from accounts.models import (
    DEFAULT_SCOPES,
    ENVIRONMENTS,
    SCOPES,
    AccessChange,
    ApiKey,
    ApiKeyGeneration,
    UsedSignature,
    User,
)

LAST_USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: a write per use would make reading keys as dear as placing orders."""

MAX_GENERATIONS_TRIED = 2
"""A signature does not say which generation made it: the newest and the one before, during its overlap."""

ACCESS_CHANGE_OVERLAP = 100
"""Rows read again: on PostgreSQL a lower number may be committed after a higher one was read."""

ACCESS_CHANGE_RETENTION = timedelta(days=7)
DEFAULT_OVERLAP_S = 24 * 3600

ALL_SESSIONS = "*"
"""As an access change's session: every browser of the user, but none of its keys."""


# ---- keys


@transaction.atomic
def api_key_create(
    *,
    user: User,
    label: str = "",
    scopes: Sequence[str] = DEFAULT_SCOPES,
    environments: Sequence[str] = ENVIRONMENTS,
    expires_at: datetime | None = None,
    networks: str = "",
) -> tuple[ApiKey, str]:
    """Issue a key; return it with its secret, which is not to be had again. Raises `ValidationError`."""
    key = ApiKey(
        user=user,
        label=label,
        scopes=[scope for scope in SCOPES if scope in scopes] if set(scopes) <= set(SCOPES) else list(scopes),
        environments=list(environments),
        expires_at=expires_at,
        networks=networks,
    )
    key.full_clean()
    key.save()
    return key, _generation_create(key, 1)


@transaction.atomic
def api_key_rotate(key: ApiKey, *, overlap_s: int = DEFAULT_OVERLAP_S) -> str:
    """Give a key a new secret and return it; the old one stays valid for the overlap."""
    if key.revoked_at is not None:
        raise Refused(Code.KEY_REVOKED)
    newest = key.generations.select_for_update().aggregate(number=Max("number"))["number"]
    now = timezone.now()
    key.generations.filter(number=newest).update(valid_until=now + timedelta(seconds=overlap_s))
    # At most two are ever tried: what is older than the one that is being replaced ends now.
    key.generations.filter(number__lt=newest).filter(Q(valid_until=None) | Q(valid_until__gt=now)).update(
        valid_until=now
    )
    return _generation_create(key, newest + 1)


@transaction.atomic
def api_key_revoke(key: ApiKey) -> None:
    """End a key for good and close the sockets it opened."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        access_change(user_id=key.user_id, key_id=str(key.public_id))
    key.refresh_from_db()


def _generation_create(key: ApiKey, number: int) -> str:
    server_key = settings.KEY_SECRETS[0].encode()
    secret = keys.derive_secret(
        server_key, key_id=str(key.public_id), generation=number, demo_only=key.environments == ["demo"]
    )
    ApiKeyGeneration.objects.create(
        key=key,
        number=number,
        digest=keys.digest(secret),
        server_key=keys.fingerprint(server_key),
        last_four=secret[-4:],
    )
    return secret


# ---- who is asking


def identity_for_token(*, token: str, address: str, now_ms: int) -> Identity:
    """Return who a bearer secret belongs to.

    Raises `Refused`: INVALID_KEY, KEY_REVOKED, KEY_EXPIRED, ADDRESS_NOT_ALLOWED.
    """
    if not keys.well_formed(token):
        raise Refused(Code.INVALID_KEY)
    generation = ApiKeyGeneration.objects.select_related("key__user").filter(digest=keys.digest(token)).first()
    if generation is None:
        raise Refused(Code.INVALID_KEY)
    if generation.valid_until is not None and generation.valid_until.timestamp() * 1000 < now_ms:
        raise Refused(Code.KEY_EXPIRED)
    return _identity(generation.key, address=address, now_ms=now_ms)


def identity_for_signature(
    *,
    key_id: str,
    signature: str,
    timestamp_ms: int,
    method: str,
    path: str,
    body: bytes,
    address: str,
    now_ms: int,
    single_use: bool,
) -> Identity:
    """Return whose key signed a request; with `single_use`, accept it once in all processes.

    Raises `Refused`: TIMESTAMP_OUT_OF_WINDOW, INVALID_SIGNATURE (an unknown key id, too), SIGNATURE_REUSED, and what
    `identity_for_token` raises of a key.
    """
    if not signing.within_window(timestamp_ms, now_ms):
        raise Refused(Code.TIMESTAMP_OUT_OF_WINDOW, server_time=now_ms, drift_ms=timestamp_ms - now_ms)
    generations = list(
        ApiKeyGeneration.objects.select_related("key__user")
        .filter(key__public_id=_uuid(key_id))
        .filter(Q(valid_until=None) | Q(valid_until__gte=datetime.fromtimestamp(now_ms / 1000, UTC)))
        .order_by("-number")[:MAX_GENERATIONS_TRIED]
    )
    secrets = [_secret(generation) for generation in generations]
    # As many comparisons for an unknown key as for a known one: time must not tell them apart.
    secrets += ["unknown"] * (MAX_GENERATIONS_TRIED - len(secrets))
    fits = [
        signing.matches(secret, signature, timestamp_ms=timestamp_ms, method=method, path=path, body=body)
        for secret in secrets
    ]
    if not generations or not any(fits[: len(generations)]):
        raise Refused(Code.INVALID_SIGNATURE)
    identity = _identity(generations[0].key, address=address, now_ms=now_ms)
    if single_use:
        _use_once(signature, now_ms)
    return identity


def identity_for_session(session_key: str) -> Identity:
    """Return who is logged in with a browser session; raises `Refused` (AUTHENTICATION_REQUIRED)."""
    session = SessionStore(session_key) if session_key else None
    user_id = session.get("_auth_user_id") if session is not None else None
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    if session is None or user is None or session.get("_auth_user_hash") != user.get_session_auth_hash():
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    return identity_of_browser(user, session_key)


def identity_of_browser(user: User, session_key: str) -> Identity:
    """Return the identity of a logged-in user: everything but publishing."""
    return Identity(
        user_id=user.pk,
        username=user.get_username(),
        scopes=frozenset(SCOPES) - {"feed"},
        environments=frozenset(ENVIRONMENTS),
        session=session_digest(session_key),
    )


def session_digest(session_key: str) -> str:
    return hashlib.sha256(f"session:{session_key}".encode()).hexdigest()


def _identity(key: ApiKey, *, address: str, now_ms: int) -> Identity:
    """Return a proven key's identity if it may be used now and from here."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    if key.revoked_at is not None or not key.user.is_active:
        raise Refused(Code.KEY_REVOKED)
    if key.expires_at is not None and key.expires_at <= now:
        raise Refused(Code.KEY_EXPIRED)
    networks = parse_networks(key.networks)
    if networks and not in_networks(address, networks):
        raise Refused(Code.ADDRESS_NOT_ALLOWED)
    _note_use(key, address, now)
    return Identity(
        user_id=key.user_id,
        username=key.user.get_username(),
        scopes=frozenset(key.scopes),
        environments=frozenset(key.environments),
        key_id=str(key.public_id),
    )


def _note_use(key: ApiKey, address: str, now: datetime) -> None:
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_EVERY:
        known = ipaddress.ip_address(address)
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now, last_used_address=str(known))


def _secret(generation: ApiKeyGeneration) -> str:
    """Return a generation's secret, derived again; "unknown" when its server key is not configured any more."""
    server_key = _server_keys(tuple(settings.KEY_SECRETS)).get(generation.server_key)
    if server_key is None:
        return "unknown"
    key = generation.key
    # The prefix was chosen when the generation was made, and its digest tells which it was.
    for demo_only in (False, True):
        secret = keys.derive_secret(
            server_key, key_id=str(key.public_id), generation=generation.number, demo_only=demo_only
        )
        if keys.digest(secret) == generation.digest:
            return secret
    return "unknown"


@lru_cache(maxsize=4)
def _server_keys(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """fingerprint -> server key"""
    return {keys.fingerprint(secret.encode()): secret.encode() for secret in secrets}


def _use_once(signature: str, now_ms: int) -> None:
    UsedSignature.objects.filter(expires_ms__lt=now_ms).delete()
    digest = hashlib.sha256(signing.canonical(signature)).hexdigest()
    try:
        with transaction.atomic():
            UsedSignature.objects.create(digest=digest, expires_ms=now_ms + 2 * signing.WINDOW_MS)
    except IntegrityError:
        raise Refused(Code.SIGNATURE_REUSED) from None


def _uuid(text: str) -> str:
    """Return a key id that the database can compare; one that is no UUID becomes one that nobody has."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.UUID(int=0))


# ---- what was taken away


def access_change(*, user_id: int, key_id: str = "", session: str = "") -> None:
    """Record that access ended; every process closes the sockets concerned. Call it in the same transaction."""
    AccessChange.objects.create(user_id=user_id, key_id=key_id, session=session)
    AccessChange.objects.filter(at__lt=timezone.now() - ACCESS_CHANGE_RETENTION).delete()


def access_changes_after(cursor: int) -> list[AccessChange]:
    """Return what was taken away since, oldest first, and some before it again: skip the numbers you have seen."""
    return list(AccessChange.objects.filter(pk__gt=cursor - ACCESS_CHANGE_OVERLAP))


def newest_access_change() -> int:
    return AccessChange.objects.aggregate(newest=Max("pk"))["newest"] or 0
