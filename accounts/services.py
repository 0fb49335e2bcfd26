"""What happens to keys, and who a token, a signature or a browser session is."""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial

from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts import keys, signing
from accounts.access_changes import access_change
from accounts.addresses import in_networks, parse_networks
from accounts.errors import Code, Refused
from accounts.identity import VIEW_OVERVIEW, Identity
from accounts.kept import kept_generations, kept_newest
from accounts.models import (
    DEFAULT_SCOPES,
    ENVIRONMENTS,
    SCOPES,
    ApiKey,
    ApiKeyGeneration,
    UsedSignature,
    User,
)

LAST_USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: a write per use would make reading keys as dear as placing orders."""

MAX_GENERATIONS_TRIED = 2
"""A signature does not say which generation made it: the newest and the one before, during its overlap."""

SIGNATURE_KEPT_MS = 4 * signing.WINDOW_MS
"""Until twice a window after the last clock of ours that is right accepts it: another host's may be behind."""

DEFAULT_OVERLAP_S = 24 * 3600


# ---- keys


@transaction.atomic
def api_key_create(
    *,
    user: User,
    label: str = "",
    scopes: Sequence[str] = DEFAULT_SCOPES,
    environments: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    networks: str = "",
) -> tuple[ApiKey, str]:
    """Issue a key; return it with its secret, which is not to be had again. Raises `ValidationError`.

    `environments`: all that the user has, unless told otherwise.
    """
    key = ApiKey(
        user=user,
        label=label,
        scopes=_in_order(scopes, SCOPES),
        environments=_in_order(user.environments if environments is None else environments, ENVIRONMENTS),
        expires_at=expires_at,
        networks=networks,
    )
    key.full_clean()
    key.save()
    return key, _generation_create(key, 1)


@transaction.atomic
def api_key_rotate(key: ApiKey, *, overlap_s: int = DEFAULT_OVERLAP_S) -> str:
    """Give a key a new secret and return it; the old one, and its sockets, live for the overlap.

    Raises `Refused` (KEY_REVOKED).
    """
    # Two rotations at once follow one another, and a key that has just been revoked is seen to be.
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.revoked_at is not None:
        raise Refused(Code.KEY_REVOKED)
    now = timezone.now()
    living = list(key.generations.filter(Q(valid_until=None) | Q(valid_until__gt=now)))
    for generation in living:
        # At most two are ever tried: what is older than the one that is being replaced ends now.
        _generation_end(key, generation, now + timedelta(seconds=overlap_s) if generation == living[0] else now)
    newest = key.generations.aggregate(number=Max("number"))["number"]
    return _generation_create(key, newest + 1)


@transaction.atomic
def api_key_revoke(key: ApiKey) -> None:
    """End a key for good and close the sockets it opened."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        access_change(user_id=key.user_id, key_id=str(key.public_id))
    key.refresh_from_db()


def _in_order(chosen: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return each chosen name once, in the order of those known; unknown ones stay, for the validator to name."""
    return [name for name in known if name in chosen] + [name for name in chosen if name not in known]


def _generation_end(key: ApiKey, generation: ApiKeyGeneration, at: datetime) -> None:
    key.generations.filter(pk=generation.pk).update(valid_until=at)
    access_change(user_id=key.user_id, key_id=str(key.public_id), generation=generation.number, at=at)


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
    digest = keys.digest(token)
    generation = kept_generations.get(digest) or kept_generations.read(digest, partial(_generation_of, digest))
    identity = _identity_of_holder(generation, token, address=address, now_ms=now_ms)
    if generation is not None:
        _note_use(generation.key, address, now_ms)
    return identity


def identity_known(*, token: str, address: str, now_ms: int) -> Identity | None:
    """Do the same where it takes no query, because somebody used the key just now; None where it takes one."""
    generation = kept_generations.get(keys.digest(token)) if keys.well_formed(token) else None
    if generation is None or _use_is_due(generation.key, now_ms):
        return None
    return _identity_of_holder(generation, token, address=address, now_ms=now_ms)


