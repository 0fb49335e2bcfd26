"""Is a request one walk through one thread, and a file none at all?"""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse
from django.urls import path

from config.http import HTTP_THREADS, HttpHandler

# Django looks after its connections around every request, also those that earlier tests have left to a thread.
pytestmark = pytest.mark.django_db

seen: list[str] = []


def note(request):
    seen.append(threading.current_thread().name)
    return HttpResponse(async_to_sync(on_the_loop)())


async def on_the_loop():
    await asyncio.sleep(0)
    seen.append(threading.current_thread().name)
    return "said on the loop"


PATIENCE_S = 30
"""For a hundred requests at once on a machine that is busy; asgiref's own second is too short for them."""


class NotingMiddleware:
    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        seen.append(threading.current_thread().name)
        return self.get_response(request)


urlpatterns = [path("note", note)]


@pytest.fixture
def handler(settings):
    seen.clear()
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.NotingMiddleware", *settings.MIDDLEWARE, f"{__name__}.NotingMiddleware"]
    return HttpHandler()


async def answer(handler, address):
    """Return an answer's headers and body."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
    }
    asking = ApplicationCommunicator(handler, scope)
    await asking.send_input({"type": "http.request", "body": b""})
    start = await asking.receive_output(PATIENCE_S)
    body = b""
    while True:
        part = await asking.receive_output(PATIENCE_S)
        body += part.get("body", b"")
        if not part.get("more_body"):
            break
    await asking.wait(PATIENCE_S)
    return {name.decode().lower(): value.decode() for name, value in start["headers"]}, body


async def test_middlewares_and_view_share_a_thread_and_a_view_may_wait_for_the_loop(handler):
    headers, body = await answer(handler, "/note")
    assert body == b"said on the loop"
    first, second, view, loop = seen
    assert first == second == view
    assert first.startswith("http")
    assert loop == threading.current_thread().name
    assert "x-request-id" in headers


async def test_many_requests_share_a_few_threads(handler):
    await asyncio.gather(*(answer(handler, "/note") for _ in range(3 * HTTP_THREADS)))
    assert len({name for name in seen if name.startswith("http")}) <= HTTP_THREADS


async def test_a_file_needs_no_thread_and_nobody_may_guess_what_it_is(handler):
    headers, body = await answer(handler, "/static/streaming/icon.svg")
    assert body.startswith(b"<svg")
    assert headers["x-content-type-options"] == "nosniff"
    assert not seen
