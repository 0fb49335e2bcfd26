"""Which address speaks which dialect, in one table; and who may open the browser's one."""

from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path

from streaming.consumers import StreamConsumer
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.node import Node
from streaming.session import Endpoint

ENDPOINTS: dict[str, Endpoint] = {
    "": Endpoint(None, greets=True),
    "ws/ticks": Endpoint(TICK_STREAM, greets=True),
    "ws/events": Endpoint(EVENT_STREAM, greets=False),
    "ws/app": Endpoint(EVENT_STREAM, greets=False, browser=True),
}

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def websocket_application(node: Callable[[], Awaitable[Node]]) -> Application:
    """Return the ASGI application of all sockets; an address that is not in the table is refused with 404's meaning."""
    routes: list[Any] = []
    for address, endpoint in ENDPOINTS.items():
        consumer: Any = StreamConsumer.as_asgi(endpoint=endpoint, node=node)
        # Django's path() and Channels' URLRouter disagree about what an application is.
        application_of: Any = BrowserOnly(consumer) if endpoint.browser else consumer
        routes.append(path(address, application_of))
    router: Any = URLRouter(routes)
    known = {f"/{address}" for address in ENDPOINTS}

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Clients write ws://host:8080 and ws://host:8080/ws/events/ alike.
        scope["path"] = "/" + scope["path"].strip("/")
        if scope["path"] not in known:
            await send({"type": "websocket.close"})
            return
        await router(scope, receive, send)

    return application


class BrowserOnly:
    """Lets pages of an exact allowed origin in, with their cookies; everybody else gets a refused handshake.

    Channels' own validator accepts any scheme and port of an allowed host, and a browser sends cookies along from any
    page: without this check a foreign page could read its visitor's account.
    """

    def __init__(self, consumer: Application) -> None:
        self._consumer = consumer

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"origin", "") not in allowed_origins(headers.get(b"host", "")):
            await send({"type": "websocket.close"})
            return
        await self._consumer({**scope, "cookies": _cookies(headers.get(b"cookie", ""))}, receive, send)


def allowed_origins(host: str) -> set[str]:
    """Return the origins whose pages may connect: this server's own addresses, and `ORIGINS`."""
    own = {f"http://{name}:{settings.PORT}" for name in ("127.0.0.1", "localhost")}
    name = host.rpartition(":")[0] or host
    if name in settings.ALLOWED_HOSTS:
        own |= {f"http://{host}", f"https://{host}"}
    return own | set(settings.ORIGINS)


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
