"""How does a machine ask whether this process lives, may be sent clients, and what it does?"""

import hmac

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST

import streaming.live
from accounts.errors import ERRORS, Code
from config.metrics import metrics


@require_GET
def livez(request: HttpRequest) -> HttpResponse:
    """Answer: whoever can, lives."""
    return JsonResponse({"live": True})


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether this process can serve: it has started, and the database answers.

    `feed` and `engine` are told and decide nothing: all processes share them, and clients are told otherwise.
    """
    processes = streaming.live.processes()
    parts = {
        "started": bool(processes),
        "database": _database_answers(),
        "feed": any(one.feed is not None for one in processes),
        "engine": any(one.engine is not None and one.engine.fence for one in processes),
    }
    ready = parts["started"] and parts["database"]
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)


@require_GET
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Return all processes' figures for Prometheus, to whoever has `METRICS_TOKEN`; without that setting, nobody."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        meaning = ERRORS[Code.AUTHENTICATION_REQUIRED]
        refusal = {"message": meaning.message, "code": str(Code.AUTHENTICATION_REQUIRED)}
        return JsonResponse(refusal, status=meaning.http_status, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(metrics(streaming.live.processes()), content_type=CONTENT_TYPE_LATEST)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseTrouble:
        return False
    return True