def _identity_of_holder(generation: ApiKeyGeneration | None, token: str, *, address: str, now_ms: int) -> Identity:
    # Compared with what the server key makes of it, not found by its digest only: without the server key, neither
    # its holder nor somebody who can write to the database has a key.
    secret = None if generation is None else _secret(generation)
    if generation is None or secret is None or not hmac.compare_digest(secret, token):
        raise Refused(Code.INVALID_KEY)
    if not _lives(generation, now_ms):
        raise Refused(Code.KEY_EXPIRED)
    return _identity(generation, address=address, now_ms=now_ms)


def _generation_of(digest: str) -> ApiKeyGeneration | None:
    return ApiKeyGeneration.objects.select_related("key__user").filter(digest=digest).first()


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
    public_id = _uuid(key_id)
    if public_id is None or not signing.well_formed(signature):
        raise Refused(Code.INVALID_SIGNATURE)
    matches = partial(
        signing.matches, signature=signature, timestamp_ms=timestamp_ms, method=method, path=path, body=body
    )
    # What is kept may lack the newest secret; only what is read anew refuses.
    proven = _prover(kept_newest.get(public_id), matches, now_ms)
    if proven is None:
        proven = _prover(kept_newest.read(public_id, partial(_newest_generations, public_id)), matches, now_ms)
    if proven is None:
        raise Refused(Code.INVALID_SIGNATURE)
    identity = _identity(proven, address=address, now_ms=now_ms)
    if single_use:
        _use_once(signature, now_ms)
    _note_use(proven.key, address, now_ms)
    return identity


def _prover(
    newest: Sequence[ApiKeyGeneration] | None, matches: Callable[[str], bool], now_ms: int
) -> ApiKeyGeneration | None:
    """Return the living generation whose secret it was.

    As many comparisons for an unknown key as for a known one: time must not tell them apart.
    """
    tried = [(generation, _secret(generation)) for generation in newest or () if _lives(generation, now_ms)]
    known: list[tuple[ApiKeyGeneration | None, str]] = [(one, secret) for one, secret in tried if secret is not None]
    proven = None
    for generation, secret in known + [(None, "")] * (MAX_GENERATIONS_TRIED - len(known)):
        if matches(secret):
            proven = generation
    return proven


def _lives(generation: ApiKeyGeneration, now_ms: int) -> bool:
    end_ms = _ms(generation.valid_until)
    return end_ms is None or end_ms >= now_ms


def _newest_generations(public_id: uuid.UUID) -> tuple[ApiKeyGeneration, ...]:
    generations = ApiKeyGeneration.objects.select_related("key__user").filter(key__public_id=public_id)
    return tuple(generations.order_by("-number")[:MAX_GENERATIONS_TRIED])


def identity_for_session(session_key: str) -> Identity:
    """Return who is logged in with a browser session; raises `Refused` (AUTHENTICATION_REQUIRED)."""
    # A cookie may hold anything, NUL characters too, which PostgreSQL does not take.
    session = SessionStore(session_key) if session_key.isascii() and session_key.isalnum() else None
    user_id = session.get("_auth_user_id") if session is not None else None
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    if session is None or user is None or session.get("_auth_user_hash") != user.get_session_auth_hash():
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    return replace(identity_of_browser(user, session_key), rights=_rights(user))


def identity_of_browser(user: User, session_key: str) -> Identity:
    """Return the identity of a logged-in user: everything but publishing."""
    return Identity(
        user_id=user.pk,
        username=user.get_username(),
        scopes=frozenset(SCOPES) - {"feed"},
        environments=frozenset(user.environments),
        session=session_digest(session_key),
    )


def _rights(user: User) -> frozenset[str]:
    """Return what this user may watch as a member of the staff."""
    return frozenset({VIEW_OVERVIEW}) if user.is_staff and user.has_perm(VIEW_OVERVIEW) else frozenset()


