"""Django's side of HTTP: a request runs in one thread from the first middleware to the view's answer.

Django's own ASGI handler hops between the loop and a thread for every middleware, some twenty times a request, and
that thread and its database connection are new for each. Files are answered on the loop, without a thread.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase
from servestatic.middleware import ServeStaticMiddleware

from config.compression import CompressStaticFiles

HTTP_THREADS = 32
"""Requests that run at the same time, most of them waiting for the engine's commit; the others wait for a thread."""


class HttpHandler(ASGIHandler):
    """Django's handler with the middlewares in their synchronous form, and threads of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(HTTP_THREADS, thread_name_prefix="http")
        self._files = CompressStaticFiles(ServeStaticMiddleware(self._in_one_thread))

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Without Django's thread for each request.
        await self.handle(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self._files(request)
        return response

    async def _in_one_thread(self, request: HttpRequest) -> HttpResponseBase:
        # Through asgiref, so that a view may wait for something on the loop.
        return await sync_to_async(self._answer, thread_sensitive=False, executor=self._threads)(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        finally:
            # The end of the request is signalled on another thread, which cannot give this one's connection back.
            close_old_connections()
