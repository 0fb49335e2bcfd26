"""Users, their API keys, and the record of what was taken away from whom."""

import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts.addresses import parse_networks

SCOPES = ("market", "read", "trade", "feed")
ENVIRONMENTS = ("live", "demo")
DEFAULT_SCOPES = ("market", "read")

MAX_NETWORKS = 100
"""Networks in a key's list, which is read at every use."""


class ToldTogether(models.Model):
    """What a change takes away (`signals.py`) is told in the change's own transaction.

    Told before, a socket that comes back in between would be let in and stay.
    """

    class Meta:
        abstract = True

    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        super().save(*args, **options)


def default_scopes() -> list[str]:
    return list(DEFAULT_SCOPES)


def default_environments() -> list[str]:
    return list(ENVIRONMENTS)


def validate_scopes(value: list[str]) -> None:
    _validate_choice(value, SCOPES, "scopes")


def validate_environments(value: list[str]) -> None:
    _validate_choice(value, ENVIRONMENTS, "environments")


def validate_networks(value: str) -> None:
    try:
        networks = parse_networks(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if len(networks) > MAX_NETWORKS:
        raise ValidationError(f"At most {MAX_NETWORKS} networks")


def _validate_choice(value: object, allowed: tuple[str, ...], what: str) -> None:
    if not isinstance(value, list) or not value or not set(value) <= set(allowed):
        raise ValidationError(f"{what} are one or more of {', '.join(allowed)}")


class User(AbstractUser, ToldTogether):  # noqa: DJ008  # its base has one
    """Somebody who logs in or holds keys."""

    environments = models.JSONField(
        default=default_environments,
        validators=[validate_environments],
        help_text="Where this user may trade: live, demo or both. Who signs up gets demo.",
    )

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined,misc]  # the stubs leave it out
        permissions = [
            ("view_overview", "Can watch the overview"),
            ("view_connections", "Can see open connections"),
            ("end_connections", "Can end open connections"),
            ("view_refusals", "Can see refused ticks"),
        ]


class ApiKey(ToldTogether):
    """What a program proves itself with. The secret is nowhere: each generation's is derived from a server key."""

    public_id = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="The event stream's `key`; no secret."
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    label = models.CharField(max_length=64, blank=True, help_text="What this key is for.")
    scopes = models.JSONField(
        default=default_scopes,
        validators=[validate_scopes],
        help_text="market: prices; read: private streams and reads; trade: orders; feed: publish ticks. "
        "None implies another.",
    )
    environments = models.JSONField(
        default=default_environments, validators=[validate_environments], help_text="live, demo or both."
    )
    networks = models.TextField(
        blank=True,
        validators=[validate_networks],
        help_text="Addresses that may use the key, in CIDR notation, separated by blanks; empty: all.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_address = models.GenericIPAddressField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.label or 'key'} {str(self.public_id)[:8]}…"

    def clean(self) -> None:
        if hasattr(self, "user") and not set(self.environments) <= set(self.user.environments):
            raise ValidationError({"environments": f"This user may use: {', '.join(self.user.environments)}"})

    @property
    def state(self) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= timezone.now() else "active"


class ApiKeyGeneration(models.Model):
    """One secret of a key; rotation makes a new one and lets the old live for an overlap."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret.")
    server_key = models.CharField(max_length=16, help_text="Fingerprint of the server key it was derived from.")
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="one_generation_per_number")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"generation {self.number} of {self.key}"


class AccessChange(models.Model):
    """Access that was taken away: a key's (`key_id`), a browser session's (`session`) or a whole user's.

    With a `generation`, only those are concerned who came with that secret of the key, and from the time `at` on.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    user_id = models.BigIntegerField()
    key_id = models.CharField(max_length=36, blank=True)
    generation = models.PositiveIntegerField(default=0)
    session = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"access of user {self.user_id} changed"


class UsedSignature(models.Model):
    """A signature that was accepted once and is not again while its window lasts."""

    digest = models.CharField(max_length=64, unique=True)
    expires_ms = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return "a used signature"