def session_digest(session_key: str) -> str:
    return hashlib.sha256(f"session:{session_key}".encode()).hexdigest()


def _identity(generation: ApiKeyGeneration, *, address: str, now_ms: int) -> Identity:
    """Return a proven key's identity if it may be used now and from here."""
    key = generation.key
    if key.revoked_at is not None or not key.user.is_active:
        raise Refused(Code.KEY_REVOKED)
    expiry_ms = _ms(key.expires_at)
    if expiry_ms is not None and expiry_ms <= now_ms:
        raise Refused(Code.KEY_EXPIRED)
    networks = parse_networks(key.networks)
    if networks and not in_networks(address, networks):
        raise Refused(Code.ADDRESS_NOT_ALLOWED)
    ends_ms = [at_ms for at_ms in (expiry_ms, _ms(generation.valid_until)) if at_ms is not None]
    return Identity(
        user_id=key.user_id,
        username=key.user.get_username(),
        scopes=frozenset(key.scopes),
        environments=frozenset(key.environments) & frozenset(key.user.environments),
        key_id=str(key.public_id),
        generation=generation.number,
        expires_ms=min(ends_ms, default=None),
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def _note_use(key: ApiKey, address: str, now_ms: int) -> None:
    if _use_is_due(key, now_ms):
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        # Asked again in the update itself: of many uses at once, one writes.
        due = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_EVERY)
        ApiKey.objects.filter(due, pk=key.pk).update(last_used_at=now, last_used_address=address)
        key.last_used_at = now


def _use_is_due(key: ApiKey, now_ms: int) -> bool:
    used_ms = _ms(key.last_used_at)
    return used_ms is None or now_ms - used_ms >= LAST_USED_EVERY // timedelta(milliseconds=1)


def _secret(generation: ApiKeyGeneration) -> str | None:
    """Return a generation's secret, derived again; None when its server key is not configured any more."""
    server_key = _server_keys(tuple(settings.KEY_SECRETS)).get(generation.server_key)
    if server_key is None:
        return None
    key = generation.key
    # The prefix was chosen when the generation was made, and its digest tells which it was.
    for demo_only in (False, True):
        secret = keys.derive_secret(
            server_key, key_id=str(key.public_id), generation=generation.number, demo_only=demo_only
        )
        if keys.digest(secret) == generation.digest:
            return secret
    return None


@lru_cache(maxsize=4)
def _server_keys(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """fingerprint -> server key"""
    return {keys.fingerprint(secret.encode()): secret.encode() for secret in secrets}


def second_factor_use(user_id: int, code: str) -> bool:
    """Use up a user's code; False if it was before. One that has been watched being typed opens nothing."""
    plain = "".join(filter(str.isalnum, code)).lower()
    return _first_use(f"second factor:{user_id}:{plain}".encode(), time.time_ns() // 1_000_000)


def recovery_codes_left(user: User) -> int:
    """Return how many of the recovery codes have not been used; read without unsealing them."""
    stored = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return 0 if stored is None else mfa_settings.RECOVERY_CODE_COUNT - int(stored.data["used_mask"]).bit_count()


def second_factor_remove(user: User) -> bool:
    """Let a user log in with the password alone; False if that was so."""
    removed, _ = Authenticator.objects.filter(user=user).delete()
    return bool(removed)


def _use_once(signature: str, now_ms: int) -> None:
    if not _first_use(signing.canonical(signature), now_ms):
        raise Refused(Code.SIGNATURE_REUSED)


def _first_use(proof: bytes, now_ms: int) -> bool:
    """Remember a proof for as long as it is good for; False when it is remembered already, whichever process asks."""
    UsedSignature.objects.filter(expires_ms__lt=now_ms).delete()
    try:
        with transaction.atomic():
            UsedSignature.objects.create(
                digest=hashlib.sha256(proof).hexdigest(), expires_ms=now_ms + SIGNATURE_KEPT_MS
            )
    except IntegrityError:
        return False
    return True


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
