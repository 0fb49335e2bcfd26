"""Every HTTP answer carries a request id: the client's own, or one of ours."""

import re
import uuid
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

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
