"""HTTP to Django, WebSocket to the streams. `manage.py serve` runs this; so does any ASGI server (without the
direct way to the socket, and only with a feed process beside it)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

_http = get_asgi_application()

from config.house import House  # noqa: E402  # apps have to be loaded first
from streaming.routing import websocket_application  # noqa: E402


def make_application(house: House) -> ProtocolTypeRouter:
    """Return the ASGI application of a process."""
    return ProtocolTypeRouter({"http": _http, "websocket": websocket_application(house.ready)})


application = make_application(House())
