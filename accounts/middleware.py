"""What happens to every HTTP request: it has a request id, and its browser session was seen."""

import re
import uuid
from collections.abc import Awaitable, Callable

from allauth.usersessions.models import UserSession
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

SEEN_EVERY_S = 60
"""How exactly a session's last use is known: a write per request would cost more than most requests do."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


class RequestIdMiddleware:
    """`X-Request-ID` in and out."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        identifier = request.headers.get("X-Request-ID", "")
        if _REQUEST_ID.fullmatch(identifier) is None:
            identifier = uuid.uuid4().hex
        request.META["REQUEST_ID"] = identifier
        response = self.get_response(request)
        if isinstance(response, HttpResponseBase):
            response["X-Request-ID"] = identifier
            return response
        return self._later(response, identifier)

    async def _later(self, response: Awaitable[HttpResponseBase], identifier: str) -> HttpResponseBase:
        answer = await response
        answer["X-Request-ID"] = identifier
        return answer


class SessionSeenMiddleware:
    """Keeps the list of a user's browsers: device, address, last seen."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        session_key = request.session.session_key
        if session_key and request.user.is_authenticated and cache.add(f"seen:{session_key}", True, SEEN_EVERY_S):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)
