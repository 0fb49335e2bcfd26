"""HTTP to Django, WebSocket to the streams. `manage.py serve` runs this; so does any ASGI server (without the
direct way to the socket, and only with a feed process beside it)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from channels.routing import ProtocolTypeRouter

django.setup(set_prefix=False)

from config.house import House  # noqa: E402  # apps have to be loaded first
from config.http import HttpHandler  # noqa: E402
from streaming.routing import websocket_application  # noqa: E402

_http = HttpHandler()


def make_application(house: House) -> ProtocolTypeRouter:
    """Return the ASGI application of a process."""
    return ProtocolTypeRouter({"http": _http, "websocket": websocket_application(house.ready)})


application = make_application(House())
