"""How the OpenAPI description names the three ways to say who calls."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class SignedScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    target_class = "accounts.authentication.SignedAuthentication"
    # All three headers together: OpenAPI knows one per scheme.
    name = ["signedKey", "signedSignature", "signedTimestamp"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            _header("T8-APIKEY", "The key's public id. WCX-… works like T8-…"),
            _header("T8-SIG", "Base64 HMAC-SHA256 over timestamp + METHOD + path (no /trading) with query + body."),
            _header("T8-TIMESTAMP", "The time in ms, at most 30 s from the server's."),
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {name: [] for name in self.name}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # (as above)
    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "tk_live_… or tk_demo_…"}


class BrowserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # (as above)
    target_class = "accounts.authentication.BrowserAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME,
            "description": "A browser's log-in; changing calls need the header X-CSRFToken too.",
        }  # fmt: skip


def _header(name: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}
