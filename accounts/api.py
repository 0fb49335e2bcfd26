"""REST about one's own keys, for the browser that is logged in. Source: protocols, section 6."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import openapi  # noqa: F401  # registers itself
from accounts.authentication import require_browser
from accounts.errors import Code, Refused
from accounts.models import DEFAULT_SCOPES, ENVIRONMENTS, SCOPES, ApiKey, validate_networks
from accounts.services import api_key_create, api_key_revoke, api_key_rotate

MAX_NAME, MAX_NAMED = 32, 5
"""How much of the names that are not known a refusal repeats."""

SESSION_ONLY: list[Any] = [{"session": []}]


class KeyRequest(serializers.Serializer[Any]):
    """What a new key is to be."""

    label = serializers.CharField(max_length=64, default="", allow_blank=True)  # type: ignore[assignment]  # a field
    scopes = serializers.ListField(
        child=serializers.ChoiceField(SCOPES), allow_empty=False, default=list(DEFAULT_SCOPES),
        help_text="None implies another; feed (publish ticks) is for staff to give.",
    )  # fmt: skip
    environments = serializers.ListField(
        child=serializers.ChoiceField(ENVIRONMENTS), allow_empty=False, required=False,
        help_text="Left out: all that the user has.",
    )  # fmt: skip
    expires_at = serializers.DateTimeField(default=None, allow_null=True, help_text="ISO 8601; UTC without a zone.")
    networks = serializers.CharField(
        default="", allow_blank=True, validators=[validate_networks],
        help_text="Networks that may use it, in CIDR notation, separated by blanks; empty: all.",
    )  # fmt: skip

    def validate_expires_at(self, expires_at: datetime | None) -> datetime | None:
        if expires_at is not None and expires_at <= timezone.now():
            raise serializers.ValidationError("over already")
        return expires_at

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # A misspelt bound must not become a key without it.
        unknown = set(self.initial_data) - set(self.fields) - {"csrfmiddlewaretoken"}
        if unknown:
            raise serializers.ValidationError({name[:MAX_NAME]: "unknown" for name in sorted(unknown)[:MAX_NAMED]})
        return attrs


class IssuedKey(serializers.Serializer[Any]):
    """A key and its secret, which is not to be had again."""

    id = serializers.UUIDField(help_text="The key's public id, `key` on the event stream.")
    secret = serializers.CharField()


class KeyId(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class KeysView(APIView):
    @extend_schema(summary="Issue a key", request=KeyRequest, responses={201: IssuedKey}, auth=SESSION_ONLY)
    def post(self, request: Request) -> Response:
        user = require_browser(request)
        wanted = KeyRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        if "feed" in wanted.validated_data["scopes"] and not user.is_staff:
            raise Refused(Code.SCOPE_DENIED, "Only staff may give the scope feed")
        if not set(wanted.validated_data.get("environments", ())) <= set(user.environments):
            raise Refused(Code.ENVIRONMENT_DENIED, "A key may use what its user may")
        key, secret = api_key_create(user=user, **wanted.validated_data)
        return _shown_once(key, secret, status=201)


class KeyRotateView(APIView):
    @extend_schema(
        summary="Give a key a new secret; the old one works for another day",
        request=None, responses={200: IssuedKey}, auth=SESSION_ONLY,
    )  # fmt: skip
    def post(self, request: Request, key_id: str) -> Response:
        key = _own_key(request, key_id)
        if key.revoked_at is not None:
            raise Refused(Code.NOT_FOUND)
        return _shown_once(key, api_key_rotate(key))


class KeyRevokeView(APIView):
    @extend_schema(
        summary="Revoke a key for good, and close its sockets",
        request=None, responses={200: KeyId}, auth=SESSION_ONLY,
    )  # fmt: skip
    def post(self, request: Request, key_id: str) -> Response:
        key = _own_key(request, key_id)
        api_key_revoke(key)
        return Response({"id": str(key.public_id)})


def _own_key(request: Request, text: str) -> ApiKey:
    """Return one of the caller's own keys; raises `Refused` (NOT_FOUND for another's as for nobody's)."""
    user = require_browser(request)
    try:
        key = ApiKey.objects.filter(user=user, public_id=uuid.UUID(text)).first()
    except ValueError:
        key = None
    if key is None:
        raise Refused(Code.NOT_FOUND)
    return key


def _shown_once(key: ApiKey, secret: str, *, status: int = 200) -> Response:
    """Return the one answer with a secret; no cache may keep it."""
    return Response({"id": str(key.public_id), "secret": secret}, status=status, headers={"Cache-Control": "no-store"})
