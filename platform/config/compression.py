"""What is sent compressed? The files of the pages and nothing else: no answer with a secret beside a caller's text.

Django's own middleware makes each chunk of a file a gzip file of its own, of which browsers read the first.
"""

import gzip
import re
from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers

TEXTS = ("text/", "image/svg+xml")
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


class CompressStaticFiles:
    """Compresses scripts and styles the first time they are asked for, and keeps them as long as they do not change."""

    async_capable, sync_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self._get_response = get_response
        self._kept: dict[str, tuple[str, bytes]] = {}
        """Path of a file that exists -> its ETag, and what is sent of it."""
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._get_response(request)
        if not (_is_static(request) and _is_whole_text(response) and isinstance(response, StreamingHttpResponse)):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")) is None:
            return response
        return await self._compressed(request.path, response)

    async def _compressed(self, path: str, response: StreamingHttpResponse) -> HttpResponse:
        tag = response.headers.get("ETag", "")
        known, body = self._kept.get(path, ("", b""))
        if not tag or tag != known:
            body = gzip.compress(b"".join([chunk async for chunk in response]))
            self._kept[path] = tag, body
        headers = {**response.headers, "Content-Encoding": "gzip", "Content-Length": str(len(body))}
        if tag:
            headers["ETag"] = f"W/{tag.removeprefix('W/')}"  # the same file, not the same bytes
        response.close()
        return HttpResponse(body, headers=headers)


def _is_static(request: HttpRequest) -> bool:
    return request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/")


def _is_whole_text(response: HttpResponseBase) -> bool:
    return response.status_code == 200 and response.headers.get("Content-Type", "").startswith(TEXTS)
