"""Who calls REST, how often they may, and how a refusal is worded there."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, CSRFCheck, get_authorization_header
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts import services
from accounts.addresses import budget_subject, request_address
from accounts.database import AWAY, unavailable
from accounts.errors import ERRORS, Code, Refused
from accounts.identity import Identity
from accounts.limits import Budgets
from accounts.models import User

if TYPE_CHECKING:
    # DRF's views import this module by its settings.
    from rest_framework.views import APIView

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SIGNATURE_PREFIXES = ("T8", "WCX")
_SIGNED_PREFIX = "/trading"

_budgets = Budgets(settings.REDIS_URL)


class KeyAuthentication(BaseAuthentication):
    """What proving a key has in common: whoever fails is a stranger, and limited like one."""

    def authenticate(self, request: Request) -> tuple[None, Identity] | None:
        try:
            identity = self.identify(request)
            # The identity says all that a call with a key may want to know of its user.
            return None if identity is None else (None, identity)
        except Refused:
            # DRF limits calls after it knows who calls: without this, keys could be tried at any rate.
            _spend(settings.REST_LIMIT_PER_S, _stranger(request))
            raise

    def identify(self, request: Request) -> Identity | None:
        """Return whose key the call proves; None when it does not try to. Raises `Refused`."""
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SignedAuthentication(KeyAuthentication):
    """`T8-APIKEY`, `T8-SIG`, `T8-TIMESTAMP` (or `WCX-…`). Source: protocols, section 6."""

    def identify(self, request: Request) -> Identity | None:
        for prefix in SIGNATURE_PREFIXES:
            if f"{prefix}-APIKEY" in request.headers:
                return self._verify(request, prefix)
        return None

    def _verify(self, request: Request, prefix: str) -> Identity:
        stamp = request.headers.get(f"{prefix}-TIMESTAMP", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 16):
            raise Refused(Code.INVALID_SIGNATURE, f"{prefix}-TIMESTAMP is the time in ms")
        changing = request.method not in SAFE_METHODS
        return services.identity_for_signature(
            key_id=request.headers[f"{prefix}-APIKEY"],
            signature=request.headers.get(f"{prefix}-SIG", ""),
            timestamp_ms=int(stamp),
            method=request.method or "",
            path=_signed_path(request),
            body=request._request.body,
            address=request_address(request),
            now_ms=_wall_ms(),
            single_use=changing and settings.SIGNATURE_SINGLE_USE,
        )


class BearerAuthentication(KeyAuthentication):
    """`Authorization: Bearer tk_…`"""

    def identify(self, request: Request) -> Identity | None:
        kind, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        return services.identity_for_token(token=token.strip(), address=request_address(request), now_ms=_wall_ms())


class BrowserAuthentication(BaseAuthentication):
    """The browser's session; calls that change something need its CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        check = CSRFCheck(lambda _: None)  # type: ignore[arg-type]  # never called: it only checks
        check.process_request(request)
        if check.process_view(request, None, (), {}):  # type: ignore[arg-type]  # (as above)
            raise Refused(Code.CSRF_FAILED)
        return user, services.identity_of_browser(user, request._request.session.session_key or "")


class RestThrottle(BaseThrottle):
    """Calls per second and address, or per second and key or session. A refused call consumes nothing."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        identity = request.auth
        if isinstance(identity, Identity):
            _spend(settings.REST_IDENTITY_LIMIT_PER_S, identity.key_id or identity.session)
        else:
            _spend(settings.REST_LIMIT_PER_S, _stranger(request))
        return True


def _spend(limit: int, subject: str) -> None:
    retry_after_ms = _budgets.take_sync("rest", subject, count=limit, per_s=1) if limit else 0
    if retry_after_ms:
        raise Refused(Code.RATE_LIMITED, retry_after_ms=retry_after_ms)


def _stranger(request: Request) -> str:
    return budget_subject(request_address(request))


def require(request: Request, scope: str) -> Identity:
    """Return the caller's identity if it has the scope; raises `Refused`."""
    identity = request.auth
    if not isinstance(identity, Identity):
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    if scope not in identity.scopes:
        raise Refused(Code.SCOPE_DENIED)
    return identity


def require_browser(request: Request) -> User:
    """Return the user who is logged in with a browser; raises `Refused`, for keys too: none makes another."""
    identity, user = request.auth, request.user
    if not isinstance(identity, Identity):
        raise Refused(Code.AUTHENTICATION_REQUIRED)
    if not isinstance(user, User):
        raise Refused(Code.SCOPE_DENIED, "Only a browser's session may do that")
    return user


# Django's and DRF's own exceptions, in our words.
_CODES: Mapping[type[Exception], Code] = {
    exceptions.ParseError: Code.INVALID_JSON,
    exceptions.UnsupportedMediaType: Code.UNSUPPORTED_MEDIA_TYPE,
    exceptions.MethodNotAllowed: Code.METHOD_NOT_ALLOWED,
    exceptions.NotAuthenticated: Code.AUTHENTICATION_REQUIRED,
    exceptions.PermissionDenied: Code.SCOPE_DENIED,
    exceptions.NotFound: Code.NOT_FOUND,
    exceptions.NotAcceptable: Code.INVALID_PARAMETER,
    exceptions.ValidationError: Code.INVALID_PARAMETER,
    Http404: Code.NOT_FOUND,
    PermissionDenied: Code.SCOPE_DENIED,
    RequestDataTooBig: Code.MESSAGE_TOO_LARGE,
}


def rest_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to a refused call: `{"message","code"}` and details; a bug goes on to Django (500)."""
    refused = error if isinstance(error, Refused) else _refusal(error)
    if refused is None:
        return None
    response = Response(
        {"message": refused.message, "code": str(refused.code), **refused.details},
        status=ERRORS[refused.code].http_status,
    )
    retry_after_ms = refused.details.get("retry_after_ms")
    if isinstance(retry_after_ms, int):
        response["Retry-After"] = str(-(-retry_after_ms // 1000))
    if response.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _refusal(error: Exception) -> Refused | None:
    if isinstance(error, AWAY):
        return unavailable()
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), None)
    if code is None:
        return None
    return Refused(code, _wrong_fields(error) if isinstance(error, exceptions.ValidationError) else "")


def _wrong_fields(error: exceptions.ValidationError) -> str:
    """Return a sentence that names the fields, and repeats nothing of what was sent."""
    fields = [name for name in error.detail if name != "non_field_errors"] if isinstance(error.detail, dict) else []
    return f"Missing or of the wrong form: {', '.join(fields)}" if fields else ""


def _signed_path(request: Request) -> str:
    """Return the path that was signed: with its query string, without `/trading`, exactly as sent."""
    raw = _path_as_sent(request._request)
    return raw.removeprefix(_SIGNED_PREFIX) if raw.startswith(f"{_SIGNED_PREFIX}/") else raw


def _path_as_sent(request: HttpRequest) -> str:
    """Return path and query string as they came: what Django itself shows is decoded and quoted again."""
    scope: Mapping[str, Any] = getattr(request, "scope", {})
    if "raw_path" not in scope:
        return request.get_full_path_info()
    query = scope["query_string"].decode("latin-1")
    path: str = scope["raw_path"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
